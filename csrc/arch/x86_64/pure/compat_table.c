/* SPDX-License-Identifier: MIT */
/*
 * compat_table.c - which system calls of 32-bit programs the kernel answers.
 */
#include "compat_table.h"

#include "base/sys.h"

static const bool native[SB_COMPAT_KNOWN + 1] = {
#define NATIVE(nr, name) [nr] = true,
#define PLAIN(nr, name, call)
#define CONVERT(nr, name, call, change)
#define REFUSE(nr, name, error)
#include "i386.def"
#undef NATIVE
#undef PLAIN
#undef CONVERT
#undef REFUSE
};

bool sb_compat_is_native(uint64_t nr)
{
	return nr <= SB_COMPAT_KNOWN && native[nr];
}

/* Those of i386_call.h, compat.h and compat.S, each by its number. */
static const unsigned short own[] = {
	20,   /* getpid */
	SB_COMPAT_FCNTL,
	SB_COMPAT_IOCTL,
	SB_COMPAT_CLONE,
	161,   /* sched_rr_get_interval */
	172,   /* prctl */
	178,   /* rt_sigqueueinfo */
	192,   /* mmap2 */
	220,   /* getdents64 */
	SB_COMPAT_FCNTL64,
	242,   /* sched_getaffinity */
	265,   /* clock_gettime */
	266,   /* clock_getres */
	267,   /* clock_nanosleep */
	308,   /* pselect6 */
	309,   /* ppoll */
	312,   /* get_robust_list */
	319,   /* epoll_pwait */
	335,   /* rt_tgsigqueueinfo */
	347,   /* process_vm_readv */
	348,   /* process_vm_writev */
	360,   /* socketpair */
	365,   /* getsockopt */
	366,   /* setsockopt */
	371,   /* recvfrom */
	373,   /* shutdown */
	394,   /* semctl */
	396,   /* shmctl */
	397,   /* shmat */
	400,   /* msgsnd */
	401,   /* msgrcv */
	402,   /* msgctl */
	403,   /* clock_gettime64 */
	406,   /* clock_getres_time64 */
	407,   /* clock_nanosleep_time64 */
	413,   /* pselect6_time64 */
	414,   /* ppoll_time64 */
	423,   /* sched_rr_get_interval_time64 */
	424,   /* pidfd_send_signal */
	441,   /* epoll_pwait2 */
};

bool sb_compat_is_own(uint64_t nr)
{
	for (size_t i = 0; i < SB_ARRAY_LEN(own); i++) {
		if (own[i] == nr)
			return true;
	}
	return false;
}
