/* SPDX-License-Identifier: MIT */
/*
 * profile.c - what a user's seccomp profile says about a system call. Pure.
 */
#include "pure/profile.h"

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "base/sys.h"
#include "pure/verdict.h"

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

/* The calls of the guest build that syscalls.def does not trap; a test compares. */
static const uint16_t own_calls[] = {
	__NR_arch_prctl,
	__NR_brk,
	__NR_clock_gettime,
	__NR_copy_file_range,
	__NR_exit_group,
	__NR_fcntl,
	__NR_flock,
	__NR_ftruncate,
	__NR_futex,
	__NR_getpid,
	__NR_gettid,
	__NR_lseek,
	__NR_madvise,
	__NR_memfd_create,
	__NR_mprotect,
	__NR_munmap,
	__NR_personality,
	__NR_pidfd_open,
	__NR_pidfd_send_signal,
	__NR_setsid,
	__NR_sched_setaffinity,
	__NR_sched_getaffinity,
	__NR_pread64,

	__NR_process_vm_readv,
	__NR_pwrite64,
	__NR_read,
	__NR_rt_sigreturn,
	__NR_rt_tgsigqueueinfo,
	__NR_sched_yield,
	__NR_setsockopt,
	__NR_tgkill,
	__NR_tkill,
	__NR_write,
};

bool sb_profile_is_needed(uint64_t nr)
{
	if (nr > SB_NR_KNOWN)
		return false;
	if (sb_verdict(nr) == SB_TRAPPED)
		return true;
	for (size_t i = 0; i < SB_ARRAY_LEN(own_calls); i++) {
		if (own_calls[i] == nr)
			return true;
	}
	return false;
}
