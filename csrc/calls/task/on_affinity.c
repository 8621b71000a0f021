/* SPDX-License-Identifier: MIT */
/*
 * on_affinity.c - sched_getaffinity(2): a container with a limit of CPUs sees as many.
 *
 * A limit of time (--cpus) binds no process to a CPU. What a process has chosen itself, outside of
 * the CPUs that it sees, it sees, too.
 */
#include <errno.h>

#include "base/mem.h"
#include "guest/handlers.h"
#include "guest/pids.h"
#include "procfs/proc_limits.h"

#define WORDS (SB_MAX_CPUS / 64)

/* Keep the CPUs that the container sees, if any of them is in the mask. */
static void narrow(const struct sb_control *control, uint64_t mask[WORDS])
{
	uint64_t kept[WORDS];
	uint64_t any = 0;

	for (unsigned i = 0; i < WORDS; i++) {
		kept[i] = mask[i] & control->cpus[i];
		any |= kept[i];
	}
	if (any != 0)
		memcpy(mask, kept, sizeof(kept));
}

long on_sched_getaffinity(struct sb_call *call)
{
	const struct sb_control *control = call->fs->tree->control;
	const uint32_t room = (uint32_t)sb_arg(call, 1);
	const uint32_t unit = sb_proc_is_32(call->proc) ? 4 : 8;
	uint64_t mask[WORDS] = {0};
	long ret;
	int err;

	if (room % unit != 0)
		return -EINVAL;
	ret = sb_syscall(__NR_sched_getaffinity, sb_pid_argument(call, 0),
			 (long)SB_MIN(((uint64_t)room + 7) & ~7ULL, sizeof(mask)), SB_P(mask), 0, 0,
			 0);
	if (ret < 0)
		return ret;
	if (sb_limits_cpus(control))
		narrow(control, mask);
	ret = SB_MIN(ret, (long)room);
	err = sb_guest_write(sb_arg(call, 2), mask, (size_t)ret);
	return err < 0 ? err : ret;
}
