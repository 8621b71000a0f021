/* SPDX-License-Identifier: MIT */
/*
 * on_kill.c - kill(2): pid -1 is every process of the container, not of the host's user.
 *
 * A signal to one process is checked as the kernel would for the users that the container has.
 */
#include <errno.h>

#include "base/shared_abi.h"
#include "guest/handlers.h"
#include "guest/peers/peers.h"
#include "guest/pids.h"

/* Signal every process of the container but the caller. */
static long kill_all(struct sb_call *call, int sig)
{
	const struct sb_proc_slot *slots = call->fs->tree->shared->procs;
	long result = -ESRCH;

	sb_commit_begin(call->fs);
	for (uint32_t i = 0; i < SB_PROC_SLOTS; i++) {
		const uint32_t pid = slots[i].pid;

		if (pid == 0 || pid == call->proc->pid || !sb_pid_is_own(call->fs->tree, pid))
			continue;
		if (!sb_peer_may_signal_slot(call, &slots[i], sig)) {
			if (result == -ESRCH && sys_kill((int)pid, 0) == 0)
				result = -EPERM;
			continue;
		}
		if (sys_kill((int)pid, sig) == 0)
			result = 0;
	}
	return result;
}

/* Signal one process, if the virtual users allow it. */
static long kill_one(struct sb_call *call, int shown, int sig)
{
	const int pid = sb_pid_from_guest(call->proc, (uint32_t)shown);
	long ret;

	if (pid < 0)
		return pid;
	if (sb_peer_may_signal(call, (uint32_t)pid, sig))
		return sb_guest_block(call, __NR_kill, pid, sig, 0, 0, 0, 0);
	ret = sys_kill(pid, 0);
	return ret < 0 ? ret : -EPERM;
}

long on_kill(struct sb_call *call)
{
	const int pid = (int)sb_arg(call, 0);
	const int sig = (int)sb_arg(call, 1);

	if (pid > 0)
		return kill_one(call, pid, sig);
	if (pid != -1)
		return sb_guest_pass(call, __NR_kill);
	if (sig < 0 || sig > 64)
		return -EINVAL;
	return kill_all(call, sig);
}
