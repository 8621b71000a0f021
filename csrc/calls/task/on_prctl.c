/* SPDX-License-Identifier: MIT */
/*
 * on_prctl.c - prctl(2): options about credentials and about the process itself.
 *
 * The kernel gets all others.
 */
#include <errno.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>

#include "calls/task/on_seccomp.h"
#include "guest/handlers.h"
#include "guest/pids.h"
#include "guest/process_table.h"
#include "guest/trace.h"

/* Of newer headers than some build hosts have. */
#define SET_SYSCALL_USER_DISPATCH 59
#define SET_MDWE 65
#define SCHED_CORE 62

static long change_ambient(struct sb_call *call)
{
	const uint64_t cap = sb_arg(call, 2);

	if ((sb_arg(call, 3) | sb_arg(call, 4)) != 0)
		return -EINVAL;
	if (sb_arg(call, 1) == PR_CAP_AMBIENT_CLEAR_ALL) {
		if (cap != 0)
			return -EINVAL;
		call->ids->cap_ambient = 0;
		return 0;
	}
	if (cap > SB_CAP_LAST)
		return -EINVAL;
	switch (sb_arg(call, 1)) {
	case PR_CAP_AMBIENT_IS_SET:
		return (long)(call->ids->cap_ambient >> cap & 1);
	case PR_CAP_AMBIENT_RAISE:
		return sb_ids_raise_ambient(sb_call_change_ids(call), cap);
	case PR_CAP_AMBIENT_LOWER:
		return sb_ids_lower_ambient(sb_call_change_ids(call), cap);
	default:
		return -EINVAL;
	}
}

/* The other processes know of the change, too. */
static long told(const struct sb_call *call, long result)
{
	if (result == 0)
		sb_proc_publish(call->proc, call->ids);
	return result;
}

static long set_no_new_privs(struct sb_call *call)
{
	if (sb_arg(call, 1) != 1 || (sb_arg(call, 2) | sb_arg(call, 3) | sb_arg(call, 4)) != 0)
		return -EINVAL;
	call->ids->no_new_privs = 1;
	return told(call, 0);
}

/* The process stays dumpable for the kernel; otherwise /proc/self would belong to the host's
 * root. */
static long set_dumpable(struct sb_call *call)
{
	if (sb_arg(call, 1) > 1)
		return -EINVAL;
	call->proc->dumpable = (uint32_t)sb_arg(call, 1);
	return told(call, 0);
}

static long refuse(struct sb_call *call, const char *what, int error)
{
	sb_trace_note(call, what);
	return -error;
}

/* The main process has the orphans in any case, as an init. */
static long set_subreaper(struct sb_call *call)
{
	call->proc->subreaper = sb_arg(call, 1) != 0;
	return sb_pid_is_first(call->proc) ? 0 : sb_guest_pass(call, __NR_prctl);
}

static long get_subreaper(struct sb_call *call)
{
	const uint32_t is_one = call->proc->subreaper;

	if (!sb_pid_is_first(call->proc))
		return sb_guest_pass(call, __NR_prctl);
	return sb_guest_write(sb_arg(call, 1), &is_one, sizeof(is_one));
}

/* Argument n is a process; a larger number stands for all (PR_SET_PTRACER_ANY). */
static long pass_process(struct sb_call *call, unsigned n)
{
	long args[5];

	for (unsigned i = 0; i < SB_ARRAY_LEN(args); i++)
		args[i] = (long)sb_arg(call, i);
	if (sb_arg(call, n) <= INT32_MAX)
		args[n] = sb_pid_argument(call, n);
	return sb_guest_block(call, __NR_prctl, args[0], args[1], args[2], args[3], args[4], 0);
}

long on_prctl(struct sb_call *call)
{
	struct sb_ids *ids = call->ids;
	const int option = (int)sb_arg(call, 0);

	switch (option) {
	case PR_SET_NO_NEW_PRIVS:
		return set_no_new_privs(call);
	case PR_GET_NO_NEW_PRIVS:
		if ((sb_arg(call, 1) | sb_arg(call, 2) | sb_arg(call, 3) | sb_arg(call, 4)) != 0)
			return -EINVAL;
		return ids->no_new_privs;
	case PR_CAPBSET_READ:
		if (sb_arg(call, 1) > SB_CAP_LAST)
			return -EINVAL;
		return (long)(ids->cap_bounding >> sb_arg(call, 1) & 1);
	case PR_CAPBSET_DROP:
		return told(call, sb_ids_drop_bounding(sb_call_change_ids(call), sb_arg(call, 1)));
	case PR_CAP_AMBIENT:
		return told(call, change_ambient(call));
	case PR_GET_SECUREBITS:
		return ids->securebits;
	case PR_SET_SECUREBITS:
		return sb_ids_set_securebits(sb_call_change_ids(call), sb_arg(call, 1));
	case PR_GET_KEEPCAPS:
		return ids->securebits >> SECURE_KEEP_CAPS & 1;
	case PR_SET_KEEPCAPS:
		return sb_ids_keep_caps(sb_call_change_ids(call), sb_arg(call, 1));
	case PR_GET_DUMPABLE:
		return call->proc->dumpable;
	case PR_SET_DUMPABLE:
		return set_dumpable(call);
	case PR_GET_SECCOMP:
		return call->proc->seccomp_mode;
	case PR_SET_SECCOMP:
		if (sb_arg(call, 1) != SECCOMP_MODE_FILTER)
			return refuse(call, "strict mode cannot be had", EINVAL);
		return sb_seccomp_accept(call, sb_arg(call, 2));
	case PR_SET_CHILD_SUBREAPER:
		return set_subreaper(call);
	case PR_GET_CHILD_SUBREAPER:
		return get_subreaper(call);
	case PR_SET_PTRACER:
		return pass_process(call, 1);
	case SCHED_CORE:
		return pass_process(call, 2);
	case PR_SET_MM:
		return refuse(call, "the memory map belongs to the runtime", EPERM);
	case SET_SYSCALL_USER_DISPATCH:
		return refuse(call, "user dispatch would bypass the runtime", EINVAL);
	case SET_MDWE:
		return refuse(call, "memory must stay changeable", EINVAL);
	default:
		return sb_guest_pass(call, __NR_prctl);
	}
}
