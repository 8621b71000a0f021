/* SPDX-License-Identifier: MIT */
/*
 * verdict.c - what becomes of each system call number, for every way in.
 *
 * Level 1. Pure.
 */
#include "verdict.h"

#include <errno.h>

#include "sys.h"

static const unsigned short verdicts[SB_NR_KNOWN + 1] = {
#define ON(name) [__NR_##name] = SB_TRAPPED,
#define REFUSE(name, error) [__NR_##name] = SB_REFUSED + (error),
#include "syscalls.def"
#undef ON
#undef REFUSE
};

/* Calls whose common form needs no help. */
static const struct {
	unsigned short nr;
	unsigned short arg;
} when_set[] = {
	{__NR_ppoll, 3},    {__NR_epoll_pwait, 4}, {__NR_epoll_pwait2, 4}, {__NR_pselect6, 5},
	{__NR_recvfrom, 4}, {__NR_sendto, 4},      {__NR_accept, 1},       {__NR_accept4, 1},
};

unsigned sb_verdict(uint64_t nr)
{
	return nr > SB_NR_KNOWN ? SB_REFUSED + ENOSYS : verdicts[nr];
}

int sb_verdict_argument(uint64_t nr)
{
	for (size_t i = 0; i < SB_ARRAY_LEN(when_set); i++) {
		if (when_set[i].nr == nr)
			return when_set[i].arg;
	}
	return -1;
}
