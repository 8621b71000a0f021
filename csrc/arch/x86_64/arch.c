/* SPDX-License-Identifier: MIT */
/*
 * arch.c - the thread pointer of the runtime on x86-64: the gs base.
 *
 * A 32-bit program uses gs as its own thread pointer. There the fs base holds the block's address,
 * too.
 */
#include "arch.h"

#define HWCAP2_FSGSBASE 2
#define ARCH_SET_GS 0x1001
#define ARCH_SET_FS 0x1002
#define ARCH_GET_FS 0x1003

uint32_t sb_gs_mode;

void sb_arch_probe(uint64_t hwcap2)
{
	sb_gs_mode = hwcap2 & HWCAP2_FSGSBASE ? SB_GS_READ : SB_GS_OURS;
}

static bool has_fsgsbase(void)
{
	return sb_gs_mode == SB_GS_READ;
}

void sb_arch_set_thread(struct sb_thread *thread)
{
	const uint64_t base = sb_arch_pointer_to(thread);

	if (has_fsgsbase())
		__asm__ volatile("wrgsbase %0" : : "r"(base) : "memory");
	else
		sb_syscall6(__NR_arch_prctl, ARCH_SET_GS, (long)base, 0, 0, 0, 0);
}

void sb_arch_set_fs_base(struct sb_thread *thread)
{
	sb_syscall6(__NR_arch_prctl, ARCH_SET_FS, (long)(uintptr_t)thread, 0, 0, 0, 0);
}

uint64_t sb_arch_fs_base(void)
{
	uint64_t base = 0;

	if (has_fsgsbase())
		__asm__ volatile("rdfsbase %0" : "=r"(base));
	else
		sb_syscall6(__NR_arch_prctl, ARCH_GET_FS, (long)(uintptr_t)&base, 0, 0, 0, 0);
	return base;
}
