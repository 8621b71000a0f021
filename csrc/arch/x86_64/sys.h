/* SPDX-License-Identifier: MIT */
/*
 * sys.h - the system call instruction of x86-64.
 *
 * Level 0. Works in both builds: results are >= 0 or -errno, errno does not
 * exist here.
 */
#ifndef SB_ARCH_SYS_H
#define SB_ARCH_SYS_H

#include <asm/unistd.h>

/* Numbers that the headers of older build hosts lack. */
#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif
#ifndef __NR_statmount
#define __NR_statmount 457
#endif
#ifndef __NR_listmount
#define __NR_listmount 458
#endif

static inline long sb_syscall6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

#endif
