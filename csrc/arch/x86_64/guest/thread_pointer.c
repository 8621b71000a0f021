/* SPDX-License-Identifier: MIT */
/*
 * thread_pointer.c - a program that uses gs itself.
 *
 * How it works
 *   While a program runs that never sets gs, gs base leads to the thread's block, so the way into
 *   the runtime is short. A program may set it, by the kernel or by an instruction that nobody
 *   sees: then the program's value is in force while it runs. A handler of a signal finds the block
 *   by the thread's number, keeps the value in the block and sets gs base. Whatever goes back to
 * the program gives the value back (sb_exit in entry.S, sb_pointer_give). Rules
 *   sb_thread.has_pointer is set only while the thread is in the runtime. Between set and kept
 *   another signal may come, whose handler finds the value or the block and leaves it as it was; so
 *   the order of the stores counts. That handler must see that it interrupted a handler: the code
 *   lies in .text.handler, and calls nothing elsewhere.
 */
#include "thread_pointer.h"

#include <asm/prctl.h>
#include <errno.h>

#include "guest/entries.h"
#include "pure/log.h"

#define HANDLER_CODE __attribute__((section(".text.handler")))
#define INLINE static inline __attribute__((always_inline))

extern char sb_text_start[];
extern char sb_text_end[];

/* Return gs base; 0 also when it can only be the runtime's. */
INLINE uint64_t read_base(void)
{
	uint64_t base = 0;

	if (sb_gs_mode == SB_GS_READ)
		__asm__ volatile("rdgsbase %0" : "=r"(base));
	else if (sb_gs_mode == SB_GS_ASKED)
		sb_syscall6(__NR_arch_prctl, ARCH_GET_GS, (long)(uintptr_t)&base, 0, 0, 0, 0);
	else
		base = (uint64_t)SB_GS_TOP << SB_GS_SHIFT;
	return base;
}

INLINE void write_base(uint64_t base)
{
	if (sb_gs_mode == SB_GS_READ)
		__asm__ volatile("wrgsbase %0" : : "r"(base) : "memory");
	else
		sb_syscall6(__NR_arch_prctl, ARCH_SET_GS, (long)base, 0, 0, 0, 0);
}

/* The block of an ended thread may still have the number: the one that was born last counts. */
INLINE struct sb_thread *find(void)
{
	const uint32_t tid = (uint32_t)sb_syscall6(__NR_gettid, 0, 0, 0, 0, 0, 0);
	struct sb_thread *found = &sb_first_thread;

	for (struct sb_thread *t = &sb_first_thread; t; t = t->next) {
		if (t->tid == tid && (found->tid != tid || (int32_t)(t->born - found->born) > 0))
			found = t;
	}
	return found;
}

HANDLER_CODE bool sb_pointer_take(void)
{
	const uint64_t base = read_base();
	struct sb_thread *thread;

	if (sb_arch_is_pointer(base))
		return false;
	thread = find();
	write_base(sb_arch_pointer_to(thread));
	thread->pointer = base;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	thread->has_pointer = 1;
	return true;
}

HANDLER_CODE void sb_pointer_give(const struct ucontext *uc, bool taken)
{
	const uint64_t pc = sb_context_pc(uc);
	struct sb_thread *thread = sb_arch_thread();
	uint64_t base;

	if (SB_LIKELY(!thread->has_pointer))
		return;
	if (!taken && pc >= (uintptr_t)sb_text_start && pc < (uintptr_t)sb_text_end)
		return;
	base = thread->pointer;
	thread->has_pointer = 0;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	write_base(base);
}

void sb_pointer_keep(struct sb_thread *thread, const struct ucontext *uc)
{
	if (sb_context_pc(uc) - SB_ADDR_TRACED_GS >= SB_ADDR_TRACED - SB_ADDR_TRACED_GS)
		return;
	thread->pointer = uc->uc_mcontext.r11;
	thread->has_pointer = 1;
}

long sb_pointer_set(struct sb_thread *thread, uint64_t value)
{
	if (value >= SB_ADDR_USER_END)
		return -EPERM;
	if (sb_gs_mode == SB_GS_OURS)
		__atomic_store_n(&sb_gs_mode, SB_GS_ASKED, __ATOMIC_SEQ_CST);
	thread->pointer = value;
	thread->has_pointer = 1;
	return 0;
}

uint64_t sb_pointer_get(const struct sb_thread *thread)
{
	return thread->has_pointer ? thread->pointer : 0;
}
