/* SPDX-License-Identifier: MIT */
/*
 * on_open.c - open, openat, openat2 and creat.
 *
 * How it works
 *   Look the path up; make the file if open(2) would; copy a lower file up if it will be written;
 *   then open the host's file with the guest's own flags (host_open.h).
 * Rules
 *   The host's open follows no symlink; the look-up has done that. That open may wait (FIFOs,
 *   terminals, network file systems), and a signal must not lose a descriptor: it is the last step.
 * Does not know
 *   How entries are made or copied (change.h), what /proc shows (calls/proc).
 */
#include <errno.h>
#include <linux/openat2.h>

#include "base/mem.h"
#include "calls/fs/host_open.h"
#include "calls/fs/near_open.h"
#include "calls/proc/proc.h"
#include "change/change.h"
#include "guest/handlers.h"
#include "guest/paths/lookup.h"
#include "guest/paths/magic_link.h"
#include "guest/paths/proc_entry.h"
#include "guest/programs.h"
#include "guest/trace.h"
#include "tree/descriptors.h"
#include "tree/dircache.h"
#include "tree/index.h"
#include "tree/mounts.h"
#include "tree/owner.h"

#define TMPFILE_BIT (O_TMPFILE & ~O_DIRECTORY)
#define PATH_FLAGS (O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC)
#define KNOWN_FLAGS                                                                           \
	(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC | \
	 O_ASYNC | O_DIRECT | 0100000 | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC |    \
	 O_PATH | O_TMPFILE)
#define KNOWN_RESOLVE                                                                      \
	(RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH | \
	 RESOLVE_IN_ROOT | RESOLVE_CACHED)
#define RACES 8 /* how often another process may make or remove the entry first */

struct how {
	int dirfd;
	int flags;
	uint32_t mode;
	uint64_t resolve;
	bool near; /* the guest's own dirfd and path lead to the host's file, too */
};

/* ---- what the flags ask for ------------------------------------------------ */

static bool has(const struct how *how, int flag)
{
	return (how->flags & flag) == flag;
}

static bool makes_tmpfile(const struct how *how)
{
	return (how->flags & TMPFILE_BIT) != 0;
}

/* Return the permissions that an open needs: 4 read, 2 write. */
static unsigned wanted(const struct how *how)
{
	static const unsigned by_mode[4] = {4, 2, 6, 6};
	unsigned want = by_mode[how->flags & O_ACCMODE];

	if (has(how, O_TRUNC))
		want |= 2;
	return want;
}

static unsigned lookup_flags(const struct how *how)
{
	unsigned flags = 0;

	if (!has(how, O_NOFOLLOW) && !has(how, O_CREAT | O_EXCL))
		flags |= SB_FOLLOW;
	if (has(how, O_CREAT))
		flags |= SB_MAY_BE_ABSENT | SB_CREATE;
	if (has(how, O_DIRECTORY))
		flags |= SB_WANT_DIR;
	if ((how->resolve & RESOLVE_NO_SYMLINKS) != 0)
		flags |= SB_NO_SYMLINKS;
	if ((how->resolve & RESOLVE_BENEATH) != 0)
		flags |= SB_BENEATH;
	if ((how->resolve & RESOLVE_IN_ROOT) != 0)
		flags |= SB_IN_ROOT;
	if ((how->resolve & RESOLVE_NO_XDEV) != 0)
		flags |= SB_NO_XDEV;
	return flags;
}

static int check_flags(const struct how *how)
{
	if (makes_tmpfile(how)) {
		if (!has(how, O_DIRECTORY) || (how->flags & O_ACCMODE) == O_RDONLY)
			return -EINVAL;
		return has(how, O_CREAT) ? -EINVAL : 0;
	}
	return has(how, O_CREAT | O_DIRECTORY) ? -EINVAL : 0;
}

/* Return the flags for the host's open of an entry that exists. */
static int host_flags(const struct how *how)
{
	return how->flags & ~(O_CREAT | O_EXCL);
}

/* ---- the look-up ------------------------------------------------------------ */

static int find(struct sb_call *call, const struct how *how, struct sb_at *at)
{
	const uint64_t scoped = RESOLVE_BENEATH | RESOLVE_IN_ROOT;
	struct sb_path *base = &call->work->base;
	unsigned flags = lookup_flags(how);
	int err;

	if (call->path[0] == '\0')
		return -ENOENT;
	err = sb_path_set(base, "/", 1);
	if (err == 0 && (call->path[0] != '/' || (how->resolve & scoped) != 0))
		err = sb_guest_base(call, how->dirfd, base);
	if (err < 0)
		return err;
	err = sb_tree_lookup(call->fs, base->buf, base->len, call->path, flags, at);
	if (err != -SB_EMAGIC)
		return err;
	if ((how->resolve & (RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS)) != 0)
		return -ELOOP;
	if ((how->resolve & (scoped | RESOLVE_NO_XDEV)) != 0)
		return -EXDEV;
	return sb_magic_link_follow(call, flags, at);
}

/* Do the guest's dirfd and path lead the kernel to the layer's file, so that it need not walk from
 * the root? Yes, if the directory is untouched (so its host directory is the one that is open) and
 * belongs to the same layer as the file. */
static bool is_near(const struct sb_call *call, const struct how *how, const struct sb_at *at)
{
	const struct sb_tree *tree = call->fs->tree;
	const struct sb_path *base = &call->work->base;
	size_t len = strlen(call->path);
	uint32_t dir;

	if (at->spot.place != SB_PLACE_LOWER || call->path[0] == '/' || how->resolve != 0 ||
	    base->len < 2 || at->guest.len != base->len + 1 + len ||
	    memcmp(at->guest.buf, base->buf, base->len) != 0 || at->guest.buf[base->len] != '/' ||
	    memcmp(at->guest.buf + base->len + 1, call->path, len) != 0)
		return false;
	dir = sb_index_find_path(tree, base->buf, base->len);
	return dir != SB_NO_NODE && tree->state[dir] == SB_STATE_UNTOUCHED &&
	       tree->nodes[dir].layer == tree->nodes[at->spot.node].layer;
}

/* ---- entries that exist --------------------------------------------------------- */

static int check_owner(struct sb_call *call, struct sb_at *at)
{
	int err = at->has_stat ? 0 : sb_tree_stat(call->fs, at);

	if (err < 0)
		return err;
	return sb_ids_owns(call->ids, at->st.uid) ? 0 : -EPERM;
}

static long open_directory(const struct how *how, struct sb_call *call, struct sb_at *at)
{
	long fd = sb_open_allowed(call, at, host_flags(how));

	/* Another process is just making a merged directory in the upper. */
	if (fd == -ENOENT && at->spot.place == SB_PLACE_UPPER && at->spot.lower_below &&
	    at->spot.node != SB_NO_NODE &&
	    sb_index_host_path(call->fs->tree, at->spot.node, &at->host) == 0)
		fd = sb_open_host(call, at->host.buf, host_flags(how));
	/* The machine's user may not read this directory of the machine. */
	if (fd == -EACCES && at->spot.place == SB_PLACE_LIVE && sb_copyup(call->fs, at, 0) == 0)
		fd = sb_open_host(call, at->host.buf, host_flags(how));
	return fd;
}

/* Open with O_PATH: no permission is checked, nothing is copied, no device is opened. */
static long open_path_only(const struct how *how, struct sb_call *call, struct sb_at *at)
{
	if (at->spot.type == S_IFLNK && !has(how, O_NOFOLLOW))
		return -ELOOP;
	if (at->spot.place == SB_PLACE_LINK)
		return sb_open_made_link(call, at, host_flags(how));
	if (at->spot.type == S_IFDIR)
		return open_directory(how, call, at);
	return sb_open_host(call, at->host.buf, host_flags(how));
}

static int check_type(const struct how *how, const struct sb_at *at)
{
	uint32_t type = at->spot.type;

	if (type == S_IFLNK)
		return -ELOOP;
	if (type == S_IFDIR &&
	    (has(how, O_CREAT) || ((wanted(how) & 2) != 0 && !makes_tmpfile(how))))
		return -EISDIR;
	return 0;
}

/* Make at->host the file to open. */
static int prepare_file(struct sb_call *call, const struct how *how, struct sb_at *at)
{
	uint32_t type = at->spot.type;
	bool is_lower = at->spot.place == SB_PLACE_LOWER || at->spot.place == SB_PLACE_LIVE;

	if (!is_lower)
		return 0;
	if (type == S_IFIFO) /* readers and writers of a FIFO meet in the upper */
		return sb_copyup(call->fs, at, 0);
	if (type == S_IFREG && (wanted(how) & 2) != 0)
		return sb_copyup(call->fs, at, has(how, O_TRUNC) ? 0 : UINT64_MAX);
	return 0;
}

static long open_proc(struct sb_call *call, const struct how *how, struct sb_at *at)
{
	long fd;

	if (sb_proc_is_object(call->fs, at))
		return sb_magic_link_open(call, at, how->flags);
	if (at->spot.type == S_IFLNK)
		return -ELOOP;
	fd = sb_tree_permit_ids(call->fs, at, wanted(how));
	if (fd < 0)
		return fd;
	fd = sb_proc_open(call, at, how->flags);
	if (fd != -SB_EMAGIC)
		return fd;
	fd = sb_open_host(call, at->host.buf, host_flags(how));
	if (fd == -EACCES && (wanted(how) & 2) != 0)
		fd = sb_open_task_file(call, at->host.buf, host_flags(how));
	return fd;
}

static long open_present(struct sb_call *call, const struct how *how, struct sb_at *at)
{
	uint32_t type = at->spot.type;
	long fd;
	int err;

	if (has(how, O_CREAT | O_EXCL))
		return -EEXIST;
	if (has(how, O_PATH) && !sb_proc_is_object(call->fs, at))
		return open_path_only(how, call, at);
	if (sb_tree_is_made(call->fs->tree, &at->spot))
		return open_proc(call, how, at);
	err = check_type(how, at);
	if (err == 0 && makes_tmpfile(how))
		return sb_change_tmpfile(call->fs, at, how->flags, how->mode);
	if (err == 0)
		err = sb_tree_permit_ids(call->fs, at, wanted(how));
	if (err == 0 && has(how, O_NOATIME))
		err = check_owner(call, at);
	if (err == 0 && type == S_IFSOCK)
		err = -ENXIO;
	if (err < 0)
		return err;
	if (how->near && (type == S_IFDIR || (type == S_IFREG && (wanted(how) & 2) == 0))) {
		fd = sb_open_strictly(call, how->dirfd, call->path, host_flags(how));
		if (fd >= 0)
			return fd;
	}
	if (type == S_IFDIR)
		return open_directory(how, call, at);
	if (sb_open_is_device(type))
		return sb_open_device(call, host_flags(how), at);
	if ((wanted(how) & 2) != 0)
		err = sb_program_check(call, at);
	if (err == 0)
		err = prepare_file(call, how, at);
	if (err == 0 && type == S_IFREG && (wanted(how) & 2) != 0)
		err = sb_change_written(call->fs, at);
	if (err < 0)
		return err;
	fd = sb_open_allowed(call, at, host_flags(how));
	/* The machine's user may not read this file of the machine. It may have a stand-in. */
	if (fd == -EACCES && at->spot.place == SB_PLACE_LIVE &&
	    sb_copyup(call->fs, at, UINT64_MAX) == 0)
		fd = sb_open_host(call, at->host.buf, host_flags(how));
	return fd;
}

/* ---- the call -------------------------------------------------------------------- */

static long open_once(struct sb_call *call, struct how *how)
{
	struct sb_at *at = &call->work->a;
	int err = find(call, how, at);

	if (err < 0)
		return err;
	if (has(how, O_CREAT) && at->dots)
		return has(how, O_EXCL) ? -EEXIST : -EISDIR;
	how->near = is_near(call, how, at);
	if (at->spot.place == SB_PLACE_ABSENT)
		return sb_change_create(call->fs, at, how->flags, how->mode);
	return open_present(call, how, at);
}

/* Another process may make or remove the entry between look-up and open. */
static bool is_race(const struct how *how, const struct sb_at *at, long ret)
{
	if (ret == -EEXIST)
		return has(how, O_CREAT) && !has(how, O_EXCL);
	return (ret == -ENOENT || (ret == -ELOOP && at->spot.type != S_IFLNK)) &&
	       at->spot.place == SB_PLACE_UPPER;
}

/* A file that is opened to append mostly exists, so it is looked up first. */
static bool may_create_quickly(const struct sb_call *call, const struct how *how)
{
	return has(how, O_CREAT) && (has(how, O_EXCL) || !has(how, O_APPEND)) &&
	       how->resolve == 0 && !sb_trace_is_on(call);
}

/* ---- what a walk through the image opens ---------------------------------------- */

/* Open a file or directory of the image for reading, by a name below an open directory, without
 * making its path. -SB_ELOOK or another error: look it up. */
static long open_nearby(struct sb_call *call, const struct how *how)
{
	const int plain = O_ACCMODE | O_CREAT | O_TRUNC | TMPFILE_BIT | O_PATH | O_NOATIME;
	const uint64_t closes = sb_fds_count(call->fs);
	const struct sb_node *n;
	uint32_t node;
	long fd;

	if ((how->flags & plain) != O_RDONLY || how->resolve != 0 || how->dirfd < 0 ||
	    sb_trace_is_on(call))
		return -SB_ELOOK;
	node = sb_tree_child_of_fd(call->fs, how->dirfd, call->path);
	if (node == SB_NO_NODE)
		return -SB_ELOOK;
	n = &call->fs->tree->nodes[node];
	if (n->layer != call->fs->tree->nodes[n->parent].layer ||
	    ((n->mode & S_IFMT) != S_IFDIR && (n->mode & S_IFMT) != S_IFREG) ||
	    (n->flags & SB_NODE_PLACEHOLDER) != 0 ||
	    sb_ids_permit(call->ids, n->mode & 07777, n->uid, n->gid, 4) < 0)
		return -SB_ELOOK;
	fd = sb_open_strictly(call, how->dirfd, call->path, how->flags);
	if (fd >= 0)
		sb_fds_opened(call->fs, (int)fd, closes, node);
	return fd;
}

/* Open or make a file with one call of the kernel. -SB_ELOOK: look it up. */
static long open_quickly(struct sb_call *call, const struct how *how, uint32_t len)
{
	const uint32_t writings = sb_owner_writings(call->fs->tree);
	const uint64_t closes = sb_fds_count(call->fs);
	const char *whole;
	long ret;

	if (how->resolve != 0)
		return -SB_ELOOK;
	ret = sb_near_open(call, how->dirfd, len, true, how->flags, how->mode);
	if (ret != -SB_ELOOK || !has(how, O_CREAT))
		return ret;
	if (may_create_quickly(call, how)) {
		whole = sb_guest_whole(call, how->dirfd, call->path, &call->work->a.guest);
		ret = sb_quick_create(call->fs, whole, how->flags, how->mode);
		if (ret >= 0)
			sb_fds_opened_new(call->fs, (int)ret, closes, writings);
	}
	return ret != -SB_ELOOK ? ret : sb_near_open(call, how->dirfd, len, false, how->flags, 0);
}

/* Remember what was opened (descriptors.h). */
static void remember(const struct sb_call *call, const struct how *how, int fd, uint64_t closes,
		     uint32_t generation)
{
	const struct sb_tree *tree = call->fs->tree;
	const struct sb_at *at = &call->work->a;
	uint32_t pure;

	if (at->spot.place == SB_PLACE_LOWER)
		sb_fds_opened(call->fs, fd, closes, at->spot.node);
	if (at->spot.place == SB_PLACE_UPPER && at->spot.type == S_IFREG && !has(how, O_PATH))
		sb_fds_opened_in(call->fs, fd, closes, SB_PURE_UPPER);
	pure = sb_spot_pure(tree, &at->spot, at->guest.buf, at->guest.len);
	if (pure != 0 && generation == sb_dircache_generation(tree))
		sb_fds_opened_pure(call->fs, fd, closes, pure, false, 0);
}

static long do_open(struct sb_call *call, uint64_t path, struct how *how)
{
	const uint64_t closes = sb_fds_count(call->fs);
	const uint32_t generation = sb_dircache_generation(call->fs->tree);
	long ret = check_flags(how);
	uint32_t len;

	if (ret == 0)
		ret = sb_guest_string(call->path, path, SB_PATH_MAX);
	if (ret < 0)
		return ret;
	len = (uint32_t)ret;
	ret = open_nearby(call, how);
	if (ret >= 0)
		return ret;
	ret = open_quickly(call, how, len);
	if (ret != -SB_ELOOK)
		return ret;
	for (unsigned i = 0; i < RACES; i++) {
		call->work->a.spot.place = SB_PLACE_ABSENT;
		ret = open_once(call, how);
		if (SB_LIKELY(ret >= 0) || !is_race(how, &call->work->a, ret))
			break;
	}
	if (ret >= 0)
		remember(call, how, (int)ret, closes, generation);
	return ret;
}

static long do_openat(struct sb_call *call, int dirfd, uint64_t path, uint64_t flags, uint64_t mode)
{
	struct how how = {
		.dirfd = dirfd,
		.flags = (int)(uint32_t)flags & KNOWN_FLAGS,
		.mode = (uint32_t)mode & 07777,
	};

	if (has(&how, O_PATH))
		how.flags &= PATH_FLAGS;
	return do_open(call, path, &how);
}

long on_open(struct sb_call *call)
{
	return do_openat(call, AT_FDCWD, sb_arg(call, 0), sb_arg(call, 1), sb_arg(call, 2));
}

long on_openat(struct sb_call *call)
{
	return do_openat(call, (int)(uint32_t)sb_arg(call, 0), sb_arg(call, 1), sb_arg(call, 2),
			 sb_arg(call, 3));
}

long on_creat(struct sb_call *call)
{
	return do_openat(call, AT_FDCWD, sb_arg(call, 0), O_CREAT | O_WRONLY | O_TRUNC,
			 sb_arg(call, 1));
}

/* ---- openat2 ---------------------------------------------------------------------- */

/* As copy_struct_from_user(): bytes that are not known must be zero. */
static int read_how(uint64_t addr, uint64_t size, struct open_how *out)
{
	unsigned char extra;
	int err;

	if (size < sizeof(*out))
		return -EINVAL;
	if (size > 4096)
		return -E2BIG;
	for (uint64_t i = sizeof(*out); i < size; i++) {
		err = sb_guest_read(&extra, addr + i, 1);
		if (err < 0)
			return err;
		if (extra != 0)
			return -E2BIG;
	}
	return sb_guest_read(out, addr, sizeof(*out));
}

static int check_how(const struct open_how *how)
{
	const uint64_t makes = O_CREAT | TMPFILE_BIT;

	if ((how->flags & ~(uint64_t)KNOWN_FLAGS) != 0 ||
	    (how->resolve & ~(uint64_t)KNOWN_RESOLVE) != 0)
		return -EINVAL;
	if ((how->resolve & RESOLVE_BENEATH) != 0 && (how->resolve & RESOLVE_IN_ROOT) != 0)
		return -EINVAL;
	if ((how->flags & makes) != 0 ? (how->mode & ~07777ULL) != 0 : how->mode != 0)
		return -EINVAL;
	if ((how->flags & O_PATH) != 0 && (how->flags & ~(uint64_t)PATH_FLAGS) != 0)
		return -EINVAL;
	if ((how->resolve & RESOLVE_CACHED) != 0 && (how->flags & (makes | O_TRUNC)) != 0)
		return -EAGAIN;
	return 0;
}

long on_openat2(struct sb_call *call)
{
	struct open_how asked;
	struct how how;
	int err = read_how(sb_arg(call, 2), sb_arg(call, 3), &asked);

	if (err == 0)
		err = check_how(&asked);
	if (err < 0)
		return err;
	how = (struct how){
		.dirfd = (int)(uint32_t)sb_arg(call, 0),
		.flags = (int)asked.flags,
		.mode = (uint32_t)asked.mode,
		.resolve = asked.resolve,
	};
	return do_open(call, sb_arg(call, 1), &how);
}
