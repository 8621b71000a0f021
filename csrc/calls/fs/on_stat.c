/* SPDX-License-Identifier: MIT */
/*
 * on_stat.c - stat, access and readlink; statx is in on_statx.c.
 *
 * How it works
 *   Look the path up, get what the guest shall see from view.h, and write it in the layout of the
 *   call. fstat, also in its newfstatat spelling, goes by the descriptor's inode and needs no path.
 *   An entry of a pure directory is the kernel's to find (near.h).
 * Does not know
 *   Where an entry comes from.
 */
#include "calls/fs/on_stat.h"

#include <errno.h>
#include <linux/stat.h>

#include "base/mem.h"
#include "guest/handlers.h"
#include "guest/paths/call_file.h"
#include "guest/paths/lookup.h"
#include "guest/paths/magic_link.h"
#include "guest/paths/near.h"
#include "guest/trace.h"
#include "tree/descriptors.h"
#include "tree/file_acl.h"
#include "view/view.h"

#define RECORDS_TOGETHER 8 /* sb_proc.met_record */
#define ACCESS_FLAGS (AT_SYMLINK_NOFOLLOW | AT_EACCESS | AT_EMPTY_PATH)

static int fd_of(uint64_t arg)
{
	return (int)(uint32_t)arg;
}

/* ---- stat ---------------------------------------------------------------- */

static long write_stat(uint64_t addr, const struct sb_stat *st)
{
	struct stat out;

	memset(&out, 0, sizeof(out));
	out.st_dev = st->dev;
	out.st_ino = st->ino;
	out.st_nlink = st->nlink;
	out.st_mode = st->mode;
	out.st_uid = st->uid;
	out.st_gid = st->gid;
	out.st_rdev = st->rdev;
	out.st_size = (int64_t)st->size;
	out.st_blksize = st->blksize;
	out.st_blocks = (int64_t)st->blocks;
	out.st_atim.tv_sec = st->atime.sec;
	out.st_atim.tv_nsec = st->atime.nsec;
	out.st_mtim.tv_sec = st->mtime.sec;
	out.st_mtim.tv_nsec = st->mtime.nsec;
	out.st_ctim.tv_sec = st->ctime.sec;
	out.st_ctim.tv_nsec = st->ctime.nsec;
	return sb_guest_write(addr, &out, sizeof(out));
}

long sb_stat_find(struct sb_call *call, int dirfd, unsigned flags, struct sb_at *at)
{
	long err = sb_guest_find(call, dirfd, call->path, flags | SB_WANT_STAT, at);

	if (err == 0 && !at->has_stat)
		err = sb_tree_stat(call->fs, at);
	return err;
}

int sb_stat_asks_descriptor(uint64_t path, unsigned at_flags)
{
	if ((at_flags & AT_EMPTY_PATH) == 0)
		return 0;
	return path == 0 ? 1 : sb_call_file_is_empty(path);
}

bool sb_stat_nearby(struct sb_call *call, int dirfd, unsigned flags, struct sb_stat *st)
{
	struct sb_spot spot = {.place = SB_PLACE_LOWER, .mount = SB_NO_MOUNT};
	const struct sb_tree *tree = call->fs->tree;

	if (dirfd < 0 || sb_trace_is_on(call))
		return false;
	spot.node = sb_tree_child_of_fd(call->fs, dirfd, call->path);
	if (spot.node == SB_NO_NODE ||
	    ((flags & SB_FOLLOW) != 0 && (tree->nodes[spot.node].mode & S_IFMT) == S_IFLNK))
		return false;
	return sb_spot_stat(call->fs, &spot, NULL, NULL, st) == 0;
}

/* Answer for call->path. */
static long stat_path(struct sb_call *call, int dirfd, unsigned flags, struct sb_stat *st)
{
	struct sb_at *at = &call->work->a;
	long err;

	if (sb_stat_nearby(call, dirfd, flags, st))
		return 0;
	err = sb_stat_find(call, dirfd, flags, at);
	if (err == 0)
		*st = at->st;
	return err;
}

unsigned sb_stat_follow(unsigned at_flags)
{
	return (at_flags & AT_SYMLINK_NOFOLLOW) != 0 ? 0 : SB_FOLLOW;
}

static long do_fstat(struct sb_call *call, int fd, uint64_t out)
{
	struct sb_stat st;
	struct stat plain;
	/* The next file with a record is asked for once. */
	const bool may_have_record =
		call->proc->met_record != 0 && sb_fds_home(call->fs, fd) == SB_PURE_UPPER;
	long err = may_have_record ? 0 : sb_tree_fstat_plain(call->fs, fd, &plain);

	if (may_have_record)
		call->proc->met_record--;
	else if (err == 0 && sb_fds_home(call->fs, fd) == SB_PURE_UPPER)
		call->proc->met_record = RECORDS_TOGETHER;
	if (err == 1)
		return sb_guest_write(out, &plain, sizeof(plain));
	if (err == 0)
		err = sb_tree_fstat(call->fs, fd, &st, NULL);
	return err < 0 ? err : write_stat(out, &st);
}

/* Answer for an entry of a pure directory. -SB_ELOOK: look the path up. */
static long stat_plainly(struct sb_call *call, int dirfd, uint32_t len, unsigned flags,
			 uint64_t out)
{
	struct sb_near near;
	struct sb_stat whole;
	struct stat st;
	bool has_record;
	long err = -SB_ERECORD;

	if (!sb_near_enter(call, dirfd, call->path, len, &near))
		return -SB_ELOOK;
	if (call->proc->met_record == 0)
		err = sb_pure_stat(call->fs, &near.at, flags, &st);
	else
		call->proc->met_record--;
	has_record = err == -SB_ERECORD;
	if (has_record && call->proc->met_record == 0)
		call->proc->met_record = RECORDS_TOGETHER;
	if (has_record)
		err = sb_pure_statx(call->fs, &near.at, flags, &whole);
	if (!sb_near_leave(call, &near))
		return -SB_ELOOK;
	if (err < 0)
		return err;
	return has_record ? write_stat(out, &whole) : sb_guest_write(out, &st, sizeof(st));
}

static long do_stat(struct sb_call *call, int dirfd, uint64_t path, unsigned at_flags, uint64_t out)
{
	const unsigned flags = sb_stat_follow(at_flags);
	struct sb_stat st;
	long err = sb_stat_asks_descriptor(path, at_flags);
	long len;

	if (err < 0)
		return err;
	if (err == 1 && dirfd >= 0)
		return do_fstat(call, dirfd, out);
	if (err == 1) {
		err = sb_tree_fstat(call->fs, dirfd, &st, NULL);
		return err < 0 ? err : write_stat(out, &st);
	}
	len = sb_guest_string(call->path, path, SB_PATH_MAX);
	if (len < 0)
		return len;
	err = stat_plainly(call, dirfd, (uint32_t)len, flags, out);
	if (err != -SB_ELOOK)
		return err;
	err = stat_path(call, dirfd, flags, &st);
	return err < 0 ? err : write_stat(out, &st);
}

long on_stat(struct sb_call *call)
{
	return do_stat(call, AT_FDCWD, sb_arg(call, 0), 0, sb_arg(call, 1));
}

long on_lstat(struct sb_call *call)
{
	return do_stat(call, AT_FDCWD, sb_arg(call, 0), AT_SYMLINK_NOFOLLOW, sb_arg(call, 1));
}

long on_fstat(struct sb_call *call)
{
	int fd = fd_of(sb_arg(call, 0));

	return fd < 0 ? -EBADF : do_fstat(call, fd, sb_arg(call, 1));
}

long on_newfstatat(struct sb_call *call)
{
	unsigned flags = (unsigned)sb_arg(call, 3);

	if ((flags & ~(unsigned)SB_STAT_FLAGS) != 0)
		return -EINVAL;
	return do_stat(call, fd_of(sb_arg(call, 0)), sb_arg(call, 1), flags, sb_arg(call, 2));
}

/* ---- access -------------------------------------------------------------- */

/* Check access(2) for a descriptor's file. */
static long access_fd(struct sb_call *call, int fd, unsigned want)
{
	struct sb_stat st;
	long err = sb_tree_fstat(call->fs, fd, &st, NULL);

	if (err < 0)
		return err;
	return sb_file_acl_permit(call->fs, &st, want);
}

/* Check access to an entry of a pure directory. -SB_ELOOK: look the path up. */
static long access_pure(struct sb_call *call, int dirfd, uint32_t len, unsigned want,
			unsigned follow)
{
	struct sb_near near;
	struct sb_stat st;
	long err;

	if (!sb_near_enter(call, dirfd, call->path, len, &near))
		return -SB_ELOOK;
	err = sb_pure_statx(call->fs, &near.at, follow, &st);
	if (err == 0 && (want & 2) != 0 && !sb_pure_may_write(call->fs, near.at.pure))
		err = -SB_ELOOK; /* read-only, for some types of files */
	if (err == 0 && want != 0)
		err = sb_file_acl_permit(call->fs, &st, want);
	if (err == 0 && want != 0 && near.at.pure != SB_PURE_UPPER &&
	    (st.mode & S_IFMT) != S_IFLNK && sb_host_permit(near.at.dirfd, near.at.name, want) < 0)
		err = -SB_ELOOK; /* the look-up knows what root overrides */
	return sb_near_leave(call, &near) ? err : -SB_ELOOK;
}

static long do_access(struct sb_call *call, int dirfd, uint64_t path, unsigned want, unsigned flags)
{
	struct sb_at *at = &call->work->a;
	unsigned follow;
	long err;

	if ((want & ~7U) != 0 || (flags & ~(unsigned)ACCESS_FLAGS) != 0)
		return -EINVAL;
	call->fs->real_ids = (flags & AT_EACCESS) == 0;
	err = sb_stat_asks_descriptor(path, flags);
	if (err < 0)
		return err;
	if (err == 1)
		return access_fd(call, dirfd, want);
	err = sb_guest_string(call->path, path, SB_PATH_MAX);
	if (err < 0)
		return err;
	follow = sb_stat_follow(flags);
	err = access_pure(call, dirfd, (uint32_t)err, want, follow);
	if (err != -SB_ELOOK)
		return err;
	err = sb_guest_find(call, dirfd, call->path, follow, at);
	if (err < 0 || want == 0)
		return err;
	return sb_tree_permit(call->fs, at, want);
}

long on_access(struct sb_call *call)
{
	return do_access(call, AT_FDCWD, sb_arg(call, 0), (unsigned)sb_arg(call, 1), 0);
}

long on_faccessat(struct sb_call *call)
{
	return do_access(call, fd_of(sb_arg(call, 0)), sb_arg(call, 1), (unsigned)sb_arg(call, 2),
			 0);
}

long on_faccessat2(struct sb_call *call)
{
	return do_access(call, fd_of(sb_arg(call, 0)), sb_arg(call, 1), (unsigned)sb_arg(call, 2),
			 (unsigned)sb_arg(call, 3));
}

/* ---- readlink ------------------------------------------------------------- */

/* Read the symlink of a descriptor (O_PATH | O_NOFOLLOW); its text is the guest's. */
static long readlink_fd(struct sb_call *call, int fd, size_t len)
{
	long count = fd < 0 ? -EBADF : sys_readlinkat(fd, "", call->path2, len);

	return count == -EINVAL ? -ENOENT : count;
}

static long readlink_path(struct sb_call *call, int dirfd, uint64_t path, size_t len)
{
	struct sb_at *at = &call->work->a;
	struct sb_near near;
	long ret = sb_guest_string(call->path, path, SB_PATH_MAX);

	if (ret < 0)
		return ret;
	if (sb_near_enter(call, dirfd, call->path, (uint32_t)ret, &near)) {
		ret = sb_pure_readlink(call->fs, &near.at, call->path2, len);
		if (sb_near_leave(call, &near) && ret != -SB_ELOOK)
			return ret;
	}
	ret = sb_guest_find(call, dirfd, call->path, 0, at);
	if (ret < 0)
		return ret;
	if (at->spot.type != S_IFLNK)
		return -EINVAL;
	ret = sb_magic_link_read(call, at, call->path2, len);
	if (ret == -SB_EMAGIC)
		ret = sb_tree_readlink(call->fs, at, call->path2, len);
	return ret;
}

static long do_readlink(struct sb_call *call, int dirfd, uint64_t path, uint64_t out, int size)
{
	char first;
	size_t len;
	long ret;

	if (size <= 0)
		return -EINVAL;
	len = SB_MIN((size_t)size, (size_t)SB_PATH_MAX);
	ret = sb_guest_read(&first, path, 1);
	if (ret < 0)
		return ret;
	if (first == '\0' && dirfd != AT_FDCWD)
		ret = readlink_fd(call, dirfd, len);
	else
		ret = readlink_path(call, dirfd, path, len);
	if (ret > 0) {
		int err = sb_guest_write(out, call->path2, (size_t)ret);

		if (err < 0)
			return err;
	}
	return ret;
}

long on_readlink(struct sb_call *call)
{
	return do_readlink(call, AT_FDCWD, sb_arg(call, 0), sb_arg(call, 1), (int)sb_arg(call, 2));
}

long on_readlinkat(struct sb_call *call)
{
	return do_readlink(call, fd_of(sb_arg(call, 0)), sb_arg(call, 1), sb_arg(call, 2),
			   (int)sb_arg(call, 3));
}
