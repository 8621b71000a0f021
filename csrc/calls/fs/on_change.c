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
#include "guest/paths/near.h"
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

/* Leave near after a change, of which err is the result. */
static long leave(struct sb_call *call, const struct sb_near *near, int err)
{
	(void)sb_near_leave(call, near); /* nobody else could change what it is */
	return err;
}

/* Find call->path for a change of the name itself, where that costs the kernel one call. */
static bool find_near(struct sb_call *call, int dirfd, long len, struct sb_near *near)
{
	return sb_near_pin(call, dirfd, call->path, (uint32_t)len, near) && !near->is_remembered;
}

/* call->path, absolute where that needs no system call. */
static const char *whole(struct sb_call *call, int dirfd)
{
	return sb_guest_whole(call, dirfd, call->path, &call->work->a.guest);
}

/* The same for call->path2. */
static const char *whole_new(struct sb_call *call, int dirfd)
{
	return sb_guest_whole(call, dirfd, call->path2, &call->work->b.guest);
}

static long make_dir(struct sb_call *call, int dirfd, uint64_t path, uint64_t mode)
{
	const struct sb_quick_mark mark = sb_quick_mark(call->fs);
	struct sb_at *at = &call->work->a;
	struct sb_near near;
	long err = sb_guest_string(call->path, path, SB_PATH_MAX);

	if (err < 0)
		return err;
	if (find_near(call, dirfd, err, &near))
		err = leave(call, &near, sb_pure_mkdir(call->fs, &near.at, (uint32_t)mode));
	else
		err = -SB_ELOOK;
	if (err == 0 && dirfd == AT_FDCWD && !near.is_inside && near.at.pure == SB_PURE_UPPER)
		sb_quick_learn(call->fs, whole(call, dirfd), (uint32_t)mode, &mark);
	if (err == -SB_ELOOK && !sb_trace_is_on(call))
		err = sb_quick_mkdir(call->fs, whole(call, dirfd), (uint32_t)mode);
	if (err != -SB_ELOOK)
		return err;
	err = sb_guest_find(call, dirfd, call->path, NAME_FLAGS, at);
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
	struct sb_near near;
	long err;

	if (len <= 0)
		return len < 0 ? len : -ENOENT;
	err = sb_guest_string(call->path, path, SB_PATH_MAX);
	if (err < 0)
		return err;
	if (find_near(call, dirfd, err, &near))
		err = leave(call, &near, sb_pure_symlink(call->fs, &near.at, call->path2));
	else
		err = -SB_ELOOK;
	if (err == -SB_ELOOK && !sb_trace_is_on(call))
		err = sb_quick_symlink(call->fs, whole(call, dirfd), call->path2);
	if (err != -SB_ELOOK)
		return err;
	err = sb_guest_find(call, dirfd, call->path, NAME_FLAGS, at);
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

/* Change two names, call->path and path2, in pure directories. -SB_ELOOK: look the paths up. */
static long change_both(struct sb_call *call, int olddir, long old_len, int newdir, long new_len,
			bool links, unsigned flags)
{
	struct sb_near from;
	struct sb_near to;
	long err = -SB_ELOOK;

	if (!find_near(call, olddir, old_len, &from))
		return -SB_ELOOK;
	if (sb_near_pin(call, newdir, call->path2, (uint32_t)new_len, &to)) {
		if (!to.is_remembered)
			err = links ? sb_pure_link(call->fs, &from.at, &to.at)
				    : sb_pure_rename(call->fs, &from.at, &to.at, flags);
		(void)sb_near_leave(call, &to);
	}
	return leave(call, &from, (int)err);
}

static long link_near(struct sb_call *call, int olddir, uint64_t old, int newdir, uint64_t new)
{
	const long old_len = sb_guest_string(call->path, old, SB_PATH_MAX);
	const long new_len = sb_guest_string(call->path2, new, SB_PATH_MAX);
	long err;

	if (old_len < 0 || new_len < 0)
		return -SB_ELOOK;
	err = change_both(call, olddir, old_len, newdir, new_len, true, 0);
	if (err != -SB_ELOOK || sb_trace_is_on(call))
		return err;
	return sb_quick_link(call->fs, whole(call, olddir), whole_new(call, newdir));
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
	if (flags == 0) {
		const long ret = link_near(call, olddir, old, newdir, new);

		if (ret != -SB_ELOOK)
			return ret;
	}
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
	struct sb_near near;
	long err = -SB_ELOOK;

	if (len < 0)
		return len;
	if (find_near(call, dirfd, len, &near))
		err = leave(call, &near, sb_pure_unlink(call->fs, &near.at));
	if (err == -SB_ELOOK && !sb_trace_is_on(call))
		err = sb_quick_unlink(call->fs, whole(call, dirfd));
	if (err != -SB_ELOOK)
		return err;
	err = sb_guest_find(call, dirfd, call->path, SB_PARENT, at);
	return err < 0 ? err : sb_change_unlink(call->fs, at);
}

static long take_dir(struct sb_call *call, int dirfd, uint64_t path)
{
	struct sb_at *at = &call->work->a;
	struct sb_near near;
	long err = sb_guest_string(call->path, path, SB_PATH_MAX);

	if (err < 0)
		return err;
	if (find_near(call, dirfd, err, &near))
		err = leave(call, &near, sb_pure_rmdir(call->fs, &near.at));
	else
		err = -SB_ELOOK;
	if (err == -SB_ELOOK && !sb_trace_is_on(call))
		err = sb_quick_rmdir(call->fs, whole(call, dirfd));
	if (err != -SB_ELOOK)
		return err;
	err = sb_guest_find(call, dirfd, call->path, SB_PARENT, at);
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
	long err;
	long old_len;
	long new_len;

	if (flags != 0 && flags != RENAME_NOREPLACE && flags != RENAME_EXCHANGE)
		return -EINVAL; /* before any path is read */
	old_len = sb_guest_string(call->path, old, SB_PATH_MAX);
	if (old_len < 0)
		return old_len;
	new_len = sb_guest_string(call->path2, new, SB_PATH_MAX);
	if (new_len < 0)
		return new_len;
	err = change_both(call, olddir, old_len, newdir, new_len, false, flags);
	if (err == -SB_ELOOK && !sb_trace_is_on(call))
		err = sb_quick_rename(call->fs, whole(call, olddir), whole_new(call, newdir),
				      flags);
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
