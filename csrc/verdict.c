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

unsigned sb_verdict(uint64_t nr)
{
	return nr > SB_NR_KNOWN ? SB_REFUSED + ENOSYS : verdicts[nr];
}

int sb_verdict_argument(uint64_t nr)
{
	switch (nr) {
	case __NR_ppoll:
		return 3;
	case __NR_epoll_pwait:
	case __NR_epoll_pwait2:
	case __NR_recvfrom:
	case __NR_sendto:
		return 4;
	case __NR_pselect6:
		return 5;
	case __NR_accept:
	case __NR_accept4:
		return 1;
	default:
		return -1;
	}
}

bool sb_verdict_is_descriptor(uint64_t nr)
{
	return nr == __NR_close || nr == __NR_dup2 || nr == __NR_dup3 || nr == __NR_close_range;
}

bool sb_verdict_request_changes_file(uint32_t request)
{
	return request == SB_IOCTL_SET_FLAGS || request == SB_IOCTL_SET_FLAGS32 ||
	       request == SB_IOCTL_SET_FSXATTR;
}
