/* SPDX-License-Identifier: MIT */
/*
 * compat_thread.c - the block of a thread of a 32-bit program.
 */
#include "compat_thread.h"

#include "pure/log.h"

struct sb_thread *sb_compat_find_thread(void)
{
	const uint64_t base = sb_arch_fs_base();
	uint32_t tid;

	if (base - SB_ADDR_LOW < SB_ADDR_HIGH - SB_ADDR_LOW)
		return (struct sb_thread *)(uintptr_t)base;
	/* The program uses fs itself. */
	tid = (uint32_t)sys_gettid();
	for (struct sb_thread *t = &sb_first_thread; t; t = t->next) {
		if (t->tid == tid)
			return t;
	}
	SB_BUG("a thread without a block");
}
