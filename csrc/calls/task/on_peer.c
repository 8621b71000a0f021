/* SPDX-License-Identifier: MIT */
/*
 * on_peer.c - calls that ask about another process, or change how it runs.
 *
 * How it works
 *   The process is found in the container (guest/pids.h), and the container's users are checked
 *   (peers.h); the kernel decides all else. What changes another process is judged by the keeper,
 *   too (entry/keeper.h).
 * Rules
 *   The filter traps most of them only when they name another process than the caller.
 */
#include "calls/task/on_peer.h"

#include <errno.h>

#include "calls/task/signal_target.h"
#include "guest/handlers.h"
#include "guest/peers/peers.h"
#include "guest/pids.h"

/* The classes of setpriority, and those of ioprio_set. */
#define PRIORITY_OF_PROCESS 0
#define PRIORITY_OF_GROUP 1
#define DISK_OF_PROCESS 1
#define DISK_OF_GROUP 2

/* Make the call; value replaces argument n. */
static long pass(struct sb_call *call, long nr, unsigned n, int value)
{
	long args[6];

	for (unsigned i = 0; i < SB_ARRAY_LEN(args); i++)
		args[i] = i == n ? value : (long)sb_arg(call, i);
	return sb_guest_block(call, nr, args[0], args[1], args[2], args[3], args[4], args[5]);
}

typedef bool permission(struct sb_call *call, uint32_t real);

/* May the caller do that to the process? What the call would say of nobody comes first. */
static bool may(struct sb_call *call, int real, permission *allows)
{
	return real <= 0 || real == SB_PID_NOBODY || allows(call, (uint32_t)real);
}

static long pass_first(struct sb_call *call, long nr, permission *allows)
{
	const int real = sb_pid_argument(call, 0);

	if (allows != NULL && !may(call, real, allows))
		return -EPERM;
	return pass(call, nr, 0, real);
}

#define OF_FIRST(name, allows)                                \
	long on_##name(struct sb_call *call)                  \
	{                                                     \
		return pass_first(call, __NR_##name, allows); \
	}

OF_FIRST(sched_setparam, sb_peer_may_schedule)
OF_FIRST(sched_setscheduler, sb_peer_may_schedule)
OF_FIRST(sched_setaffinity, sb_peer_may_schedule)
OF_FIRST(sched_setattr, sb_peer_may_schedule)
OF_FIRST(sched_getparam, NULL)
OF_FIRST(sched_getscheduler, NULL)
OF_FIRST(sched_rr_get_interval, NULL)
OF_FIRST(sched_getattr, NULL)
OF_FIRST(process_vm_readv, sb_peer_may_trace)
OF_FIRST(process_vm_writev, sb_peer_may_trace)
OF_FIRST(get_robust_list, sb_peer_may_trace)
OF_FIRST(move_pages, sb_peer_may_trace)
OF_FIRST(migrate_pages, sb_peer_may_trace)

/* The first argument says what the second names. */
static long pass_priority(struct sb_call *call, long nr, int process, int group, permission *allows)
{
	const int which = (int)sb_arg(call, 0);
	int real;

	if (which == process) {
		real = sb_pid_argument(call, 1);
		if (allows != NULL && !may(call, real, allows))
			return -EPERM;
		return pass(call, nr, 1, real);
	}
	if (which == group)
		return pass(call, nr, 1, sb_pid_group_argument(call, 1));
	return sb_guest_pass(call, nr);
}

long on_getpriority(struct sb_call *call)
{
	return pass_priority(call, __NR_getpriority, PRIORITY_OF_PROCESS, PRIORITY_OF_GROUP, NULL);
}

long on_setpriority(struct sb_call *call)
{
	return pass_priority(call, __NR_setpriority, PRIORITY_OF_PROCESS, PRIORITY_OF_GROUP,
			     sb_peer_may_schedule);
}

long on_ioprio_get(struct sb_call *call)
{
	return pass_priority(call, __NR_ioprio_get, DISK_OF_PROCESS, DISK_OF_GROUP, NULL);
}

long on_ioprio_set(struct sb_call *call)
{
	return pass_priority(call, __NR_ioprio_set, DISK_OF_PROCESS, DISK_OF_GROUP,
			     sb_peer_may_order_disk);
}

long on_perf_event_open(struct sb_call *call)
{
	const int real = sb_pid_argument(call, 1);

	return may(call, real, sb_peer_may_trace) ? pass(call, __NR_perf_event_open, 1, real)
						  : -EPERM;
}

long on_kcmp(struct sb_call *call)
{
	const int one = sb_pid_argument(call, 0);
	const int other = sb_pid_argument(call, 1);

	if (!may(call, one, sb_peer_may_trace) || !may(call, other, sb_peer_may_trace))
		return -EPERM;
	return sb_guest_block(call, __NR_kcmp, one, other, (int)sb_arg(call, 2),
			      (long)sb_arg(call, 3), (long)sb_arg(call, 4), 0);
}

/* ---- pidfds ------------------------------------------------------------------- */

long on_pidfd_getfd(struct sb_call *call)
{
	const uint32_t real = sb_pidfd_process(call, (int)sb_arg(call, 0));

	return real == 0 || sb_peer_may_trace(call, real) ? sb_guest_pass(call, __NR_pidfd_getfd)
							  : -EPERM;
}

long on_process_madvise(struct sb_call *call)
{
	const uint32_t real = sb_pidfd_process(call, (int)sb_arg(call, 0));

	return real == 0 || sb_peer_may_look(call, real) ? sb_guest_pass(call, __NR_process_madvise)
							 : -EACCES;
}
