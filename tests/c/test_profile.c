/* SPDX-License-Identifier: MIT */
/*
 * test_profile.c - a seccomp profile says about a call what the kernel would say.
 */
#include "pure/profile.h"

#include <asm/unistd.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>

#include "check.h"

#define LD(offset) {BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)(offset)}
#define JUMP(op, k, jt, jf) {BPF_JMP | (op) | BPF_K, jt, jf, k}
#define RET(value) {BPF_RET | BPF_K, 0, 0, value}
#define ARG(n) (offsetof(struct seccomp_data, args) + 8 * (n))

/* read: EPERM. write: where the flags in argument 2 have the bit 4. Descriptor 5 of any other call
 * above 2^32: killed. */
static const struct sb_profile_step steps[] = {
	LD(offsetof(struct seccomp_data, nr)),
	JUMP(BPF_JEQ, __NR_read, 0, 1),
	RET(SECCOMP_RET_ERRNO | 1),
	JUMP(BPF_JEQ, __NR_write, 0, 5),
	LD(ARG(2)),
	{BPF_ALU | BPF_AND | BPF_K, 0, 0, 4},
	JUMP(BPF_JEQ, 4, 0, 1),
	RET(SECCOMP_RET_ERRNO | 13),
	RET(SECCOMP_RET_ALLOW),
	LD(ARG(0) + 4),
	JUMP(BPF_JGT, 0, 0, 3),
	LD(ARG(0)),
	JUMP(BPF_JGE, 5, 0, 1),
	RET(SECCOMP_RET_KILL_PROCESS),
	RET(SECCOMP_RET_ALLOW),
};

static uint32_t run(uint64_t nr, uint64_t first, uint64_t third)
{
	const uint64_t args[6] = {first, 0, third};

	return sb_profile_run(steps, sizeof(steps) / sizeof(steps[0]), nr, args);
}

static void test_program(void)
{
	CHECK_INT(run(__NR_read, 0, 0), SECCOMP_RET_ERRNO | 1);
	CHECK_INT(run(__NR_write, 0, 12), SECCOMP_RET_ERRNO | 13);
	CHECK_INT(run(__NR_write, 0, 3), SECCOMP_RET_ALLOW);
	CHECK_INT(run(__NR_close, 5, 0), SECCOMP_RET_ALLOW);
	CHECK_INT(run(__NR_close, 1ULL << 32 | 5, 0), SECCOMP_RET_KILL_PROCESS);
	CHECK_INT(run(__NR_close, 1ULL << 32 | 4, 0), SECCOMP_RET_ALLOW);
}

static void test_damaged_programs(void)
{
	static const struct sb_profile_step far[] = {{BPF_JMP | BPF_JA, 0, 0, UINT32_MAX}};
	static const struct sb_profile_step other[] = {{BPF_ST, 0, 0, 0}, RET(SECCOMP_RET_ALLOW)};
	static const struct sb_profile_step outside[] = {LD(4000), JUMP(BPF_JEQ, 0, 0, 9),
							 RET(SECCOMP_RET_ALLOW)};
	const uint64_t args[6] = {0};

	CHECK_INT(sb_profile_run(steps, 0, 0, args), SECCOMP_RET_KILL_PROCESS);
	CHECK_INT(sb_profile_run(far, 1, 0, args), SECCOMP_RET_KILL_PROCESS);
	CHECK_INT(sb_profile_run(other, 2, 0, args), SECCOMP_RET_KILL_PROCESS);
	CHECK_INT(sb_profile_run(outside, 3, 0, args), SECCOMP_RET_ALLOW);
}

static void test_needed(void)
{
	CHECK(sb_profile_is_needed(__NR_openat));
	CHECK(sb_profile_is_needed(__NR_mprotect));
	CHECK(!sb_profile_is_needed(__NR_open)); /* openat serves */
	CHECK(!sb_profile_is_needed(__NR_ptrace));
	CHECK(!sb_profile_is_needed(__NR_kexec_load));
	CHECK(!sb_profile_is_needed(__NR_getpriority));
	CHECK(!sb_profile_is_needed(100000));
}

int main(void)
{
	test_program();
	test_damaged_programs();
	test_needed();
	return 0;
}
