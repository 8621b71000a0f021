/* SPDX-License-Identifier: MIT */
/*
 * on_pids.c - the numbers of processes, groups and sessions (guest/pids.h).
 */
#include <errno.h>

#include "guest/handlers.h"
#include "guest/pids.h"
#include "guest/thread.h"

long on_getpid(struct sb_call *call)
{
	return sb_pid_shown(&call->proc->tree, call->proc->pid);
}

long on_gettid(struct sb_call *call)
{
	return sb_pid_shown(&call->proc->tree, call->thread->tid);
}

/* The parent of the main process, and of one that joined the container, is none of it. */
long on_getppid(struct sb_call *call)
{
	struct sb_proc *proc = call->proc;
	uint64_t known = __atomic_load_n(&proc->parent_known, __ATOMIC_RELAXED);
	uint32_t parent;

	if (sb_pid_is_first(proc))
		return 0;
	parent = (uint32_t)sb_syscall(__NR_getppid, 0, 0, 0, 0, 0, 0);
	if (known >> 32 != parent) {
		known = (uint64_t)parent << 32 | sb_pid_to_guest(&proc->tree, parent);
		__atomic_store_n(&proc->parent_known, known, __ATOMIC_RELAXED);
	}
	return (uint32_t)known;
}

static long shown_group(const struct sb_call *call, long group)
{
	if (group < 0)
		return group;
	if ((uint32_t)group == call->proc->pid)
		return sb_pid_shown(&call->proc->tree, (uint32_t)group);
	return sb_pid_group_to_guest(&call->proc->tree, (uint32_t)group);
}

long on_getpgrp(struct sb_call *call)
{
	return shown_group(call, sb_syscall(__NR_getpgid, 0, 0, 0, 0, 0, 0));
}

long on_getpgid(struct sb_call *call)
{
	return shown_group(call, sb_syscall(__NR_getpgid, sb_pid_argument(call, 0), 0, 0, 0, 0, 0));
}

long on_getsid(struct sb_call *call)
{
	return shown_group(call, sb_syscall(__NR_getsid, sb_pid_argument(call, 0), 0, 0, 0, 0, 0));
}

/* The kernel lets a process change itself and its children. */
static int own_number(const struct sb_call *call, unsigned n)
{
	const int shown = (int)sb_arg(call, n);
	const int real = shown > 0 ? sb_pid_number_from_guest(call->proc, (uint32_t)shown) : shown;

	return shown > 0 && real < 0 ? SB_PID_NOBODY : real;
}

long on_setpgid(struct sb_call *call)
{
	return sb_guest_block(call, __NR_setpgid, own_number(call, 0), own_number(call, 1), 0, 0, 0,
			      0);
}

long on_pidfd_open(struct sb_call *call)
{
	return sb_guest_block(call, __NR_pidfd_open, sb_pid_argument(call, 0), (int)sb_arg(call, 1),
			      0, 0, 0, 0);
}
