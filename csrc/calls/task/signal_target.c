/* SPDX-License-Identifier: MIT */
/*
 * signal_target.c - whom a signal from a program of the container reaches.
 *
 * Which of the container's users may signal whom is a question of peers.h.
 */
#include "calls/task/signal_target.h"

#include <asm/signal.h>
#include <errno.h>
#include <linux/capability.h>

#include "base/shared_abi.h"
#include "guest/peers/peers.h"
#include "guest/peers/status.h"
#include "guest/pids.h"
#include "guest/process_table.h"
#include "guest/sigmask.h"
#include "guest/thread.h"

/* ---- the first process ------------------------------------------------------- */

/* The signals that a thread blocks. */
static uint64_t blocked_by(struct sb_call *call, uint32_t tid)
{
	char *text = call->work->buffer;
	uint64_t mask = 0;
	long len;

	if (tid == call->thread->tid) {
		sb_syscall(__NR_rt_sigprocmask, SIG_BLOCK, 0, SB_P(&mask), 8, 0, 0);
		return mask;
	}
	sb_commit_begin(call->fs);
	len = sb_task_status_read(tid, text, sizeof(call->work->buffer));
	sb_commit_end(call->fs);
	return sb_task_status_number(text, len, "\nSigBlk:", 16);
}

/* As an init, the first process gets no signal of the container that it does not handle, unless it
 * blocks it: then it may take it later. SIGCONT lets it go on in any case. */
static bool is_dropped(struct sb_call *call, uint32_t pid, int sig)
{
	const struct sb_shared *shared = call->fs->tree->shared;

	if (pid != sb_pid_main(call->fs->tree) || sig < 1 || sig > 64 || sig == SIGCONT)
		return false;
	if (sig == SIGKILL || sig == SIGSTOP)
		return true;
	return ((__atomic_load_n(&shared->first_handles, __ATOMIC_ACQUIRE) |
		 __atomic_load_n(&shared->first_awaits, __ATOMIC_RELAXED) | blocked_by(call, pid)) &
		SB_SIGMASK(sig)) == 0;
}

/* ---- one process ---------------------------------------------------------------- */

int sb_signal_check(struct sb_call *call, int real, int sig)
{
	if (real <= 0 || real == SB_PID_NOBODY)
		return 0;
	if (sb_peer_may_signal(call, (uint32_t)real, sig))
		return is_dropped(call, (uint32_t)real, sig) ? SB_SIGNAL_DROPPED : 0;
	return sys_kill(real, 0) == -ESRCH ? -ESRCH : -EPERM;
}

/* Signal one of several processes: the kernel's answer. */
static long signal_one(struct sb_call *call, uint32_t pid, int sig)
{
	const int err = sb_signal_check(call, (int)pid, sig);

	return err != 0 ? SB_MIN(err, 0) : sys_kill((int)pid, sig);
}

long sb_signal_all(struct sb_call *call, int sig)
{
	const struct sb_tree *tree = call->fs->tree;
	long result = -ESRCH;

	if (sig < 0 || sig > 64)
		return -EINVAL;
	sb_commit_begin(call->fs);
	for (uint32_t i = 0; i < SB_PROC_SLOTS; i++) {
		const uint32_t pid = sb_proc_at(tree, i)->pid;

		if (pid == 0 || pid == call->proc->pid || pid == sb_pid_main(tree) ||
		    !sb_pid_is_own(tree, pid))
			continue;
		signal_one(call, pid, sig);
		result = 0; /* also when none of them may be signalled */
	}
	return result;
}

/* Signal the processes of a group one by one, the caller last. */
static long signal_members(struct sb_call *call, uint32_t group, int sig)
{
	const struct sb_tree *tree = call->fs->tree;
	bool is_member = false;
	long result = -ESRCH;
	long ret;

	sb_commit_begin(call->fs);
	for (uint32_t i = 0; i < SB_PROC_SLOTS; i++) {
		const uint32_t pid = sb_proc_at(tree, i)->pid;

		if (pid == 0 || sb_syscall(__NR_getpgid, (int)pid, 0, 0, 0, 0, 0) != (long)group ||
		    !sb_pid_is_own(tree, pid))
			continue;
		if (pid == call->proc->pid) {
			is_member = true;
			continue;
		}
		ret = signal_one(call, pid, sig);
		if (result != 0)
			result = ret;
	}
	ret = is_member ? signal_one(call, call->proc->pid, sig) : result;
	return result == 0 ? 0 : ret;
}

static bool has_first(const struct sb_tree *tree, uint32_t group)
{
	const uint32_t first = sb_pid_main(tree);

	return first != 0 && sb_syscall(__NR_getpgid, (int)first, 0, 0, 0, 0, 0) == (long)group;
}

long sb_signal_group(struct sb_call *call, uint32_t group, int sig)
{
	if (sig == 0 || (sb_ids_has_cap(call->ids, CAP_KILL) && !has_first(call->fs->tree, group)))
		return sb_guest_block(call, __NR_kill, -(int)group, sig, 0, 0, 0, 0);
	if (sig < 0 || sig > 64)
		return -EINVAL;
	return signal_members(call, group, sig);
}

/* ---- pidfds ----------------------------------------------------------------- */

uint32_t sb_pidfd_process(struct sb_call *call, int fd)
{
	char text[256];
	long len;

	if (fd < 0)
		return 0;
	sb_commit_begin(call->fs);
	len = sb_task_fdinfo_read(fd, text, sizeof(text));
	sb_commit_end(call->fs);
	return (uint32_t)sb_task_status_number(text, len, "\nPid:", 10);
}

int sb_signal_check_pidfd(struct sb_call *call, int fd, int sig)
{
	const uint32_t real = sb_pidfd_process(call, fd);

	if (real == 0)
		return 0;
	if (!sb_pid_is_own(call->fs->tree, real))
		return -EINVAL; /* as for a process outside of the caller's pid namespace */
	return sb_signal_check(call, (int)real, sig);
}
