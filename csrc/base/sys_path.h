/* SPDX-License-Identifier: MIT */
/*
 * sys_path.h - typed system calls that take a path of the host.
 *
 * How it works
 *   In the guest build each function is the raw call: what a path leads to there, the guest may
 *   open anyhow. The hosted build (sys_path.c) serves a user whose files the guest must not reach,
 *   while the guest exchanges directories of its upper for symlinks. So it opens the directory of
 *   an absolute path without following a link, and makes the call below that descriptor.
 * Rules
 *   Absolute paths have no symlink in their directories, and no "..". In the hosted build a
 *   symlink there is -ENOTDIR, the last component is never followed, and no open waits for the
 *   other end of a FIFO. A path that the user names goes to sys_open_named() instead, or to
 *   sys_statx() without AT_SYMLINK_NOFOLLOW.
 */
#ifndef SB_SYS_PATH_H
#define SB_SYS_PATH_H

#include <fcntl.h>
#include <linux/stat.h>

#include "base/syscall.h"

/* Open a path as the user means it, through symlinks. */
static inline long sys_open_named(const char *path, int flags, uint32_t mode)
{
	return sb_syscall6(__NR_openat, AT_FDCWD, SB_P(path), flags, mode, 0, 0);
}

#if __STDC_HOSTED__

long sys_openat(int dir, const char *path, int flags, uint32_t mode);
long sys_statx(int dir, const char *path, int flags, uint32_t mask, struct statx *out);
long sys_faccessat(int dir, const char *path, int mode);
long sys_faccessat2(int dir, const char *path, int mode, int flags);
long sys_readlinkat(int dir, const char *path, char *buf, size_t len);
long sys_mkdirat(int dir, const char *path, uint32_t mode);
long sys_mknodat(int dir, const char *path, uint32_t mode, uint64_t dev);
long sys_symlinkat(const char *target, int dir, const char *path);
long sys_linkat(int olddir, const char *old, int newdir, const char *new, int flags);
long sys_unlinkat(int dir, const char *path, int flags);
long sys_renameat2(int olddir, const char *old, int newdir, const char *new, uint32_t flags);
long sys_fchmodat(int dir, const char *path, uint32_t mode);
long sys_fchownat(int dir, const char *path, uint32_t uid, uint32_t gid, int flags);
long sys_utimensat(int dir, const char *path, const struct sb_timespec *times, int flags);
long sys_truncate(const char *path, int64_t len);
long sys_lgetxattr(const char *path, const char *name, void *buf, size_t len);
long sys_llistxattr(const char *path, char *buf, size_t len);
long sys_lsetxattr(const char *path, const char *name, const void *value, size_t len, int flags);
long sys_lremovexattr(const char *path, const char *name);

/* The following calls of this thread may open up what the user owns below these two directories:
 * a guest can take the user's own rights away from its files. A call gives the mode back. */
void sb_path_own(const char *upper, const char *work);
/* Open a directory below top to read it, or with O_PATH where it may not be read. No link is
 * followed, and ".." is refused. own: open up directories on the way. A path may be longer than
 * the kernel takes. */
long sb_path_open_folder(int top, const char *path, bool own);

#else

static inline long sys_openat(int dir, const char *path, int flags, uint32_t mode)
{
	return sb_syscall6(__NR_openat, dir, SB_P(path), flags, mode, 0, 0);
}
static inline long sys_statx(int dir, const char *path, int flags, uint32_t mask, struct statx *out)
{
	return sb_syscall6(__NR_statx, dir, SB_P(path), flags, mask, SB_P(out), 0);
}
static inline long sys_faccessat(int dir, const char *path, int mode)
{
	return sb_syscall6(__NR_faccessat, dir, SB_P(path), mode, 0, 0, 0);
}
static inline long sys_faccessat2(int dir, const char *path, int mode, int flags)
{
	return sb_syscall6(__NR_faccessat2, dir, SB_P(path), mode, flags, 0, 0);
}
static inline long sys_readlinkat(int dir, const char *path, char *buf, size_t len)
{
	return sb_syscall6(__NR_readlinkat, dir, SB_P(path), SB_P(buf), (long)len, 0, 0);
}
static inline long sys_mkdirat(int dir, const char *path, uint32_t mode)
{
	return sb_syscall6(__NR_mkdirat, dir, SB_P(path), mode, 0, 0, 0);
}
static inline long sys_mknodat(int dir, const char *path, uint32_t mode, uint64_t dev)
{
	return sb_syscall6(__NR_mknodat, dir, SB_P(path), mode, (long)dev, 0, 0);
}
static inline long sys_symlinkat(const char *target, int dir, const char *path)
{
	return sb_syscall6(__NR_symlinkat, SB_P(target), dir, SB_P(path), 0, 0, 0);
}
static inline long sys_linkat(int olddir, const char *old, int newdir, const char *new, int flags)
{
	return sb_syscall6(__NR_linkat, olddir, SB_P(old), newdir, SB_P(new), flags, 0);
}
static inline long sys_unlinkat(int dir, const char *path, int flags)
{
	return sb_syscall6(__NR_unlinkat, dir, SB_P(path), flags, 0, 0, 0);
}
static inline long sys_renameat2(int olddir, const char *old, int newdir, const char *new,
				 uint32_t flags)
{
	return sb_syscall6(__NR_renameat2, olddir, SB_P(old), newdir, SB_P(new), flags, 0);
}
static inline long sys_fchmodat(int dir, const char *path, uint32_t mode)
{
	return sb_syscall6(__NR_fchmodat, dir, SB_P(path), mode, 0, 0, 0);
}
static inline long sys_fchownat(int dir, const char *path, uint32_t uid, uint32_t gid, int flags)
{
	return sb_syscall6(__NR_fchownat, dir, SB_P(path), uid, gid, flags, 0);
}
static inline long sys_utimensat(int dir, const char *path, const struct sb_timespec *times,
				 int flags)
{
	return sb_syscall6(__NR_utimensat, dir, SB_P(path), SB_P(times), flags, 0, 0);
}
static inline long sys_truncate(const char *path, int64_t len)
{
	return sb_syscall6(__NR_truncate, SB_P(path), len, 0, 0, 0, 0);
}
static inline long sys_lgetxattr(const char *path, const char *name, void *buf, size_t len)
{
	return sb_syscall6(__NR_lgetxattr, SB_P(path), SB_P(name), SB_P(buf), (long)len, 0, 0);
}
static inline long sys_llistxattr(const char *path, char *buf, size_t len)
{
	return sb_syscall6(__NR_llistxattr, SB_P(path), SB_P(buf), (long)len, 0, 0, 0);
}
static inline long sys_lsetxattr(const char *path, const char *name, const void *value, size_t len,
				 int flags)
{
	return sb_syscall6(__NR_lsetxattr, SB_P(path), SB_P(name), SB_P(value), (long)len, flags,
			   0);
}
static inline long sys_lremovexattr(const char *path, const char *name)
{
	return sb_syscall6(__NR_lremovexattr, SB_P(path), SB_P(name), 0, 0, 0, 0);
}

#endif

#endif
