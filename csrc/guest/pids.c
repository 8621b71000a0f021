/* SPDX-License-Identifier: MIT */
/*
 * pids.c - the numbers of processes and threads as a program sees them.
 */
#include "guest/pids.h"

#include <errno.h>

#include "base/mark.h"
#include "guest/process_table.h"
#include "guest/sigmask.h"
#include "guest/thread.h"

#define NO_MARK 1 /* no container has this one */

/* The mark of this process, which it cannot change. */
static uint64_t own_mark(void)
{
	static uint64_t known;
	uint64_t mark = __atomic_load_n(&known, __ATOMIC_RELAXED);

	if (mark != 0)
		return mark;
	if (sb_mark_of(0, &mark) < 0 || mark == 0)
		mark = NO_MARK;
	__atomic_store_n(&known, mark, __ATOMIC_RELAXED);
	return mark;
}

/* Is it in the table, or a thread of a process there? */
static bool is_in_table(const struct sb_tree *tree, uint32_t real)
{
	if (sb_proc_find(tree, real) != NULL)
		return sys_kill((int)real, 0) != -ESRCH;
	for (uint32_t i = 0; i < SB_PROC_SLOTS; i++) {
		const uint32_t pid = sb_proc_at(tree, i)->pid;

		if (pid != 0 && sb_syscall(__NR_tgkill, (int)pid, (int)real, 0, 0, 0, 0) != -ESRCH)
			return true;
	}
	return false;
}

/* Is it a thread, or a child that has not entered itself into the table? The runtime's processes
 * outside of the fence have the mark, too: no signal reaches them where Landlock has scopes. */
static bool is_reached(uint32_t real)
{
	return sb_syscall(__NR_tgkill, (int)real, (int)real, 0, 0, 0, 0) == -ESRCH ||
	       sys_kill((int)real, 0) == 0;
}

bool sb_pid_is_own(const struct sb_tree *tree, uint32_t real)
{
	const uint64_t own = own_mark();
	uint64_t mark;

	if (real == 0 || real > INT32_MAX ||
	    real == __atomic_load_n(&tree->shared->keeper, __ATOMIC_RELAXED))
		return false;
	if (own == NO_MARK)
		return is_in_table(tree, real);
	return sb_mark_of(real, &mark) == 0 && mark == own &&
	       (sb_proc_find(tree, real) != NULL || is_reached(real));
}

void sb_pid_tell_handler(const struct sb_proc *proc, int sig, bool handles)
{
	uint64_t *all = &proc->tree.shared->first_handles;

	if (!sb_pid_is_first(proc))
		return;
	if (handles)
		__atomic_fetch_or(all, SB_SIGMASK(sig), __ATOMIC_RELEASE);
	else
		__atomic_fetch_and(all, ~SB_SIGMASK(sig), __ATOMIC_RELEASE);
}

void sb_pid_tell_no_handlers(const struct sb_proc *proc)
{
	for (int sig = 1; sig <= 64; sig++)
		sb_pid_tell_handler(proc, sig, false);
}

uint32_t sb_pid_to_guest(const struct sb_tree *tree, uint32_t real)
{
	return sb_pid_is_own(tree, real) ? sb_pid_shown(tree, real) : 0;
}

uint32_t sb_pid_past_to_guest(const struct sb_tree *tree, uint32_t real)
{
	uint64_t mark;

	if (real == 0 || sb_mark_of(real, &mark) == -ESRCH)
		return real;
	return sb_pid_to_guest(tree, real);
}

int sb_pid_number_from_guest(const struct sb_proc *proc, uint32_t shown)
{
	const uint32_t first = sb_pid_main(&proc->tree);

	if (shown == 0 || shown > INT32_MAX)
		return -ESRCH;
	if (first == 0)
		return (int)shown;
	if (shown == SB_PID_FIRST)
		return (int)first;
	return shown == first && proc->pid != first ? -ESRCH : (int)shown;
}

int sb_pid_from_guest(const struct sb_proc *proc, uint32_t shown)
{
	const int real = sb_pid_number_from_guest(proc, shown);

	if (real < 0 || (uint32_t)real == proc->pid)
		return real;
	return sb_pid_is_own(&proc->tree, (uint32_t)real) ? real : -ESRCH;
}

/* ---- groups and sessions --------------------------------------------------- */

static bool has_member(const struct sb_tree *tree, uint32_t group)
{
	for (uint32_t i = 0; i < SB_PROC_SLOTS; i++) {
		const uint32_t pid = sb_proc_at(tree, i)->pid;

		if (pid != 0 && sb_syscall(__NR_getpgid, (int)pid, 0, 0, 0, 0, 0) == (long)group &&
		    sb_pid_is_own(tree, pid))
			return true;
	}
	return false;
}

bool sb_pid_group_is_own(const struct sb_tree *tree, uint32_t group)
{
	if (group == 0 || group > INT32_MAX)
		return false;
	if (sb_pid_is_own(tree, group))
		return true;
	/* The number is in use as long as the group has members. */
	return sys_kill((int)group, 0) == -ESRCH && has_member(tree, group);
}

uint32_t sb_pid_group_to_guest(const struct sb_tree *tree, uint32_t group)
{
	return sb_pid_group_is_own(tree, group) ? sb_pid_shown(tree, group) : 0;
}

int sb_pid_group_from_guest(const struct sb_proc *proc, uint32_t shown)
{
	const int real = sb_pid_number_from_guest(proc, shown);

	if (real < 0 || (uint32_t)real == proc->pid)
		return real;
	return sb_pid_group_is_own(&proc->tree, (uint32_t)real) ? real : -ESRCH;
}

/* ---- arguments -------------------------------------------------------------- */

int sb_pid_argument(const struct sb_call *call, unsigned n)
{
	const int shown = (int)sb_arg(call, n);
	int real;

	if (shown <= 0 || (uint32_t)shown == call->thread->tid)
		return shown;
	real = sb_pid_from_guest(call->proc, (uint32_t)shown);
	return real < 0 ? SB_PID_NOBODY : real;
}

int sb_pid_group_argument(const struct sb_call *call, unsigned n)
{
	const int shown = (int)sb_arg(call, n);
	const int real = shown > 0 ? sb_pid_group_from_guest(call->proc, (uint32_t)shown) : shown;

	return shown > 0 && real < 0 ? SB_PID_NOBODY : real;
}
