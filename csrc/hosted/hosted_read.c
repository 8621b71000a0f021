/* SPDX-License-Identifier: MIT */
/*
 * hosted_read.c - the merged tree for Python: open it and read it.
 *
 * Hosted build only. There is a function for each method of sandbox.native.core.Tree that reads.
 * It looks the path up as root of the container and calls the function of view/ or change/ with
 * the same name.
 * Does not know
 *   How Python changes the tree (hosted_change.c).
 */
#include "hosted/hosted.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/dirent.h"
#include "base/stat.h"
#include "change/change.h"
#include "hosted/control_file.h"
#include "hosted/internal.h"
#include "hosted/shared_file.h"
#include "tree/control.h"
#include "tree/index.h"
#include "tree/owner.h"
#include "view/view.h"

static int attach_run_dir(struct sb_hosted *h, const char *path, bool is_draft)
{
	int err = sb_control_map(path, is_draft, &h->control);

	if (err == 0)
		err = sb_tree_attach(&h->tree, h->control.at, h->control.size);
	if (err < 0)
		return err;
	h->draft = is_draft ? h->control.at : NULL;
	h->path = strdup(path);
	if (h->path == NULL)
		return -ENOMEM;
	h->shared_fd = sb_shared_open(path);
	if (h->shared_fd < 0)
		return h->shared_fd;
	err = sb_shared_map(h->shared_fd, h->tree.control->node_count, &h->shared);
	if (err == 0)
		sb_tree_attach_shared(&h->tree, h->shared.at);
	return err;
}

static int attach(struct sb_hosted *h, const char *path, bool is_draft)
{
	const struct sb_control *control;
	int err = attach_run_dir(h, path, is_draft);

	if (err < 0)
		return err;
	control = h->tree.control;
	err = sb_map_file(sb_text_at(control, control->owners), true, &h->owners);
	if (err == 0)
		err = sb_owner_check(h->owners.at, h->owners.size);
	if (err < 0)
		return err;
	h->tree.owners = h->owners.at;
	if (control->index.len == 0)
		return 0;
	err = sb_map_file(sb_text_at(control, control->index), false, &h->index);
	return err < 0 ? err : sb_tree_attach_index(&h->tree, h->index.at, h->index.size);
}

static struct sb_hosted *open_tree(const char *control, bool is_draft, int *error)
{
	struct sb_hosted *h = calloc(1, sizeof(*h));

	if (h == NULL) {
		*error = -ENOMEM;
		return NULL;
	}
	h->shared_fd = -1;
	*error = attach(h, control, is_draft);
	if (*error < 0) {
		sb_hosted_close(h);
		return NULL;
	}
	sb_ids_init(&h->ids, 0, 0, NULL, 0, SB_CAP_DEFAULT);
	h->ids.cap_effective = SB_CAP_FULL; /* the engine has all capabilities */
	h->ids.cap_permitted = SB_CAP_FULL;
	h->fs = (struct sb_fs){
		.tree = &h->tree,
		.ids = &h->ids,
		.root = "/",
		.root_len = 1,
		.work = &h->work,
		.dirs = &h->dirs,
	};
	return h;
}

struct sb_hosted *sb_hosted_open(const char *control, int *error)
{
	return open_tree(control, false, error);
}

struct sb_hosted *sb_hosted_open_draft(const char *control, int *error)
{
	return open_tree(control, true, error);
}

void sb_hosted_close(struct sb_hosted *h)
{
	if (h == NULL)
		return;
	if (h->shared_fd >= 0)
		sys_close(h->shared_fd);
	free(h->path);
	sb_unmap(&h->control);
	sb_unmap(&h->shared);
	sb_unmap(&h->index);
	sb_unmap(&h->owners);
	free(h);
}

void sb_hosted_free(void *memory)
{
	free(memory);
}

const struct sb_control *sb_hosted_control(struct sb_hosted *h)
{
	return h->tree.control;
}

const char *sb_hosted_upper(struct sb_hosted *h)
{
	return sb_text_at(h->tree.control, h->tree.control->upper);
}

void sb_hosted_enter(const struct sb_hosted *h)
{
	const struct sb_control *control = h->tree.control;

	sb_path_own(sb_text_at(control, control->upper), sb_text_at(control, control->work));
}

/* ---- reading -------------------------------------------------------------- */

int sb_hosted_look_up(struct sb_hosted *h, const char *path, unsigned flags, struct sb_at *at)
{
	int err;

	sb_hosted_enter(h);
	err = sb_tree_lookup(&h->fs, "/", 1, path, flags, at);
	return err == -SB_EMAGIC ? -EACCES : err;
}

static void put_stat(const struct sb_stat *st, struct sb_hosted_stat *out)
{
	out->dev = st->dev;
	out->ino = st->ino;
	out->rdev = st->rdev;
	out->size = st->size;
	out->blocks = st->blocks;
	out->atime_sec = st->atime.sec;
	out->atime_nsec = (uint32_t)st->atime.nsec;
	out->mtime_sec = st->mtime.sec;
	out->mtime_nsec = (uint32_t)st->mtime.nsec;
	out->mode = st->mode;
	out->nlink = st->nlink;
	out->uid = st->uid;
	out->gid = st->gid;
}

static void put_at(const struct sb_at *at, struct sb_hosted_stat *out)
{
	put_stat(&at->st, out);
	out->is_upper = at->spot.place == SB_PLACE_UPPER;
	out->is_mount = at->spot.mount != SB_NO_MOUNT;
	memcpy(out->host, at->host.buf, (size_t)at->host.len + 1);
	memcpy(out->guest, at->guest.buf, (size_t)at->guest.len + 1);
}

int sb_hosted_stat(struct sb_hosted *h, const char *path, uint32_t follow,
		   struct sb_hosted_stat *out)
{
	struct sb_at *at = &h->work.a;
	int err = sb_hosted_look_up(h, path, (follow ? SB_FOLLOW : 0U) | SB_WANT_STAT, at);

	if (err == 0)
		put_at(at, out);
	return err;
}

int sb_hosted_resolve(struct sb_hosted *h, const char *path, uint32_t follow, char *out)
{
	struct sb_at *at = &h->work.a;
	unsigned flags = SB_MAY_BE_ABSENT | (follow ? SB_FOLLOW | SB_CREATE : 0U);
	size_t len = strlen(path);
	size_t end = len;
	char *part = h->work.guest.buf;
	int err;

	if (len == 0 || len >= SB_PATH_MAX)
		return len == 0 ? -ENOENT : -ENAMETOOLONG;
	while (end > 1 && path[end - 1] == '/')
		end--;
	for (;;) {
		memcpy(part, path, end);
		part[end] = '\0';
		err = sb_hosted_look_up(h, part, flags, at);
		if (err != -ENOENT || end <= 1)
			break;
		while (end > 1 && path[end - 1] != '/')
			end--;
		while (end > 1 && path[end - 1] == '/')
			end--;
		flags = SB_MAY_BE_ABSENT | SB_FOLLOW | SB_CREATE;
	}
	if (err < 0)
		return err;
	while (path[end] == '/')
		end++;
	while (len > end && path[len - 1] == '/')
		len--;
	if (end < len)
		err = sb_path_join(&at->guest, path + end, len - end);
	if (err == 0)
		memcpy(out, at->guest.buf, (size_t)at->guest.len + 1);
	return err;
}

long sb_hosted_readlink(struct sb_hosted *h, const char *path, char *buf, uint64_t len)
{
	struct sb_at *at = &h->work.a;
	int err = sb_hosted_look_up(h, path, 0, at);

	return err < 0 ? err : sb_tree_readlink(&h->fs, at, buf, len);
}

int sb_hosted_open_file(struct sb_hosted *h, const char *path)
{
	struct sb_at *at = &h->work.a;
	int err = sb_hosted_look_up(h, path, SB_FOLLOW, at);
	struct statx sx;
	int fd;

	if (err < 0)
		return err;
	if (at->spot.type != S_IFREG && at->spot.type != S_IFDIR)
		return -EINVAL;
	fd = (int)sys_openat(AT_FDCWD, at->host.buf, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
			     0);
	if (fd < 0)
		return fd;
	/* A guest may have put something else there since. */
	err = (int)sys_statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &sx);
	if (err == 0 && (sx.stx_mode & S_IFMT) != at->spot.type)
		err = -EINVAL;
	if (err < 0)
		sys_close(fd);
	return err < 0 ? err : fd;
}

int sb_hosted_open_folder(int top, const char *path, uint32_t own)
{
	return (int)sb_path_open_folder(top, path, own != 0);
}

struct names {
	char *bytes;
	size_t used;
	size_t room;
};

static int put_name(struct names *names, const char *name, size_t len)
{
	if (names->bytes == NULL || names->used + len + 1 > names->room) {
		size_t room = (names->used + len + 1) * 2 + 4096;
		char *bytes = realloc(names->bytes, room);

		if (bytes == NULL)
			return -ENOMEM;
		names->bytes = bytes;
		names->room = room;
	}
	memcpy(names->bytes + names->used, name, len);
	names->bytes[names->used + len] = '\0';
	names->used += len + 1;
	return 0;
}

static int put_entries(struct names *names, const char *buf, long len)
{
	for (long at = 0; at < len;) {
		const struct sb_dirent *entry = (const void *)(buf + at);
		int err = sb_is_dots(entry->name)
				  ? 0
				  : put_name(names, entry->name, strlen(entry->name));

		if (err < 0)
			return err;
		at += entry->reclen;
	}
	return 0;
}

static long give(struct names *names, long err, char **out)
{
	if (err < 0) {
		free(names->bytes);
		return err;
	}
	*out = names->bytes;
	return (long)names->used;
}

long sb_hosted_list(struct sb_hosted *h, const char *path, char **out)
{
	struct sb_at *at = &h->work.a;
	struct names names = {0};
	_Alignas(8) char buf[2048];
	long err = sb_hosted_look_up(h, path, SB_FOLLOW | SB_WANT_DIR, at);
	int fd;

	if (err < 0)
		return err;
	fd = (int)sys_openat(AT_FDCWD, at->host.buf,
			     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	while ((err = sb_dirlist_read(&h->fs, fd, at, buf, sizeof(buf))) > 0) {
		err = put_entries(&names, buf, err);
		if (err < 0)
			break;
	}
	sys_close(fd);
	return give(&names, err, out);
}

/* ---- the lower alone ------------------------------------------------------ */

int sb_hosted_lower_stat(struct sb_hosted *h, const char *path, struct sb_hosted_stat *out)
{
	struct sb_at *at = &h->work.a;
	struct statx sx;
	int err = sb_path_set(&at->guest, path, strlen(path));

	if (err < 0)
		return err;
	at->has_look = false;
	at->spot =
		(struct sb_spot){.place = SB_PLACE_LIVE, .node = SB_NO_NODE, .mount = SB_NO_MOUNT};
	if (h->tree.index != NULL) {
		at->spot.place = SB_PLACE_LOWER;
		at->spot.node = sb_index_find_path(&h->tree, path, at->guest.len);
		if (at->spot.node == SB_NO_NODE)
			return -ENOENT;
	}
	err = sb_spot_host(&h->fs, &at->spot, path, at->guest.len, &at->host);
	if (err == 0 && h->tree.index == NULL)
		err = sb_host_stat(at->host.buf, &sx);
	if (err == 0)
		err = sb_tree_stat(&h->fs, at);
	if (err == 0)
		put_at(at, out);
	return err == -ENOTDIR ? -ENOENT : err;
}

static long list_host(const char *path, char **out)
{
	struct names names = {0};
	_Alignas(8) char buf[2048];
	long err;
	int fd =
		(int)sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	while ((err = sys_getdents64(fd, buf, sizeof(buf))) > 0) {
		err = put_entries(&names, buf, err);
		if (err < 0)
			break;
	}
	sys_close(fd);
	return give(&names, err, out);
}

long sb_hosted_lower_list(struct sb_hosted *h, const char *path, char **out)
{
	struct names names = {0};
	const struct sb_node *dir;
	uint32_t node;
	int err = 0;

	if (h->tree.index == NULL)
		return list_host(path, out);
	node = sb_index_find_path(&h->tree, path, strlen(path));
	if (node == SB_NO_NODE)
		return -ENOENT;
	dir = &h->tree.nodes[node];
	if ((dir->mode & S_IFMT) != S_IFDIR)
		return -ENOTDIR;
	for (uint32_t i = 0; i < dir->child_count && err == 0; i++) {
		const struct sb_node *child = &h->tree.nodes[dir->child_first + i];

		err = put_name(&names, h->tree.strings + child->name_off, child->name_len);
	}
	return give(&names, err, out);
}

/* ---- extended attributes --------------------------------------------------- */

long sb_hosted_getxattr(struct sb_hosted *h, const char *path, const char *name, char *buf,
			uint64_t len)
{
	int err = sb_hosted_look_up(h, path, 0, &h->work.a);

	return err < 0 ? err : sb_change_getxattr(&h->fs, &h->work.a, name, buf, len);
}

long sb_hosted_listxattr(struct sb_hosted *h, const char *path, char *buf, uint64_t len)
{
	int err = sb_hosted_look_up(h, path, 0, &h->work.a);

	return err < 0 ? err : sb_change_listxattr(&h->fs, &h->work.a, buf, len);
}
