/* SPDX-License-Identifier: MIT */
/*
 * rep.h - block copy and fill without vector registers.
 *
 * Level 0.
 */
#ifndef SB_ARCH_REP_H
#define SB_ARCH_REP_H

#include <stddef.h>

static inline void sb_rep_copy(void *dst, const void *src, size_t len)
{
	__asm__ volatile("rep movsb" : "+D"(dst), "+S"(src), "+c"(len) : : "memory");
}

static inline void sb_rep_fill(void *dst, int byte, size_t len)
{
	__asm__ volatile("rep stosb" : "+D"(dst), "+c"(len) : "a"(byte) : "memory");
}

#endif
