/* SPDX-License-Identifier: MIT */
/*
 * sys.h - typed raw system calls: the only way csrc/ asks the kernel.
 *
 * Rules
 *   Every function returns >= 0 or -errno. Pointers lead to the runtime's memory, never to the
 *   guest's, which only guest/memory.c touches.
 */
#ifndef SB_SYS_H
#define SB_SYS_H

#include <fcntl.h>
#include <linux/stat.h>

#include "base/sys_path.h"
#include "base/syscall.h"

static inline long sys_close(int fd)
{
	return sb_syscall6(__NR_close, fd, 0, 0, 0, 0, 0);
}
static inline long sys_read(int fd, void *buf, size_t len)
{
	return sb_syscall6(__NR_read, fd, SB_P(buf), (long)len, 0, 0, 0);
}
static inline long sys_write(int fd, const void *buf, size_t len)
{
	return sb_syscall6(__NR_write, fd, SB_P(buf), (long)len, 0, 0, 0);
}
static inline long sys_pread(int fd, void *buf, size_t len, int64_t off)
{
	return sb_syscall6(__NR_pread64, fd, SB_P(buf), (long)len, off, 0, 0);
}
static inline long sys_pwrite(int fd, const void *buf, size_t len, int64_t off)
{
	return sb_syscall6(__NR_pwrite64, fd, SB_P(buf), (long)len, off, 0, 0);
}
static inline long sys_lseek(int fd, int64_t off, int whence)
{
	return sb_syscall6(__NR_lseek, fd, off, whence, 0, 0, 0);
}
static inline long sys_fstat(int fd, struct stat *out)
{
	return sb_syscall6(__NR_fstat, fd, SB_P(out), 0, 0, 0, 0);
}
static inline long sys_fchmod(int fd, uint32_t mode)
{
	return sb_syscall6(__NR_fchmod, fd, mode, 0, 0, 0, 0);
}
static inline long sys_ftruncate(int fd, int64_t len)
{
	return sb_syscall6(__NR_ftruncate, fd, len, 0, 0, 0, 0);
}
static inline long sys_getdents64(int fd, void *buf, size_t len)
{
	return sb_syscall6(__NR_getdents64, fd, SB_P(buf), (long)len, 0, 0, 0);
}
static inline long sys_ioctl(int fd, unsigned long request, long arg)
{
	return sb_syscall6(__NR_ioctl, fd, (long)request, arg, 0, 0, 0);
}
static inline long sys_copy_file_range(int in, int64_t *inoff, int out, int64_t *outoff, size_t len)
{
	return sb_syscall6(__NR_copy_file_range, in, SB_P(inoff), out, SB_P(outoff), (long)len, 0);
}
static inline long sys_madvise(void *addr, size_t len, int advice)
{
	return sb_syscall6(__NR_madvise, SB_P(addr), (long)len, advice, 0, 0, 0);
}
static inline long sys_mmap(void *addr, size_t len, int prot, int flags, int fd, int64_t off)
{
	return sb_syscall6(__NR_mmap, SB_P(addr), (long)len, prot, flags, fd, off);
}
static inline long sys_munmap(void *addr, size_t len)
{
	return sb_syscall6(__NR_munmap, SB_P(addr), (long)len, 0, 0, 0, 0);
}
static inline long sys_getpid(void)
{
	return sb_syscall6(__NR_getpid, 0, 0, 0, 0, 0, 0);
}
static inline long sys_gettid(void)
{
	return sb_syscall6(__NR_gettid, 0, 0, 0, 0, 0, 0);
}
static inline long sys_kill(int pid, int sig)
{
	return sb_syscall6(__NR_kill, pid, sig, 0, 0, 0, 0);
}
static inline long sys_getcwd(char *buf, size_t len)
{
	return sb_syscall6(__NR_getcwd, SB_P(buf), (long)len, 0, 0, 0, 0);
}
static inline long sys_chdir(const char *path)
{
	return sb_syscall6(__NR_chdir, SB_P(path), 0, 0, 0, 0, 0);
}
static inline long sys_clock_gettime(int clock, struct sb_timespec *out)
{
	return sb_syscall6(__NR_clock_gettime, clock, SB_P(out), 0, 0, 0, 0);
}
static inline void SB_NORETURN sys_exit_group(int status)
{
	for (;;)
		sb_syscall6(__NR_exit_group, status, 0, 0, 0, 0, 0);
}

#endif
