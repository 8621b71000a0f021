/* SPDX-License-Identifier: MIT */
/*
 * profile.c - what a user's seccomp profile says about a system call. Pure.
 */
#include "pure/profile.h"

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "base/sys.h"

#define ARGS ((uint32_t)offsetof(struct seccomp_data, args))

/* Return the 32-bit word of struct seccomp_data at this offset. */
static uint32_t word_at(uint32_t offset, uint64_t nr, const uint64_t args[6])
{
	const uint32_t at = (offset - ARGS) / 4;

	if (offset == offsetof(struct seccomp_data, nr))
		return (uint32_t)nr;
	if (offset < ARGS || at >= 12)
		return 0;
	return (uint32_t)(args[at / 2] >> 32 * (at % 2));
}

uint32_t sb_profile_run(const struct sb_profile_step *steps, uint32_t count, uint64_t nr,
			const uint64_t args[6])
{
	uint32_t a = 0;

	for (uint64_t pc = 0; pc < count; pc++) {
		const struct sb_profile_step *step = &steps[pc];

		switch (step->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			a = word_at(step->k, nr, args);
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= step->k;
			break;
		case BPF_JMP | BPF_JA:
			pc += step->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += a == step->k ? step->jt : step->jf;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			pc += a > step->k ? step->jt : step->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			pc += a >= step->k ? step->jt : step->jf;
			break;
		case BPF_RET | BPF_K:
			return step->k;
		default:
			return SECCOMP_RET_KILL_PROCESS;
		}
	}
	return SECCOMP_RET_KILL_PROCESS;
}

/* The calls that the runtime makes to answer others; a test compares them with its code. A call
 * that it makes only with the guest's own arguments is not here: the profile has allowed it by
 * then. */
static const uint16_t own_calls[] = {
	__NR_accept,
	__NR_accept4,
	__NR_arch_prctl,
	__NR_bind,
	__NR_chdir,
	__NR_clock_gettime,
	__NR_clone,
	__NR_close,
	__NR_close_range,
	__NR_connect,
	__NR_copy_file_range,
	__NR_dup,
	__NR_dup2,
	__NR_dup3,
	__NR_epoll_pwait,
	__NR_epoll_pwait2,
	__NR_execve,
	__NR_exit_group,
	__NR_faccessat,
	__NR_faccessat2,
	__NR_fchdir,
	__NR_fchmod,
	__NR_fchmodat,
	__NR_fchmodat2,
	__NR_fchown,
	__NR_fchownat,
	__NR_fcntl,
	__NR_fgetxattr,
	__NR_flistxattr,
	__NR_flock,
	__NR_fork,
	__NR_fremovexattr,
	__NR_fsetxattr,
	__NR_fstat,
	__NR_fstatfs,
	__NR_ftruncate,
	__NR_futex,
	__NR_getcwd,
	__NR_getdents,
	__NR_getdents64,
	__NR_getpeername,
	__NR_getpgid,
	__NR_getpid,
	__NR_getsid,
	__NR_getsockname,
	__NR_getsockopt,
	__NR_gettid,
	__NR_inotify_add_watch,
	__NR_ioctl,
	__NR_kill,
	__NR_lgetxattr,
	__NR_linkat,
	__NR_listen,
	__NR_llistxattr,
	__NR_lremovexattr,
	__NR_lseek,
	__NR_lsetxattr,
	__NR_madvise,
	__NR_memfd_create,
	__NR_mkdirat,
	__NR_mknodat,
	__NR_mmap,
	__NR_mprotect,
	__NR_msgctl,
	__NR_munmap,
	__NR_nanosleep,
	__NR_newfstatat,
	__NR_openat,
	__NR_openat2,
	__NR_personality,
	__NR_pidfd_open,
	__NR_pidfd_send_signal,
	__NR_ppoll,
	__NR_prctl,
	__NR_pread64,
	__NR_prlimit64,
	__NR_process_vm_readv,
	__NR_pselect6,
	__NR_pwrite64,
	__NR_read,
	__NR_readlinkat,
	__NR_recvfrom,
	__NR_recvmmsg,
	__NR_recvmsg,
	__NR_renameat2,
	__NR_rt_sigaction,
	__NR_rt_sigprocmask,
	__NR_rt_sigreturn,
	__NR_rt_sigsuspend,
	__NR_rt_sigtimedwait,
	__NR_rt_tgsigqueueinfo,
	__NR_sched_getaffinity,
	__NR_sched_setaffinity,
	__NR_sched_yield,
	__NR_semctl,
	__NR_sendmmsg,
	__NR_sendmsg,
	__NR_sendto,
	__NR_setsid,
	__NR_setsockopt,
	__NR_shmctl,
	__NR_signalfd4,
	__NR_socket,
	__NR_socketpair,
	__NR_statfs,
	__NR_statx,
	__NR_symlinkat,
	__NR_tgkill,
	__NR_tkill,
	__NR_truncate,
	__NR_umask,
	__NR_uname,
	__NR_unlinkat,
	__NR_utimensat,
	__NR_vfork,
	__NR_wait4,
	__NR_waitid,
	__NR_write,
};

bool sb_profile_is_needed(uint64_t nr)
{
	for (size_t i = 0; i < SB_ARRAY_LEN(own_calls); i++) {
		if (own_calls[i] == nr)
			return true;
	}
	return false;
}
