/* SPDX-License-Identifier: MIT */
/*
 * on_kill.c - signals to processes and threads: all of them are the container's.
 */
#include <asm/signal.h>
#include <errno.h>

#include "calls/task/signal_target.h"
#include "guest/handlers.h"
#include "guest/pids.h"

/* Make a call that signals the process or thread of argument n; args is what the kernel gets. */
static long send(struct sb_call *call, long nr, const long args[4], unsigned n, int sig)
{
	const int err = sb_signal_check(call, (int)args[n], sig);

	if (err != 0)
		return SB_MIN(err, 0);
	return sb_guest_block(call, nr, args[0], args[1], args[2], args[3], 0, 0);
}

long on_kill(struct sb_call *call)
{
	const int shown = (int)sb_arg(call, 0);
	const int sig = (int)sb_arg(call, 1);
	const long args[4] = {sb_pid_argument(call, 0), sig};
	int group;

	if (shown > 0)
		return send(call, __NR_kill, args, 0, sig);
	if (shown == -1)
		return sb_signal_all(call, sig);
	if (shown == INT32_MIN)
		return -ESRCH;
	group = shown == 0 ? (int)sb_syscall(__NR_getpgid, 0, 0, 0, 0, 0, 0)
			   : sb_pid_group_from_guest(call->proc, (uint32_t)-shown);
	return group < 0 ? group : sb_signal_group(call, (uint32_t)group, sig);
}

long on_tkill(struct sb_call *call)
{
	const int sig = (int)sb_arg(call, 1);
	const long args[4] = {sb_pid_argument(call, 0), sig};

	return send(call, __NR_tkill, args, 0, sig);
}

long on_tgkill(struct sb_call *call)
{
	const int sig = (int)sb_arg(call, 2);
	const long args[4] = {sb_pid_argument(call, 0), sb_pid_argument(call, 1), sig};

	return send(call, __NR_tgkill, args, 0, sig);
}

long on_rt_sigqueueinfo(struct sb_call *call)
{
	const int sig = (int)sb_arg(call, 1);
	const long args[4] = {sb_pid_argument(call, 0), sig, (long)sb_arg(call, 2)};

	return send(call, __NR_rt_sigqueueinfo, args, 0, sig);
}

long on_rt_tgsigqueueinfo(struct sb_call *call)
{
	const int sig = (int)sb_arg(call, 2);
	const long args[4] = {sb_pid_argument(call, 0), sb_pid_argument(call, 1), sig,
			      (long)sb_arg(call, 3)};

	return send(call, __NR_rt_tgsigqueueinfo, args, 0, sig);
}

long on_pidfd_send_signal(struct sb_call *call)
{
	const int err = sb_signal_check_pidfd(call, (int)sb_arg(call, 0), (int)sb_arg(call, 1));

	return err != 0 ? SB_MIN(err, 0) : sb_guest_pass(call, __NR_pidfd_send_signal);
}
