/* SPDX-License-Identifier: MIT */
/*
 * on_meta.c - chmod, chown and utime in all their forms.
 *
 * The forms differ in how they name the file and give the times. call_file.h finds the file,
 * change.h changes it.
 */
#include <errno.h>

#include "change/change.h"
#include "guest/handlers.h"
#include "guest/paths/call_file.h"
#include "guest/paths/near.h"

#define PATH_FLAGS (AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)

static int fd_of(uint64_t reg)
{
	return (int)(uint32_t)reg;
}

/* Find the file of a path in a pure directory, in call->path. */
static bool find_near(struct sb_call *call, int dirfd, uint64_t path, struct sb_near *near)
{
	const long len = sb_guest_string(call->path, path, SB_PATH_MAX);

	return len > 0 && sb_near_pin(call, dirfd, call->path, (uint32_t)len, near);
}

static unsigned follow_of(int flags)
{
	return (flags & AT_SYMLINK_NOFOLLOW) != 0 ? 0 : SB_FOLLOW;
}

/* ---- mode ------------------------------------------------------------------- */

static long change_mode(struct sb_call *call, int dirfd, uint64_t path, uint64_t mode, int flags)
{
	struct sb_at *at = &call->work->a;
	struct sb_near near;
	int fd;
	int found;

	if ((flags & ~PATH_FLAGS) != 0)
		return -EINVAL;
	if (find_near(call, dirfd, path, &near)) {
		found = sb_pure_chmod(call->fs, &near.at, follow_of(flags), (uint32_t)mode);
		(void)sb_near_leave(call, &near);
		if (found != -SB_ELOOK)
			return found;
	}
	found = sb_call_file_find(call, dirfd, path, flags, at, &fd);
	if (found < 0)
		return found;
	return found == SB_FILE_BY_FD ? sb_change_fchmod(call->fs, fd, (uint32_t)mode)
				      : sb_change_chmod(call->fs, at, (uint32_t)mode);
}

long on_chmod(struct sb_call *call)
{
	return change_mode(call, AT_FDCWD, sb_arg(call, 0), sb_arg(call, 1), 0);
}

long on_fchmodat(struct sb_call *call)
{
	return change_mode(call, fd_of(sb_arg(call, 0)), sb_arg(call, 1), sb_arg(call, 2), 0);
}

long on_fchmodat2(struct sb_call *call)
{
	return change_mode(call, fd_of(sb_arg(call, 0)), sb_arg(call, 1), sb_arg(call, 2),
			   (int)sb_arg(call, 3));
}

long on_fchmod(struct sb_call *call)
{
	struct sb_at *at = &call->work->a;
	int fd = fd_of(sb_arg(call, 0));
	uint32_t mode = (uint32_t)sb_arg(call, 1);
	int found = sb_call_file_of_open_fd(call, fd, at);

	if (found < 0)
		return found;
	return found == SB_FILE_BY_FD ? sb_change_fchmod(call->fs, fd, mode)
				      : sb_change_chmod(call->fs, at, mode);
}

/* ---- owner ------------------------------------------------------------------ */

static long change_owner(struct sb_call *call, int dirfd, uint64_t path, uint64_t uid, uint64_t gid,
			 int flags)
{
	struct sb_at *at = &call->work->a;
	struct sb_near near;
	int fd;
	int found;

	if ((flags & ~PATH_FLAGS) != 0)
		return -EINVAL;
	if (find_near(call, dirfd, path, &near)) {
		found = sb_pure_chown(call->fs, &near.at, follow_of(flags), (uint32_t)uid,
				      (uint32_t)gid);
		(void)sb_near_leave(call, &near);
		if (found != -SB_ELOOK)
			return found;
	}
	found = sb_call_file_find(call, dirfd, path, flags, at, &fd);
	if (found < 0)
		return found;
	return found == SB_FILE_BY_FD ? sb_change_fchown(call->fs, fd, (uint32_t)uid, (uint32_t)gid)
				      : sb_change_chown(call->fs, at, (uint32_t)uid, (uint32_t)gid);
}

long on_chown(struct sb_call *call)
{
	return change_owner(call, AT_FDCWD, sb_arg(call, 0), sb_arg(call, 1), sb_arg(call, 2), 0);
}

long on_lchown(struct sb_call *call)
{
	return change_owner(call, AT_FDCWD, sb_arg(call, 0), sb_arg(call, 1), sb_arg(call, 2),
			    AT_SYMLINK_NOFOLLOW);
}

long on_fchownat(struct sb_call *call)
{
	return change_owner(call, fd_of(sb_arg(call, 0)), sb_arg(call, 1), sb_arg(call, 2),
			    sb_arg(call, 3), (int)sb_arg(call, 4));
}

long on_fchown(struct sb_call *call)
{
	struct sb_at *at = &call->work->a;
	int fd = fd_of(sb_arg(call, 0));
	int found = sb_call_file_of_open_fd(call, fd, at);

	if (found < 0)
		return found;
	return found == SB_FILE_BY_FD ? sb_change_fchown(call->fs, fd, (uint32_t)sb_arg(call, 1),
							 (uint32_t)sb_arg(call, 2))
				      : sb_change_chown(call->fs, at, (uint32_t)sb_arg(call, 1),
							(uint32_t)sb_arg(call, 2));
}

/* ---- times ------------------------------------------------------------------- */

struct timeval {
	int64_t sec;
	int64_t usec;
};

/* Read two struct timeval at addr. */
static int read_timevals(uint64_t addr, struct sb_timespec times[2])
{
	struct timeval from[2];
	int err = sb_guest_read(from, addr, sizeof(from));

	if (err < 0)
		return err;
	for (int i = 0; i < 2; i++) {
		if (from[i].usec < 0 || from[i].usec >= 1000000)
			return -EINVAL;
		times[i] = (struct sb_timespec){.sec = from[i].sec, .nsec = from[i].usec * 1000};
	}
	return 0;
}

/* Without a path the file is dirfd itself. */
static long change_times(struct sb_call *call, int dirfd, uint64_t path,
			 const struct sb_timespec *times, int flags)
{
	struct sb_at *at = &call->work->a;
	struct sb_near near;
	int fd = dirfd;
	int found;

	if ((flags & ~PATH_FLAGS) != 0)
		return -EINVAL;
	if (path == 0 && dirfd == AT_FDCWD)
		return -EFAULT;
	if (path == 0 && flags != 0)
		return -EINVAL;
	if (path != 0 && find_near(call, dirfd, path, &near)) {
		found = sb_pure_utimens(call->fs, &near.at, follow_of(flags), times);
		(void)sb_near_leave(call, &near);
		if (found != -SB_ELOOK)
			return found;
	}
	found = path == 0 ? sb_call_file_of_open_fd(call, fd, at)
			  : sb_call_file_find(call, dirfd, path, flags, at, &fd);
	if (found < 0)
		return found;
	return found == SB_FILE_BY_FD ? sb_change_futimens(call->fs, fd, times)
				      : sb_change_utimens(call->fs, at, times);
}

long on_utimensat(struct sb_call *call)
{
	struct sb_timespec times[2];
	int err = sb_arg(call, 2) == 0 ? 0 : sb_guest_read(times, sb_arg(call, 2), sizeof(times));

	if (err < 0)
		return err;
	if (sb_arg(call, 2) != 0 && times[0].nsec == UTIME_OMIT && times[1].nsec == UTIME_OMIT)
		return 0;
	return change_times(call, fd_of(sb_arg(call, 0)), sb_arg(call, 1),
			    sb_arg(call, 2) == 0 ? NULL : times, (int)sb_arg(call, 3));
}

long on_futimesat(struct sb_call *call)
{
	struct sb_timespec times[2];
	int err = sb_arg(call, 2) == 0 ? 0 : read_timevals(sb_arg(call, 2), times);

	return err < 0 ? err
		       : change_times(call, fd_of(sb_arg(call, 0)), sb_arg(call, 1),
				      sb_arg(call, 2) == 0 ? NULL : times, 0);
}

long on_utimes(struct sb_call *call)
{
	struct sb_timespec times[2];
	int err = sb_arg(call, 1) == 0 ? 0 : read_timevals(sb_arg(call, 1), times);

	return err < 0 ? err
		       : change_times(call, AT_FDCWD, sb_arg(call, 0),
				      sb_arg(call, 1) == 0 ? NULL : times, 0);
}

long on_utime(struct sb_call *call)
{
	struct sb_timespec times[2];
	int64_t seconds[2];
	int err;

	if (sb_arg(call, 1) == 0)
		return change_times(call, AT_FDCWD, sb_arg(call, 0), NULL, 0);
	err = sb_guest_read(seconds, sb_arg(call, 1), sizeof(seconds));
	if (err < 0)
		return err;
	times[0] = (struct sb_timespec){.sec = seconds[0]};
	times[1] = (struct sb_timespec){.sec = seconds[1]};
	return change_times(call, AT_FDCWD, sb_arg(call, 0), times, 0);
}
