/* SPDX-License-Identifier: MIT */
/*
 * verdict.c - what becomes of each system call number, for every interceptor. Pure.
 */
#include "pure/verdict.h"

#include <asm/ioctls.h>
#include <asm/sockios.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/fscrypt.h>
#include <linux/fsverity.h>

#include "base/sys.h"

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
	case __NR_sched_setparam:
	case __NR_sched_getparam:
	case __NR_sched_setscheduler:
	case __NR_sched_getscheduler:
	case __NR_sched_rr_get_interval:
	case __NR_sched_setaffinity:
	case __NR_sched_setattr:
	case __NR_sched_getattr:
	case __NR_get_robust_list:
		return 0;
	case __NR_getpriority:
	case __NR_ioprio_get:
		return 1;
	case __NR_ppoll:
		return 3;
	case __NR_epoll_pwait:
	case __NR_epoll_pwait2:
	case __NR_recvfrom:
	case __NR_sendto:
		return 4;
	case __NR_pselect6:
		return 5;
	default:
		return -1;
	}
}

bool sb_verdict_is_descriptor(uint64_t nr)
{
	return nr == __NR_close || nr == __NR_dup2 || nr == __NR_dup3 || nr == __NR_close_range ||
	       nr == __NR_dup;
}

bool sb_verdict_is_ipc(uint64_t nr)
{
	switch (nr) {
	case __NR_shmget:
	case __NR_shmat:
	case __NR_shmctl:
	case __NR_semget:
	case __NR_semop:
	case __NR_semtimedop:
	case __NR_semctl:
	case __NR_msgget:
	case __NR_msgsnd:
	case __NR_msgrcv:
	case __NR_msgctl:
		return true;
	default:
		return false;
	}
}

bool sb_verdict_is_clock(uint64_t nr)
{
	return nr == __NR_clock_gettime || nr == __NR_clock_getres || nr == __NR_clock_nanosleep;
}

bool sb_verdict_is_of_profile(uint64_t nr)
{
	return nr == __NR_perf_event_open || nr == __NR_kcmp || nr == __NR_move_pages ||
	       nr == __NR_migrate_pages;
}

#define GETLK_OF_32_BITS 12 /* F_GETLK64 */

const unsigned short sb_verdict_process_commands[] = {
	F_GETLK, F_SETOWN, F_GETOWN, F_SETOWN_EX, F_GETOWN_EX, F_OFD_GETLK, GETLK_OF_32_BITS, 0,
};

bool sb_verdict_fcntl_names_process(uint32_t command)
{
	const unsigned short *known = sb_verdict_process_commands;

	while (*known != 0 && *known != command)
		known++;
	return *known != 0;
}

const unsigned short sb_verdict_process_requests[] = {TIOCGPGRP, TIOCSPGRP, TIOCGSID,  FIOSETOWN,
						      FIOGETOWN, SIOCSPGRP, SIOCGPGRP, 0};

bool sb_verdict_request_names_process(uint32_t request)
{
	const unsigned short *known = sb_verdict_process_requests;

	while (*known != 0 && *known != request)
		known++;
	return *known != 0;
}

/* the ones of ext2 and most others, of ext4 (version), XFS, btrfs, f2fs, FAT, Ceph */
const unsigned short sb_verdict_file_types[] = {0x6600, 0x7600, 0x5800, 0x9400,
						0xf500, 0x7200, 0x9700, 0};

bool sb_verdict_request_is_of_files(uint32_t request)
{
	const unsigned short *type = sb_verdict_file_types;

	while (*type != 0 && *type != (request & SB_IOCTL_TYPE))
		type++;
	return *type != 0;
}

bool sb_verdict_request_is_harmless(uint32_t request)
{
	switch (request) {
	case FS_IOC_GETFLAGS:
	case FS_IOC32_GETFLAGS:
	case FS_IOC_GETVERSION:
	case FS_IOC32_GETVERSION:
	case FS_IOC_FSGETXATTR:
	case FS_IOC_GETFSLABEL:
	case FS_IOC_FIEMAP:
	case FICLONE:
	case FICLONERANGE:
	case FIDEDUPERANGE:
	case FS_IOC_GET_ENCRYPTION_POLICY:
	case FS_IOC_GET_ENCRYPTION_POLICY_EX:
	case FS_IOC_GET_ENCRYPTION_KEY_STATUS:
	case FS_IOC_GET_ENCRYPTION_NONCE:
	case FS_IOC_MEASURE_VERITY:
	case FS_IOC_READ_VERITY_METADATA:
	case SB_IOCTL_PROCMAP_QUERY:
		return true;
	default:
		return false;
	}
}

bool sb_verdict_request_changes_file(uint32_t request)
{
	return request == SB_IOCTL_SET_FLAGS || request == SB_IOCTL_SET_FLAGS32 ||
	       request == SB_IOCTL_SET_FSXATTR;
}
