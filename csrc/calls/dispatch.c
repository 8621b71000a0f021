/* SPDX-License-Identifier: MIT */
/*
 * dispatch.c - find the handler of a system call and run it.
 *
 * A call without a handler goes to the kernel as it is. Today the filter traps no such call.
 */
#include "calls/dispatch.h"

#include <errno.h>
#include <linux/seccomp.h>

#include "calls/task/on_peer.h"
#include "guest/handlers.h"
#include "guest/sigmask.h"
#include "guest/thread.h"
#include "guest/trace.h"
#include "pure/profile.h"
#include "pure/verdict.h"

#define SB_HANDLERS 512

static sb_handler *const handlers[SB_HANDLERS] = {
#define ON(name) [__NR_##name] = on_##name,
#define REFUSE(name, error)
#include "syscalls.def"
#undef ON
#undef REFUSE
	/* of an unconfined container: on_peer.h */
	[__NR_kcmp] = on_kcmp,
	[__NR_move_pages] = on_move_pages,
	[__NR_migrate_pages] = on_migrate_pages,
	[__NR_perf_event_open] = on_perf_event_open,
};

/* Forget the paths of the call before, since a line of --trace names the paths of this one. Without
 * --trace this is not done: a call does not touch memory that it does not need. */
static void forget_paths(struct sb_call *call)
{
	call->path[0] = '\0';
	call->path2[0] = '\0';
}

/* A site in a C library may make many calls. Once it is rewritten, calls come here, too, that the
 * filter would let pass for their arguments. */
static bool is_native_form(const struct sb_call *call, uint64_t nr)
{
	int argument = sb_verdict_argument(nr);

	return argument >= 0 && sb_arg(call, (unsigned)argument) == 0;
}

/* End the process as the kernel does for a filter. */
static void SB_NORETURN SB_COLD kill_process(const struct sb_thread *thread)
{
	const struct sb_action action = {0};
	const uint64_t mask = SB_SIGMASK(SIGSYS);

	sb_syscall6(__NR_rt_sigaction, SIGSYS, SB_P(&action), 0, 8, 0, 0);
	sb_syscall6(__NR_rt_sigprocmask, SIG_UNBLOCK, SB_P(&mask), 0, 8, 0, 0);
	sb_syscall6(__NR_tgkill, thread->proc->pid, thread->tid, SIGSYS, 0, 0, 0);
	sys_exit_group(128 + SIGSYS);
}

/* Does the user's seccomp profile refuse the call? Then *ret is its result. */
static bool is_refused(const struct sb_thread *thread, uint64_t nr, long *ret)
{
	const struct sb_control *control = thread->proc->tree.control;
	const uint32_t answer =
		sb_profile_run(control->profile, SB_MIN(control->profile_len, SB_MAX_PROFILE), nr,
			       thread->regs.args);

	switch (answer & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
	case SECCOMP_RET_LOG:
		return false;
	case SECCOMP_RET_ERRNO:
		*ret = -(long)SB_MIN(answer & SECCOMP_RET_DATA, 4095U);
		return true;
	case SECCOMP_RET_TRACE:
		*ret = -ENOSYS; /* there is no such tracer */
		return true;
	default:
		kill_process(thread);
	}
}

static long handle(struct sb_thread *thread, uint64_t nr, uint64_t site)
{
	struct sb_call *call = sb_thread_call(thread);
	long ret;

	if (SB_UNLIKELY(thread->proc->tree.control->flags & SB_CONTROL_PROFILE) &&
	    is_refused(thread, nr, &ret))
		return ret;
	if (nr < SB_HANDLERS && handlers[nr] && (site != 0 || !is_native_form(call, nr)))
		return handlers[nr](call);
	return sb_guest_pass(call, (long)nr);
}

void sb_dispatch(struct sb_thread *thread, uint64_t site)
{
	struct sb_call *call = sb_thread_call(thread);
	uint64_t nr = thread->number;
	uint64_t started = 0;
	long ret;

	if (sb_thread_insists(thread))
		thread->commit = 1;
	if (SB_UNLIKELY(thread->proc->tree.control->flags & SB_CONTROL_TRACE)) {
		forget_paths(call);
		started = sb_trace_begin(call);
	}
	ret = handle(thread, nr, site);
	if (SB_UNLIKELY(thread->proc->tree.control->flags & SB_CONTROL_TRACE))
		sb_trace_call(call, ret, site, started);
	if (SB_UNLIKELY(ret == SB_RESTART && thread->pending)) {
		/* The final call was not made. The guest makes it again after its signal
		 * handler. */
		thread->restart = 1;
		thread->commit = 1;
		return;
	}
	if (sb_thread_insists(thread))
		thread->rolled = 0;
	thread->commit = 1;
	sb_regs_set_result(&thread->regs, ret);
}
