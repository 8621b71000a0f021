/* SPDX-License-Identifier: MIT */
/*
 * thread.h - the thread pointer of the runtime: the gs base.
 *
 * Level 3. No libc and no Go runtime uses gs on x86-64.
 */
#ifndef SB_ARCH_THREAD_H
#define SB_ARCH_THREAD_H

struct sb_thread;

static inline struct sb_thread *sb_arch_thread(void)
{
	struct sb_thread *self;

	__asm__("mov %%gs:0, %0" : "=r"(self));
	return self;
}

#endif
