/* SPDX-License-Identifier: MIT */
/*
 * trap.c - SIGSYS as a way into the runtime.
 *
 * How it works
 *   The filter raises SIGSYS for a trapped call (seccomp_filter.c). The handler only sets the
 *   guest's registers for the entry and returns, so no work is done under a signal frame. With a
 *   tracer, the tracer sets the registers (tracer.c).
 * Rules
 *   The handler uses no stack beyond its frame.
 */
#include "entry/trap.h"

#include <errno.h>

#include "calls/dispatch.h"
#include "entry/rewrite.h"
#include "entry/signals.h"
#include "guest/entries.h"
#include "guest/pids.h"
#include "guest/thread.h"
#include "thread_pointer.h"

#define SB_SYS_SECCOMP 1

static bool in_runtime(uint64_t pc)
{
	return pc >= (uintptr_t)sb_text_start && pc <= (uintptr_t)sb_text_end;
}

void sb_trap_arrived(int sig, siginfo_t *info, struct ucontext *uc)
{
	if (info->si_code != SB_SYS_SECCOMP) {
		const bool taken = sb_pointer_take();

		sb_signal_sigsys(sig, info, uc);
		sb_pointer_give(uc, taken);
		return;
	}
	/* An outer filter forbids a call of the runtime, or a 64-bit program makes a call of a
	 * 32-bit one. */
	if (in_runtime(sb_context_pc(uc)) || info->si_arch != SB_ARCH_AUDIT) {
		sb_context_set_result(uc, -ENOSYS);
		return;
	}
	(void)sb_pointer_take();
	sb_thread_self()->trap_site = sb_context_pc(uc);
	sb_context_enter(uc, sb_entries->modes[0].entry);
}

void sb_enter(struct sb_thread *thread)
{
	struct sb_regs *regs = &thread->regs;
	/* Not the site of another call, which a signal rolled back between the trap and here. */
	const uint64_t site = thread->trap_site == regs->pc ? regs->pc : 0;

	thread->trap_site = 0;
	sb_dispatch(thread, site);
	if (SB_UNLIKELY(thread->restart)) {
		thread->restart = 0;
		regs->pc = sb_rewrite_origin(regs->pc);
	} else if (site == regs->pc && !thread->has_pointer &&
		   (thread->proc->tree.control->flags & SB_CONTROL_REWRITE)) {
		sb_rewrite_site(&thread->call, site, thread->number);
	}
}

int sb_trap_handlers(const struct sb_proc *proc)
{
	const struct sb_mode_entries *entries = sb_entries_of(proc);
	const struct sb_action trap = {
		.handler = entries->trap,
		.flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SB_SA_RESTORER,
		.restorer = sb_entries->restorer,
		.mask = SB_MASK_ALL,
	};
	const struct sb_action fault = {
		.handler = entries->signal,
		.flags = SA_SIGINFO | SA_ONSTACK | SB_SA_RESTORER,
		.restorer = sb_entries->restorer,
		.mask = SB_MASK_ALL,
	};
	const uint64_t sigsys = SB_SIGMASK(SIGSYS);
	long ret;

	sb_pid_tell_no_handlers(proc);
	ret = sb_syscall6(__NR_rt_sigaction, SIGSYS, SB_P(&trap), 0, 8, 0, 0);
	if (ret == 0)
		ret = sb_syscall6(__NR_rt_sigaction, SIGSEGV, SB_P(&fault), 0, 8, 0, 0);
	if (ret == 0)
		ret = sb_syscall6(__NR_rt_sigaction, SIGBUS, SB_P(&fault), 0, 8, 0, 0);
	if (ret == 0)
		ret = sb_syscall6(__NR_rt_sigprocmask, SIG_UNBLOCK, SB_P(&sigsys), 0, 8, 0, 0);
	return (int)ret;
}
