/* SPDX-License-Identifier: MIT */
/*
 * sys32.h - system calls as a 32-bit program makes them (entry32.S).
 *
 * Level 0. Addresses among the arguments lie below 4 GiB. Results are >= 0 or -errno.
 */
#ifndef SB_ARCH_SYS32_H
#define SB_ARCH_SYS32_H

#include "base/base.h"

#define SB_NR32_GETDENTS64 220
#define SB_NR32_MMAP2 192

/* The highest address of a 32-bit program, as in the kernel. */
#define SB_END32 0xffffe000ULL

long sb_syscall32(long nr, const long args[6]);
/* The last step of a call, as sb_block: may wait for long. */
long sb_block32(long nr, const long args[6]);
/* A child that makes such a call and ends with 0, or by a signal where the kernel has
 * none. Its pid; wait with __WCLONE. */
long sb_try32(void);

/* mmap2 of memory: where the kernel would put it for a 32-bit program. */
static inline long sb_mmap32(uint64_t hint, uint64_t size, int prot, int flags)
{
	const long args[6] = {(long)hint, (long)size, prot, flags, -1, 0};
	const long at = sb_syscall32(SB_NR32_MMAP2, args);

	return at < 0 && at > -4096 ? at : (long)(uint32_t)at;
}

#endif
