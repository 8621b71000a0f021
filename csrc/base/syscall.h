/* SPDX-License-Identifier: MIT */
/*
 * syscall.h - one raw system call, for sys.h and sys_path.h, and for calls that neither has.
 */
#ifndef SB_SYSCALL_H
#define SB_SYSCALL_H

#include "base/base.h"

#include "arch.h"

struct sb_timespec {
	int64_t sec;
	int64_t nsec;
};

static inline long sb_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	return sb_syscall6(nr, a, b, c, d, e, f);
}

#define SB_P(p) ((long)(uintptr_t)(p))

#endif
