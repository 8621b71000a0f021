/* SPDX-License-Identifier: MIT */
/*
 * i386_limits.c - what 32-bit programs are told of memory.
 */
#include <linux/sysinfo.h>

#include "guest/handlers.h"
#include "i386_call.h"

#define LARGEST_UNIT 4096

struct sysinfo32 {
	int32_t uptime;
	uint32_t loads[3];
	uint32_t totalram;
	uint32_t freeram;
	uint32_t sharedram;
	uint32_t bufferram;
	uint32_t totalswap;
	uint32_t freeswap;
	uint16_t procs;
	uint16_t pad;
	uint32_t totalhigh;
	uint32_t freehigh;
	uint32_t mem_unit;
	char space[8];
};

/* As the kernel does: amounts that do not fit are counted in larger units. */
static unsigned shift_of(const struct sysinfo *info)
{
	unsigned shift = 0;

	if (((info->totalram | info->totalswap) >> 32) == 0)
		return 0;
	while (info->mem_unit << shift < LARGEST_UNIT)
		shift++;
	return shift;
}

long sb_i386_sysinfo(struct sb_call *call)
{
	const uint64_t to = call->regs->args[0];
	struct sysinfo info;
	struct sysinfo32 small = {0};
	unsigned shift;
	long ret;

	call->regs->args[0] = (uint64_t)(uintptr_t)&info;
	ret = on_sysinfo(call);
	if (ret < 0)
		return ret;
	shift = shift_of(&info);
	small.uptime = (int32_t)info.uptime;
	for (unsigned i = 0; i < 3; i++)
		small.loads[i] = (uint32_t)info.loads[i];
	small.totalram = (uint32_t)(info.totalram >> shift);
	small.freeram = (uint32_t)(info.freeram >> shift);
	small.sharedram = (uint32_t)(info.sharedram >> shift);
	small.bufferram = (uint32_t)(info.bufferram >> shift);
	small.totalswap = (uint32_t)(info.totalswap >> shift);
	small.freeswap = (uint32_t)(info.freeswap >> shift);
	small.procs = info.procs;
	small.totalhigh = (uint32_t)(info.totalhigh >> shift);
	small.freehigh = (uint32_t)(info.freehigh >> shift);
	small.mem_unit = info.mem_unit << shift;
	return sb_guest_write(to, &small, sizeof(small));
}
