/* SPDX-License-Identifier: MIT */
/*
 * near.c - names that the kernel finds by itself, in pure directories.
 */
#include "guest/paths/near.h"

#include <linux/openat2.h>

#include "guest/paths/cwd.h"
#include "guest/trace.h"
#include "tree/descriptors.h"
#include "tree/host_path.h"
#include "tree/mounts.h"
#include "tree/whiteout.h"

#define MAX_NAME 255

/* The length of a single component other than dots, or 0. */
static size_t one_name(const char *path)
{
	size_t len = 0;

	while (path[len] != '\0' && path[len] != '/')
		len++;
	if (path[len] == '/' || len > MAX_NAME ||
	    (path[0] == '.' && (len == 1 || (len == 2 && path[1] == '.'))))
		return 0;
	return len;
}

static bool is_hidden(const struct sb_tree *tree, uint32_t pure, const char *name, size_t len)
{
	return pure == SB_PURE_UPPER && sb_is_mark(tree, name, len);
}

/* What is known of the directory of a relative path: SB_PURE_*, or 0. *base is for a comparison. */
static uint32_t pure_base(const struct sb_call *call, int dirfd, uint64_t *base)
{
	if (dirfd == AT_FDCWD)
		return sb_cwd_pure(call, base);
	*base = sb_fds_what(call->fs, dirfd);
	return sb_fds_pure(call->fs, dirfd);
}

static bool find_name(struct sb_call *call, const char *name, size_t len, struct sb_near *near)
{
	near->at.name = name;
	near->resolve = 0;
	near->has_base = true;
	near->is_remembered = false;
	return !is_hidden(call->fs->tree, near->at.pure, name, len);
}

/* ---- in a remembered directory ----------------------------------------------- */

/* The path from the working directory, when that is a directory of the upper on the way: then it
 * costs the kernel least. Else NULL. */
static const char *from_cwd(struct sb_call *call, const char *path, uint32_t dir, uint64_t *base)
{
	const struct sb_cwd *cwd = &call->proc->cwd;
	const uint32_t len = cwd->len;
	struct sb_path *text = &call->work->host;

	if (len == 0 || len > dir || len >= sizeof(cwd->text) || path[len] != '/' ||
	    memcmp(path, cwd->text, len) != 0)
		return NULL;
	if (sb_cwd_pure(call, base) != SB_PURE_UPPER || !sb_cwd_find(call, text) ||
	    !sb_same(text->buf, text->len, path, len))
		return NULL;
	return path + len + 1;
}

/* Fill near for a canonical path whose directory path[0..dir) is remembered. rel is the same path
 * from the working directory, or NULL. */
static bool find_known(struct sb_call *call, const char *path, uint32_t dir, uint32_t len,
		       const char *rel, struct sb_near *near)
{
	const struct sb_fs *fs = call->fs;
	struct sb_spot spot;

	if (!sb_spot_recall(fs, path, dir, &spot) ||
	    sb_spot_pure(fs->tree, &spot, path, dir) != SB_PURE_UPPER ||
	    is_hidden(fs->tree, SB_PURE_UPPER, path + dir + 1, len - dir - 1))
		return false;
	if (rel == NULL)
		near->at.name = from_cwd(call, path, dir, &near->base);
	else
		near->at.name = near->at.pure == SB_PURE_UPPER ? rel : NULL;
	near->at.pure = SB_PURE_UPPER;
	near->at.dirfd = AT_FDCWD;
	near->resolve = 0;
	near->has_base = near->at.name != NULL;
	near->is_remembered = true;
	if (near->has_base)
		return true;
	near->at.name = call->work->host.buf;
	return sb_tree_upper_path(fs, path, len, &call->work->host) == 0;
}

static bool is_plain(const char *path, uint32_t len, uint32_t dir)
{
	return dir >= 2 && dir < len && len - dir <= MAX_NAME && sb_path_canonical(path) == len;
}

static uint32_t dir_of(const char *path, uint32_t len)
{
	uint32_t dir = len;

	while (dir > 0 && path[dir - 1] != '/')
		dir--;
	return dir;
}

static bool find_path(struct sb_call *call, int dirfd, const char *path, uint32_t len,
		      struct sb_near *near)
{
	struct sb_path *room = &call->work->base;
	const char *rel = NULL;
	uint32_t dir;

	if (path[0] != '/') {
		if (dirfd != AT_FDCWD || !sb_cwd_find(call, room) ||
		    sb_path_go(room, path, len) < 0)
			return false;
		rel = path[0] == '.' && path[1] == '.' ? NULL : path;
		path = room->buf;
		len = room->len;
	}
	dir = dir_of(path, len);
	return dir >= 2 && sb_dircache_may_find(call->fs, path, dir - 1) &&
	       is_plain(path, len, dir) && find_known(call, path, dir - 1, len, rel, near);
}

/* ---- below a directory, for the kernel to check ------------------------------- */

/* Fill near for the path of an entry in a mount. */
static bool find_in_mount(struct sb_call *call, const char *path, uint32_t len,
			  struct sb_near *near)
{
	const struct sb_tree *tree = call->fs->tree;
	const uint32_t mount = sb_tree_mount_of(tree, path, len);
	struct sb_spot spot = {.place = SB_PLACE_MOUNT, .type = S_IFDIR, .mount = mount};

	if (mount == SB_NO_MOUNT || tree->control->mounts[mount].guest.len >= len ||
	    !is_plain(path, len, dir_of(path, len)))
		return false;
	near->at.pure = sb_spot_pure(tree, &spot, path, len);
	near->at.dirfd = AT_FDCWD;
	near->at.name = call->work->host.buf;
	near->resolve = RESOLVE_NO_SYMLINKS;
	near->has_base = false;
	near->is_remembered = false;
	return near->at.pure != 0 &&
	       sb_spot_host(call->fs, &spot, path, len, &call->work->host) == 0;
}

/* Fill near for a path from a pure directory. */
static bool find_below(const struct sb_tree *tree, const char *path, uint32_t len,
		       struct sb_near *near)
{
	const uint32_t dir = dir_of(path, len);

	near->at.name = path;
	near->resolve = RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH;
	near->has_base = true;
	near->is_remembered = false;
	return !is_hidden(tree, near->at.pure, path + dir, len - dir);
}

/* ---- all of it ------------------------------------------------------------------ */

bool sb_near_find(struct sb_call *call, int dirfd, const char *path, uint32_t len,
		  struct sb_near *near)
{
	const struct sb_fs *fs = call->fs;
	size_t name;

	if (fs->root_len != 1 || len == 0 || !sb_tree_may_search_all(fs) || sb_trace_is_on(call))
		return false;
	near->moved = sb_dircache_moved(fs->tree);
	near->generation = sb_dircache_generation(fs->tree);
	near->is_inside = false;
	if (path[0] == '/')
		return (fs->tree->index != NULL && find_path(call, dirfd, path, len, near)) ||
		       find_in_mount(call, path, len, near);
	while (path[0] == '.' && path[1] == '/' && path[2] != '/' && path[2] != '\0') {
		path += 2;
		len -= 2;
	}
	near->at.dirfd = dirfd;
	near->at.pure = pure_base(call, dirfd, &near->base);
	name = one_name(path);
	if (name != 0 && near->at.pure != 0)
		return find_name(call, path, name, near);
	if (fs->tree->index != NULL && find_path(call, dirfd, path, len, near))
		return true;
	return near->at.pure != 0 && find_below(fs->tree, path, len, near);
}

/* Is the base of near still what it was? */
static bool has_its_base(const struct sb_call *call, const struct sb_near *near)
{
	uint64_t now;

	if (!near->has_base)
		return true;
	pure_base(call, near->at.dirfd, &now);
	return now == near->base;
}

/* Go on below a directory that only this call has open. */
static bool go_inside(const struct sb_call *call, struct sb_near *near, const char *path,
		      uint64_t resolve)
{
	const struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = resolve,
	};
	const long fd =
		sb_syscall(__NR_openat2, near->at.dirfd, SB_P(path), SB_P(&how), sizeof(how), 0, 0);

	if (fd < 0)
		return false;
	if (!has_its_base(call, near)) {
		sys_close((int)fd);
		return false;
	}
	near->at.dirfd = (int)fd;
	near->is_inside = true;
	return true;
}

/* Open the directory that holds the last name, without symlinks. end is the end of the path. */
static bool open_directory(const struct sb_call *call, struct sb_near *near, const char *end)
{
	const uint32_t len = (uint32_t)strlen(near->at.name);
	const uint32_t dir = dir_of(near->at.name, len);
	char *slash = (char *)(uintptr_t)near->at.name + dir - 1;
	bool is_open;

	if (dir < 2 || one_name(near->at.name + dir) == 0 ||
	    is_hidden(call->fs->tree, near->at.pure, near->at.name + dir, len - dir))
		return false;
	*slash = '\0';
	is_open = go_inside(call, near, near->at.name, near->resolve);
	*slash = '/';
	near->at.name = end - (len - dir); /* the path stays, the host's may not */
	return is_open;
}

bool sb_near_enter(struct sb_call *call, int dirfd, const char *path, uint32_t len,
		   struct sb_near *near)
{
	if (!sb_near_find(call, dirfd, path, len, near))
		return false;
	if (near->resolve == 0)
		return true;
	/* A walk remembers directories of the upper, and costs less the next time. */
	if (near->at.pure == SB_PURE_UPPER && near->at.dirfd == AT_FDCWD)
		return false;
	sb_commit_begin(call->fs);
	return open_directory(call, near, path + len);
}

bool sb_near_is_shared(const struct sb_call *call, const struct sb_near *near)
{
	const struct sb_fds *fds = call->fs->fds;

	return near->has_base && !near->is_inside && (fds == NULL || fds->threads != 0);
}

bool sb_near_pin(struct sb_call *call, int dirfd, const char *path, uint32_t len,
		 struct sb_near *near)
{
	if (!sb_near_enter(call, dirfd, path, len, near))
		return false;
	if (!sb_near_is_shared(call, near))
		return true;
	if (near->is_remembered)
		return false;
	sb_commit_begin(call->fs);
	return go_inside(call, near, ".", 0);
}

/* A path for the calls that take no descriptor. */
static int path_of(const struct sb_near *near, struct sb_path *out)
{
	char folder[32];
	int err;

	if (near->at.dirfd == AT_FDCWD)
		return sb_path_set(out, near->at.name, strlen(near->at.name));
	sb_fd_name(near->at.dirfd, folder);
	err = sb_path_set(out, folder, strlen(folder));
	return err < 0 ? err : sb_path_join(out, near->at.name, strlen(near->at.name));
}

int sb_near_look(const struct sb_call *call, const struct sb_near *near, unsigned flags,
		 struct sb_at *at)
{
	const bool is_upper = near->at.pure == SB_PURE_UPPER;
	int err = sb_pure_look(call->fs, &near->at, flags, &at->look);

	if (err < 0)
		return err;
	at->spot = (struct sb_spot){
		.place = is_upper ? SB_PLACE_UPPER : SB_PLACE_MOUNT,
		.node = SB_NO_NODE,
		.mount = is_upper ? SB_NO_MOUNT : near->at.pure - SB_PURE_MOUNT,
		.type = at->look.stx_mode & S_IFMT,
	};
	at->has_stat = false;
	at->has_look = true;
	return path_of(near, &at->host) < 0 ? -SB_ELOOK : 0;
}

bool sb_near_leave(const struct sb_call *call, const struct sb_near *near)
{
	if (near->is_inside)
		sys_close(near->at.dirfd);
	if (near->is_remembered && near->generation != sb_dircache_generation(call->fs->tree))
		return false;
	return near->is_inside || has_its_base(call, near);
}
