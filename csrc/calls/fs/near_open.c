/* SPDX-License-Identifier: MIT */
/*
 * near_open.c - open what is in a pure directory without a look-up.
 *
 * How it works
 *   Root may open any file of the upper, and the host file lets it. So the kernel's open is the
 *   first step, and a look at the descriptor follows where the name may be more than a file: an
 *   empty file with a record may stand for a device, and a new terminal gets an owner.
 * Rules
 *   Every error but ENOENT is left to the look-up, which knows the guest's.
 */
#include "calls/fs/near_open.h"

#include <errno.h>

#include "calls/fs/host_open.h"
#include "change/change.h"
#include "guest/paths/near.h"
#include "guest/programs.h"
#include "guest/thread.h"
#include "tree/descriptors.h"
#include "tree/owner.h"

#define TMPFILE_BIT (O_TMPFILE & ~O_DIRECTORY)

static bool has_all(const struct sb_ids *ids, uint64_t caps)
{
	return (ids->cap_effective & caps) == caps;
}

static bool is_plain(const struct sb_call *call, int flags)
{
	const uint64_t caps = 1ULL << SB_CAP_DAC_OVERRIDE | 1ULL << SB_CAP_FSETID;

	return (flags & (TMPFILE_BIT | O_NOATIME)) == 0 &&
	       (flags & (O_PATH | O_DIRECTORY)) != O_PATH && has_all(call->ids, caps) &&
	       !sb_thread_insists(call->thread);
}

/* Is the open file what the guest asked for? Else the look-up opens something else. */
static bool is_itself(const struct sb_call *call, int fd, uint32_t pure)
{
	const struct sb_tree *tree = call->fs->tree;
	struct stat st;

	if (pure == SB_PURE_UPPER && !sb_owner_any_has(tree, SB_OWNER_TRAIT_DEVICE))
		return true;
	if (sys_fstat(fd, &st) < 0 || sb_open_is_device(st.st_mode & S_IFMT))
		return false;
	return (st.st_mode & S_IFMT) != S_IFREG || st.st_size != 0 ||
	       !sb_owner_maybe(tree, sb_owner_volume(tree, st.st_dev), st.st_ino);
}

/* May the kernel make the file? Not where another thread can make it another directory, nor where
 * the directory that would hold it cannot be asked for a record. */
static bool may_make(struct sb_call *call, const struct sb_near *near, uint32_t mode,
		     uint32_t *host_mode)
{
	return !near->is_remembered && !sb_near_is_shared(call, near) &&
	       (near->resolve == 0 || !sb_owner_any_has(call->fs->tree, SB_OWNER_TRAIT_RIGHTS)) &&
	       sb_pure_may_create(call->fs, &near->at, mode, host_mode);
}

/* Prepare an open with O_CREAT. Where the kernel may not make the file, only one that exists is
 * opened. O_CREAT is refused for a directory, which the kernel opens when it is asked to read. */
static bool settle_create(struct sb_call *call, const struct sb_near *near, bool makes, int *flags,
			  uint32_t *mode)
{
	const uint32_t asked = *mode;

	*mode = 0;
	if ((*flags & O_CREAT) == 0)
		return true;
	if (makes)
		return may_make(call, near, asked, mode);
	if ((*flags & O_EXCL) != 0 || (*flags & O_ACCMODE) == O_RDONLY)
		return false;
	*flags &= ~O_CREAT;
	return true;
}

static bool writes(int flags)
{
	return (flags & O_ACCMODE) != O_RDONLY || (flags & (O_TRUNC | O_CREAT)) != 0;
}

/* May the file be written as it is? The look-up refuses a program that runs, and takes the rights
 * of a file with a record away. */
static bool is_free(struct sb_call *call, int fd)
{
	const struct sb_tree *tree = call->fs->tree;
	struct stat st;

	if (sb_owner_any_has(tree, SB_OWNER_TRAIT_RIGHTS) &&
	    (sys_fstat(fd, &st) < 0 ||
	     sb_owner_maybe(tree, sb_owner_volume(tree, st.st_dev), st.st_ino)))
		return false;
	return !sb_program_may_run(tree) || sb_program_check_opened(call, fd) == 0;
}

/* What was opened is known to be the file: do what would have harmed another one. */
static bool finish(struct sb_call *call, int fd, int flags, int late, uint32_t pure)
{
	return ((flags & O_DIRECTORY) != 0 || is_itself(call, fd, pure)) &&
	       (!writes(flags) || is_free(call, fd)) && (late == 0 || sys_ftruncate(fd, 0) == 0);
}

long sb_near_open(struct sb_call *call, int dirfd, uint32_t len, bool makes, int flags,
		  uint32_t mode)
{
	const uint32_t writings = sb_owner_writings(call->fs->tree);
	const uint64_t closes = sb_fds_count(call->fs);
	const bool creates = (flags & O_CREAT) != 0;
	const bool is_new = creates && (flags & O_EXCL) != 0;
	struct sb_near near;
	bool holds;
	int late;
	long fd;

	if (!is_plain(call, flags) || !sb_near_find(call, dirfd, call->path, len, &near) ||
	    (writes(flags) && !sb_pure_may_write(call->fs, near.at.pure)) ||
	    !settle_create(call, &near, makes, &flags, &mode))
		return -SB_ELOOK;
	late = sb_near_is_shared(call, &near) || sb_program_may_run(call->fs->tree)
		       ? flags & O_TRUNC
		       : 0;
	fd = sb_open_resolving(call, &near.at, flags & ~late, mode, near.resolve);
	if (fd == -EINTR || fd == SB_RESTART)
		return fd;
	holds = sb_near_leave(call, &near);
	if (fd == -ENOENT && holds && !creates)
		return -ENOENT;
	if (fd < 0)
		return -SB_ELOOK;
	if (!holds || (!is_new && !finish(call, (int)fd, flags, late, near.at.pure))) {
		sys_close((int)fd);
		return -SB_ELOOK;
	}
	if ((flags & O_DIRECTORY) != 0)
		sb_fds_opened_pure(call->fs, (int)fd, closes, near.at.pure, near.resolve == 0,
				   near.moved);
	else if (is_new && near.at.pure == SB_PURE_UPPER)
		sb_fds_opened_new(call->fs, (int)fd, closes, writings);
	else if ((flags & O_PATH) == 0)
		sb_fds_opened_in(call->fs, (int)fd, closes, near.at.pure);
	return fd;
}
