/* SPDX-License-Identifier: MIT */
/*
 * on_sysinfo.c - sysinfo(2): a container with a memory limit has that much memory.
 *
 * Load, uptime and the number of processes are the machine's, as with Docker.
 */
#include <linux/sysinfo.h>

#include "guest/handlers.h"
#include "guest/peers/use.h"

long on_sysinfo(struct sb_call *call)
{
	const uint64_t limit = call->fs->tree->control->memory_max;
	struct sysinfo info;
	struct sb_use use;
	uint64_t used;
	long ret;

	if (limit == 0)
		return sb_guest_pass(call, __NR_sysinfo);
	ret = sb_syscall(__NR_sysinfo, SB_P(&info), 0, 0, 0, 0, 0);
	if (ret < 0)
		return ret;
	if (limit < (uint64_t)info.totalram * info.mem_unit) {
		sb_use_measure(call, &use);
		used = SB_MIN(use.anonymous + use.shared, limit);
		info.mem_unit = 1;
		info.totalram = limit;
		info.freeram = limit - used;
		info.sharedram = use.shared;
		info.bufferram = 0;
		info.totalswap = 0;
		info.freeswap = 0;
		info.totalhigh = 0;
		info.freehigh = 0;
	}
	return sb_guest_write(sb_arg(call, 0), &info, sizeof(info));
}
