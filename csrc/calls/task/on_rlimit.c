/* SPDX-License-Identifier: MIT */
/*
 * on_rlimit.c - limits of processes: the one whose hard limit marks a container's processes.
 *
 * How it works
 *   The host side finds the processes of a container by their mark (SB_MARK_RESOURCE), so nobody
 *   may change it: the filter refuses that even to the runtime. A guest sees "unlimited" in its
 *   place, and may set what it sees. The filter traps no other resource of the caller.
 */
#include <errno.h>

#include "guest/handlers.h"
#include "guest/peers/peers.h"
#include "guest/pids.h"

struct limits {
	uint64_t soft;
	uint64_t hard;
};

static uint64_t shown(uint64_t limit)
{
	return limit >= SB_MARK_FIRST ? UINT64_MAX : limit;
}

static long read_limits(int pid, struct limits *out)
{
	long ret = sb_syscall(__NR_prlimit64, pid, SB_MARK_RESOURCE, 0, SB_P(out), 0, 0);

	out->soft = shown(out->soft);
	out->hard = shown(out->hard);
	return ret;
}

/* new and old are addresses of the guest, or 0. */
static long change(int pid, uint64_t new, uint64_t old)
{
	struct limits now = {0, 0};
	struct limits wanted;
	long ret = read_limits(pid, &now);

	if (ret == 0 && new != 0) {
		ret = sb_guest_read(&wanted, new, sizeof(wanted));
		if (ret == 0 && wanted.soft > wanted.hard)
			ret = -EINVAL;
		else if (ret == 0 && (wanted.soft != now.soft || wanted.hard != now.hard))
			ret = -EPERM;
	}
	return ret == 0 && old != 0 ? sb_guest_write(old, &now, sizeof(now)) : ret;
}

static bool is_mark(const struct sb_call *call, unsigned argument)
{
	return (uint32_t)sb_arg(call, argument) == SB_MARK_RESOURCE;
}

long on_getrlimit(struct sb_call *call)
{
	struct limits now = {0, 0};
	long ret;

	if (!is_mark(call, 0))
		return sb_guest_pass(call, __NR_getrlimit);
	ret = read_limits(0, &now);
	return ret < 0 ? ret : sb_guest_write(sb_arg(call, 1), &now, sizeof(now));
}

long on_setrlimit(struct sb_call *call)
{
	if (!is_mark(call, 0))
		return sb_guest_pass(call, __NR_setrlimit);
	return sb_arg(call, 1) == 0 ? -EFAULT : change(0, sb_arg(call, 1), 0);
}

long on_prlimit64(struct sb_call *call)
{
	const int pid = sb_pid_argument(call, 0);

	if (pid > 0 && pid != SB_PID_NOBODY && !sb_peer_may_limit(call, (uint32_t)pid))
		return -EPERM;
	if (!is_mark(call, 1))
		return sb_guest_block(call, __NR_prlimit64, pid, (long)sb_arg(call, 1),
				      (long)sb_arg(call, 2), (long)sb_arg(call, 3), 0, 0);
	return change(pid, sb_arg(call, 2), sb_arg(call, 3));
}
