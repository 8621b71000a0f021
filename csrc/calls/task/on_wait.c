/* SPDX-License-Identifier: MIT */
/*
 * on_wait.c - waits that also report stopped children, or a child's uid.
 *
 * How it works
 *   A paused container is stopped from outside, parents before children, and continued in the other
 *   order (runtime/process/pause.py). A shell would report these as stopped and continued jobs;
 *   they are marked in the process table and passed over here.
 * Rules
 *   The filter traps every waitid, and each wait4 for such children or with __WALL.
 */
#include <asm/siginfo.h>
#include <errno.h>
#include <linux/wait.h>

#include "calls/task/on_ptrace.h"
#include "guest/handlers.h"
#include "guest/peers/sender.h"
#include "guest/pids.h"
#include "guest/process_table.h"

#define STOPPED(status) (((status) & 0xff) == 0x7f)
#define CONTINUED(status) ((status) == 0xffff)
#define SI_WRITTEN 28 /* bytes of siginfo that waitid fills: up to si_status */

/* Was the child stopped or continued from outside? Yes only once. */
static bool is_paced(const struct sb_call *call, long pid, uint32_t mark)
{
	struct sb_proc_slot *slot = sb_proc_find(&call->proc->tree, (uint32_t)pid);
	uint32_t old = slot ? __atomic_load_n(&slot->paced, __ATOMIC_ACQUIRE) : 0;

	while (old & mark) {
		if (__atomic_compare_exchange_n(&slot->paced, &old, old & ~mark, false,
						__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			return true;
	}
	if (old && mark == SB_PACED_STOPPED) /* the guest stopped it, and it will be continued */
		__atomic_fetch_and(&slot->paced, ~(uint32_t)SB_PACED_CONTINUED, __ATOMIC_ACQ_REL);
	return false;
}

static bool hides(const struct sb_call *call, long pid, int *status)
{
	if (CONTINUED(*status))
		return is_paced(call, pid, SB_PACED_CONTINUED);
	if (!STOPPED(*status))
		return false;
	if ((sb_arg(call, 2) & WUNTRACED) && is_paced(call, pid, SB_PACED_STOPPED))
		return true;
	return (sb_arg(call, 2) & __WALL) && sb_ptrace_hides((int)pid, status);
}

/* The child, or the group of children, that a wait is for. */
static int awaited(const struct sb_proc *proc, int shown)
{
	int real;

	if (shown == 0 || shown == -1 || shown == INT32_MIN)
		return shown;
	real = sb_pid_number_from_guest(proc, (uint32_t)(shown > 0 ? shown : -shown));
	if (real < 0)
		real = SB_PID_NOBODY;
	return shown > 0 ? real : -real;
}

long on_wait4(struct sb_call *call)
{
	const int pid = awaited(call->proc, (int)sb_arg(call, 0));
	int status = 0;
	long ret;

	do {
		ret = sb_guest_block(call, __NR_wait4, pid, SB_P(&status), (int)sb_arg(call, 2),
				     (long)sb_arg(call, 3), 0, 0);
		if (ret <= 0)
			return ret;
	} while (hides(call, ret, &status));
	if (sb_arg(call, 1) && sb_guest_write(sb_arg(call, 1), &status, sizeof(status)) < 0)
		return -EFAULT;
	return sb_pid_shown(call->fs->tree, (uint32_t)ret);
}

long on_waitid(struct sb_call *call)
{
	const int type = (int)sb_arg(call, 0);
	int id = (int)sb_arg(call, 1);
	siginfo_t info;
	uint32_t mark;
	long ret;

	if ((type == P_PID || type == P_PGID) && id > 0)
		id = awaited(call->proc, id);
	do {
		memset(&info, 0, sizeof(info));
		ret = sb_guest_block(call, __NR_waitid, type, id, SB_P(&info), (int)sb_arg(call, 3),
				     (long)sb_arg(call, 4), 0);
		if (ret < 0)
			return ret;
		mark = 0;
		if (info.si_pid && !(sb_arg(call, 3) & WNOWAIT)) {
			mark = info.si_code == CLD_CONTINUED ? SB_PACED_CONTINUED : mark;
			mark = info.si_code == CLD_STOPPED ? SB_PACED_STOPPED : mark;
		}
	} while (mark && is_paced(call, info.si_pid, mark));
	sb_sender_to_guest(&call->proc->tree, &info);
	if (sb_arg(call, 2) && sb_guest_write(sb_arg(call, 2), &info, SI_WRITTEN) < 0)
		return -EFAULT;
	return ret;
}
