/* SPDX-License-Identifier: MIT */
/*
 * signals.c - deliver signals to the guest at the boundary that it would see.
 *
 * How it works
 *   The kernel knows one handler only (entries.h). If guest code was interrupted, the guest's
 *   handler is entered on the same frame. If the runtime was interrupted, the frame is on the
 *   runtime's stack and must not stay. The context is set to what the guest may see (entry.S and
 *   arch.S list the places), the signal is queued again for this thread, and the handler returns;
 *   then the kernel delivers the signal on the guest's own stack. Only a call that has begun a
 *   change goes on. Its signal is kept in the thread's block, all others are blocked, and
 *   sb_signal_release() queues it at the end. Restarted and interrupted calls need nothing more:
 *   before its final system call a call is rolled back, after it -EINTR is an ordinary result. A
 *   call that has begun a change (a descriptor, memory for its arguments) undoes it first: its
 *   final call returns SB_RESTART.
 * Rules
 *   No allocation, no lock. May run on the guest's small alternate stack.
 */
#include "entry/signals.h"

#include <errno.h>

#include "entry/rewrite.h"
#include "guest/entries.h"
#include "guest/peers/sender.h"
#include "guest/pids.h"
#include "guest/thread.h"
#include "thread_pointer.h"

#define SB_SI_USER_MAX 0 /* signals that processes send have a si_code <= 0 */

enum interrupted {
	GUEST,   /* guest code */
	HANDLER, /* a handler of the runtime */
	ENTRY,   /* the registers are still the guest's */
	EXIT,    /* the block holds the guest's state after the call */
	BEFORE,  /* the call can be rolled back */
	WAITS,   /* the call must be finished, without the final call that it was about to make */
	AFTER,   /* the call must be finished */
};

static bool is_between(uint64_t pc, uint64_t from, uint64_t to)
{
	return pc >= from && pc < to;
}

/* Is the final system call still to be made? */
static bool is_asking(uint64_t pc)
{
	return is_between(pc, (uintptr_t)sb_block_asked, (uintptr_t)sb_block_done) ||
	       sb_compat_is_asking(pc);
}

static bool is_leaving(uint64_t pc)
{
	const struct sb_mode_entries *modes = sb_entries->modes;

	return is_between(pc, modes[0].exit, modes[0].exit_end) ||
	       is_between(pc, modes[1].exit, modes[1].exit_end);
}

static enum interrupted classify(const struct sb_thread *thread, uint64_t pc)
{
	if (!is_between(pc, (uintptr_t)sb_text_start, (uintptr_t)sb_text_end))
		return GUEST;
	if (thread->handling > 1 || is_between(pc, sb_entries->handlers, sb_entries->handlers_end))
		return HANDLER;
	if (is_between(pc, (uintptr_t)sb_text_start, sb_entries->saved))
		return ENTRY;
	if (is_leaving(pc))
		return EXIT;
	if (is_asking(pc))
		return thread->commit ? WAITS : BEFORE;
	if (pc == (uintptr_t)sb_block_done || sb_compat_has_asked(pc))
		return AFTER;
	return thread->commit ? AFTER : BEFORE;
}

static void queue_again(const siginfo_t *info, int sig)
{
	sb_syscall6(__NR_rt_tgsigqueueinfo, sys_getpid(), sys_gettid(), sig, SB_P(info), 0, 0);
}

/* Set uc to the guest's registers as the block holds them. */
static void load_guest(const struct sb_thread *thread, struct ucontext *uc)
{
	sb_context_load(uc, &thread->regs, sb_proc_is_32(thread->proc));
}

/* Return the address of the program's system call instruction, to make the call again. */
static uint64_t origin_of(const struct sb_thread *thread)
{
	return sb_proc_is_32(thread->proc) ? sb_compat_origin(thread->regs.pc)
					   : sb_rewrite_origin(thread->regs.pc);
}

static bool on_runtime_stack(const struct sb_thread *thread, uint64_t sp)
{
	return sp >= (uintptr_t)thread->stack && sp <= thread->stack_top;
}

static void roll_back_entry(struct sb_thread *thread, struct ucontext *uc)
{
	const uint64_t after = sb_context_entered_from(uc, sb_entries->modes[0].entry);

	sb_pointer_keep(thread, uc);
	sb_context_set_pc(uc, sb_rewrite_origin(after));
	if (on_runtime_stack(thread, sb_context_sp(uc)))
		sb_context_set_sp(uc, thread->regs.sp);
}

/* A fault's signal that a process sent is kept, too, so it is blocked. */
static uint64_t mask_with(int sig)
{
	return SB_MASK_ALL | SB_SIGMASK(sig);
}

static void keep(struct sb_thread *thread, const siginfo_t *info, struct ucontext *uc)
{
	uint64_t *mask = (uint64_t *)&uc->uc_sigmask;

	memcpy(thread->info, info, sizeof(thread->info));
	if (!thread->pending)
		thread->saved_mask = *mask;
	if (thread->waits == SB_WAIT_MASKED && sb_context_pc(uc) == (uintptr_t)sb_block_done &&
	    sb_context_result(uc) == -EINTR) {
		/* The frame has the mask after the handler; the handler runs because of the call's
		 * mask. */
		thread->mask_after = *mask;
		thread->saved_mask = thread->wait_mask;
		thread->waits = SB_WAIT_ENDED;
	}
	*mask = mask_with(info->si_signo);
	thread->pending |= SB_PENDING_SIGNAL;
}

/* A waiting call does not count: it may be rolled back again and again. */
static void count_roll_back(struct sb_thread *thread, uint64_t pc)
{
	if (thread->rolled_pc != thread->regs.pc || thread->rolled_sp != thread->regs.sp ||
	    is_asking(pc))
		thread->rolled = 0;
	thread->rolled_pc = thread->regs.pc;
	thread->rolled_sp = thread->regs.sp;
	thread->rolled++;
}

/* The runtime was interrupted: set uc to a place where the signal may be delivered. */
static void leave_runtime(struct sb_thread *thread, enum interrupted where, int sig,
			  siginfo_t *info, struct ucontext *uc)
{
	const uint64_t pc = sb_context_pc(uc);

	switch (where) {
	case ENTRY:
		roll_back_entry(thread, uc);
		break;
	case EXIT:
		load_guest(thread, uc);
		break;
	case BEFORE:
		count_roll_back(thread, pc);
		load_guest(thread, uc);
		sb_context_set_pc(uc, origin_of(thread));
		if (!sb_proc_is_32(thread->proc)) /* else it is the 64-bit call's */
			sb_context_set_number(uc, thread->number);
		thread->waits = SB_WAIT_NONE;
		if (thread->pending) {
			*(uint64_t *)&uc->uc_sigmask = thread->saved_mask;
			thread->pending = 0;
		}
		break;
	case HANDLER:
		*(uint64_t *)&uc->uc_sigmask = mask_with(sig);
		break;
	case WAITS: /* it returns SB_RESTART (dispatch.c) */
		sb_context_set_pc(uc, sb_compat_is_asking(pc) ? sb_compat_refused()
							      : (uintptr_t)sb_block_refused);
		keep(thread, info, uc);
		return;
	case AFTER:
		keep(thread, info, uc);
		return;
	case GUEST:
		return;
	}
	queue_again(info, sig);
}

static void set_default(int sig)
{
	const struct sb_action action = {0};

	sb_syscall6(__NR_rt_sigaction, sig, SB_P(&action), 0, 8, 0, 0);
}

/* Guest code was interrupted: return the address of its handler, or 0. */
static uint64_t guest_handler(struct sb_proc *proc, int sig, const siginfo_t *info)
{
	struct sb_action *action = &proc->actions[sig];
	uint64_t handler = action->handler;
	const uint64_t own = SB_SIGMASK(sig);

	if (handler == (uintptr_t)SIG_DFL || handler == (uintptr_t)SIG_IGN) {
		/* Without a handler of the guest only faults come here. */
		if (info->si_code > SB_SI_USER_MAX || handler == (uintptr_t)SIG_DFL) {
			set_default(sig);
			if (info->si_code <= SB_SI_USER_MAX)
				queue_again(info, sig);
		}
		return 0;
	}
	if (action->flags & SA_RESETHAND) {
		action->handler = (uintptr_t)SIG_DFL; /* flags and mask stay */
		sb_pid_tell_handler(proc, sig, false);
		if (sig != SIGSEGV && sig != SIGBUS)
			sb_syscall6(__NR_rt_sigaction, sig, SB_P(action), 0, 8, 0, 0);
	}
	if ((action->flags & SA_NODEFER) && !(action->mask & own) && !sb_proc_is_32(proc))
		sb_syscall6(__NR_rt_sigprocmask, SIG_UNBLOCK, SB_P(&own), 0, 8, 0, 0);
	return handler;
}

uint64_t sb_signal_arrived(int sig, siginfo_t *info, struct ucontext *uc)
{
	struct sb_thread *thread = sb_thread_self();
	const uint64_t pc = sb_context_pc(uc);
	enum interrupted where = classify(thread, pc);

	if ((sig == SIGSEGV || sig == SIGBUS) && info->si_code > SB_SI_USER_MAX && where != GUEST) {
		if (is_between(pc, (uintptr_t)sb_copy, (uintptr_t)sb_copy_end)) {
			sb_context_set_pc(uc, (uintptr_t)sb_copy_fault);
			return 0;
		}
		/* The kernel could not write the frame of another signal on the guest's alternate
		 * stack. */
		if (info->si_code == SI_KERNEL && where != HANDLER) {
			leave_runtime(thread, where, sig, info, uc);
			return 0;
		}
		set_default(sig); /* a bug of the runtime: it ends here */
		return 0;
	}
	/* In a trampoline the guest must see itself before its own instruction. */
	if (where == GUEST && sb_rewrite_inside(pc))
		sb_context_set_pc(uc, sb_rewrite_inside(pc));
	if (where == GUEST) {
		uint64_t handler;

		if (thread->waits == SB_WAIT_ENDED) {
			*(uint64_t *)&uc->uc_sigmask = thread->mask_after;
			thread->waits = SB_WAIT_NONE;
		}
		handler = guest_handler(thread->proc, sig, info);
		if (handler != 0)
			sb_sender_to_guest(&thread->proc->tree, info);
		return handler;
	}
	leave_runtime(thread, where, sig, info, uc);
	return 0;
}

uint64_t *sb_signal_release(struct sb_thread *thread)
{
	uint32_t pending = thread->pending;
	const siginfo_t *info = (const siginfo_t *)thread->info;

	thread->pending = 0;
	if (pending & SB_PENDING_SIGNAL)
		queue_again(info, info->si_signo);
	return &thread->saved_mask;
}

void sb_signal_sigsys(int sig, siginfo_t *info, struct ucontext *uc)
{
	struct sb_proc *proc = sb_thread_self()->proc;
	struct sb_action *action = &proc->actions[SIGSYS];

	(void)uc;
	if (action->handler == (uintptr_t)SIG_IGN)
		return;
	/* The guest's handler is not entered for a SIGSYS that a process sent. The default action
	 * tells the truth about that. */
	set_default(sig);
	queue_again(info, sig);
}
