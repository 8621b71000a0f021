/* SPDX-License-Identifier: MIT */
/*
 * on_change.c - calls that make, link, rename and remove names, and truncate.
 *
 * Each looks up its paths and calls change.h. A call without "at" is the one with AT_FDCWD.
 */
#include <errno.h>
#include <linux/fs.h>

#include "base/mem.h"
#include "change/change.h"
#include "guest/handlers.h"
#include "guest/paths/call_file.h"
#include "guest/paths/lookup.h"
#include "guest/programs.h"
#include "guest/trace.h"

#define NAME_FLAGS (SB_PARENT | SB_MAY_BE_ABSENT)

static int dirfd_of(uint64_t reg)
{
	return (int)(uint32_t)reg;
}

/* Classify the last component of a path: 'n' a name, '1' ".", '2' "..", '/' none. */
static char last_component(const char *path)
{
	size_t len = strlen(path);
	size_t from;

	while (len > 0 && path[len - 1] == '/')
		len--;
	if (len == 0)
		return '/';
	from = len;
	while (from > 0 && path[from - 1] != '/')
		from--;
	if (path[from] != '.' || len - from > 2)
		return 'n';
	if (len - from == 1)
		return '1';
	return path[from + 1] == '.' ? '2' : 'n';
}

/* ---- making names --------------------------------------------------------- */

static long make_dir(struct sb_call *call, int dirfd, uint64_t path, uint64_t mode)
{
	struct sb_at *at = &call->work->a;
	int err = sb_guest_lookup(call, dirfd, path, NAME_FLAGS, at);

	return err < 0 ? err : sb_change_mkdir(call->fs, at, (uint32_t)mode);
}

long on_mkdir(struct sb_call *call)
{
	return make_dir(call, AT_FDCWD, sb_arg(call, 0), sb_arg(call, 1));
}

long on_mkdirat(struct sb_call *call)
{
	return make_dir(call, dirfd_of(sb_arg(call, 0)), sb_arg(call, 1), sb_arg(call, 2));
}

static int check_node_type(uint64_t mode)
{
	switch (mode & S_IFMT) {
	case 0:
	case S_IFREG:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		return 0;
	case S_IFDIR:
		return -EPERM;
	default:
		return -EINVAL;
	}
}

static long make_node(struct sb_call *call, int dirfd, uint64_t path, uint64_t mode, uint64_t dev)
{
	struct sb_at *at = &call->work->a;
	int err = check_node_type(mode);

	if (err == 0)
		err = sb_guest_lookup(call, dirfd, path, NAME_FLAGS, at);
	return err < 0 ? err
		       : sb_change_mknod(call->fs, at, (uint32_t)mode & 0xffff, (uint32_t)dev);
}

long on_mknod(struct sb_call *call)
{
	return make_node(call, AT_FDCWD, sb_arg(call, 0), sb_arg(call, 1), sb_arg(call, 2));
}

long on_mknodat(struct sb_call *call)
{
	return make_node(call, dirfd_of(sb_arg(call, 0)), sb_arg(call, 1), sb_arg(call, 2),
			 sb_arg(call, 3));
}

static long make_symlink(struct sb_call *call, uint64_t target, int dirfd, uint64_t path)
{
	struct sb_at *at = &call->work->a;
	long len = sb_guest_string(call->path2, target, SB_PATH_MAX);
	int err;

	if (len <= 0)
		return len < 0 ? len : -ENOENT;
	err = sb_guest_lookup(call, dirfd, path, NAME_FLAGS, at);
	return err < 0 ? err : sb_change_symlink(call->fs, at, call->path2);
}

long on_symlink(struct sb_call *call)
{
	return make_symlink(call, sb_arg(call, 0), AT_FDCWD, sb_arg(call, 1));
}

long on_symlinkat(struct sb_call *call)
{
	return make_symlink(call, sb_arg(call, 0), dirfd_of(sb_arg(call, 1)), sb_arg(call, 2));
}

static long make_link(struct sb_call *call, int olddir, uint64_t old, int newdir, uint64_t new,
		      int flags)
{
	struct sb_at *from = &call->work->a;
	struct sb_at *to = &call->work->b;
	int how = flags & AT_EMPTY_PATH;
	int found;
	int fd;
	int err;

	if ((flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) != 0)
		return -EINVAL;
	if ((flags & AT_SYMLINK_FOLLOW) == 0)
		how |= AT_SYMLINK_NOFOLLOW;
	found = sb_call_file_find(call, olddir, old, how, from, &fd);
	if (found < 0)
		return found;
	err = sb_guest_lookup(call, newdir, new, NAME_FLAGS, to);
	if (err < 0)
		return err;
	return found == SB_FILE_BY_FD ? sb_change_link_fd(call->fs, fd, to)
				      : sb_change_link(call->fs, from, to);
}

long on_link(struct sb_call *call)
{
	return make_link(call, AT_FDCWD, sb_arg(call, 0), AT_FDCWD, sb_arg(call, 1), 0);
}

long on_linkat(struct sb_call *call)
{
	return make_link(call, dirfd_of(sb_arg(call, 0)), sb_arg(call, 1),
			 dirfd_of(sb_arg(call, 2)), sb_arg(call, 3), (int)sb_arg(call, 4));
}

/* ---- removing names ----------------------------------------------------------- */

static long take_file(struct sb_call *call, int dirfd, uint64_t path)
{
	struct sb_at *at = &call->work->a;
	long len = sb_guest_string(call->path, path, SB_PATH_MAX);
	int err = -SB_ELOOK;

	if (len < 0)
		return len;
	if (!sb_trace_is_on(call))
		err = sb_quick_unlink(
			call->fs, sb_guest_whole(call, dirfd, call->path, &call->work->a.guest));
	if (err != -SB_ELOOK)
		return err;
	err = sb_guest_find(call, dirfd, call->path, SB_PARENT, at);
	return err < 0 ? err : sb_change_unlink(call->fs, at);
}

static long take_dir(struct sb_call *call, int dirfd, uint64_t path)
{
	struct sb_at *at = &call->work->a;
	int err = sb_guest_lookup(call, dirfd, path, SB_PARENT, at);

	if (err < 0)
		return err;
	switch (last_component(call->path)) {
	case '1':
		return -EINVAL;
	case '2':
		return -ENOTEMPTY;
	case '/':
		return -EBUSY;
	default:
		return sb_change_rmdir(call->fs, at);
	}
}

long on_unlink(struct sb_call *call)
{
	return take_file(call, AT_FDCWD, sb_arg(call, 0));
}

long on_rmdir(struct sb_call *call)
{
	return take_dir(call, AT_FDCWD, sb_arg(call, 0));
}

long on_unlinkat(struct sb_call *call)
{
	int flags = (int)sb_arg(call, 2);

	if ((flags & ~AT_REMOVEDIR) != 0)
		return -EINVAL;
	if (flags != 0)
		return take_dir(call, dirfd_of(sb_arg(call, 0)), sb_arg(call, 1));
	return take_file(call, dirfd_of(sb_arg(call, 0)), sb_arg(call, 1));
}

/* ---- renaming ----------------------------------------------------------------- */

static long move(struct sb_call *call, int olddir, uint64_t old, int newdir, uint64_t new,
		 unsigned flags)
{
	struct sb_at *from = &call->work->a;
	struct sb_at *to = &call->work->b;
	int err = -SB_ELOOK;
	long len;

	if (flags != 0 && flags != RENAME_NOREPLACE && flags != RENAME_EXCHANGE)
		return -EINVAL; /* before any path is read */
	len = sb_guest_string(call->path, old, SB_PATH_MAX);
	if (len >= 0)
		len = sb_guest_string(call->path2, new, SB_PATH_MAX);
	if (len < 0)
		return len;
	if (!sb_trace_is_on(call))
		err = sb_quick_rename(
			call->fs, sb_guest_whole(call, olddir, call->path, &call->work->a.guest),
			sb_guest_whole(call, newdir, call->path2, &call->work->b.guest), flags);
	if (err != -SB_ELOOK)
		return err;
	err = sb_guest_find(call, olddir, call->path, NAME_FLAGS, from);
	if (err < 0)
		return err;
	if (last_component(call->path) != 'n')
		from->dots = true;
	err = sb_guest_find(call, newdir, call->path2, NAME_FLAGS, to);
	if (err < 0)
		return err;
	return sb_change_rename(call->fs, from, to, flags);
}

long on_rename(struct sb_call *call)
{
	return move(call, AT_FDCWD, sb_arg(call, 0), AT_FDCWD, sb_arg(call, 1), 0);
}

long on_renameat(struct sb_call *call)
{
	return move(call, dirfd_of(sb_arg(call, 0)), sb_arg(call, 1), dirfd_of(sb_arg(call, 2)),
		    sb_arg(call, 3), 0);
}

long on_renameat2(struct sb_call *call)
{
	return move(call, dirfd_of(sb_arg(call, 0)), sb_arg(call, 1), dirfd_of(sb_arg(call, 2)),
		    sb_arg(call, 3), (unsigned)sb_arg(call, 4));
}

/* ---- length ------------------------------------------------------------------- */

long on_truncate(struct sb_call *call)
{
	struct sb_at *at = &call->work->a;
	int64_t len = (int64_t)sb_arg(call, 1);
	int fd;
	int found;
	int err;

	if (len < 0)
		return -EINVAL;
	found = sb_call_file_find(call, AT_FDCWD, sb_arg(call, 0), 0, at, &fd);
	if (found < 0)
		return found;
	if (found == SB_FILE_BY_FD)
		return sys_ftruncate(fd, len);
	err = at->spot.type == S_IFREG ? sb_tree_permit_ids(call->fs, at, 2) : 0;
	if (err == 0)
		err = sb_program_check(call, at);
	return err < 0 ? err : sb_change_truncate(call->fs, at, len);
}
