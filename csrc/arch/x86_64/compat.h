/* SPDX-License-Identifier: MIT */
/*
 * compat.h - 32-bit programs on x86-64: their system calls, made by the runtime.
 *
 * Rules
 *   A processor without such programs defines SB_HAS_COMPAT as 0 and sb_compat_is_machine() as
 *   false; the compiler then drops every use of the other functions. Addresses among the arguments
 *   of these calls lie below 4 GiB. Results are >= 0 or -errno.
 */
#ifndef SB_COMPAT_H
#define SB_COMPAT_H

#include "arch.h"

#define SB_HAS_COMPAT 1
#define SB_COMPAT_AUDIT AUDIT_ARCH_I386
/* The highest address of a 32-bit program, as in the kernel. */
#define SB_COMPAT_END 0xffffe000ULL
#define SB_COMPAT_PIE_BASE 0x56555000ULL
#define SB_COMPAT_PIE_PAGES 256

#define SB_NR32_GETDENTS64 220
#define SB_NR32_MMAP2 192
#define SB_NR32_SEMCTL 394
#define SB_NR32_SHMCTL 396
#define SB_NR32_SHMAT 397
#define SB_NR32_MSGSND 400
#define SB_NR32_MSGRCV 401
#define SB_NR32_MSGCTL 402
#define SB_INT80_SIZE 2

#if !__STDC_HOSTED__
#pragma GCC visibility push(hidden)
#endif

/* compat.S */
struct ucontext;
long sb_syscall32(long nr, const long args[6]);
/* Make the last step of a call, which may block, as sb_block does. */
long sb_block32(long nr, const long args[6]);
extern char sb_block32_asked[];
extern char sb_block32_done[];
extern char sb_block32_refused[];
/* A child with a block begins on the block's stack; the word at the top says where. */
long sb_clone32(uint64_t flags, uint64_t stack, uint64_t ptid, uint64_t ctid, uint64_t tls,
		struct sb_thread *child);
void sb_sigreturn32(const struct ucontext *uc, unsigned gs) __attribute__((noreturn));
/* Jump into a new program. */
void sb_compat_jump(uint64_t entry, uint64_t sp) __attribute__((noreturn));
/* Start a child that makes such a call. It ends with 0, or otherwise when the kernel has no such
 * calls. Returns its pid; wait with __WCLONE. */
long sb_try32(void);

#if !__STDC_HOSTED__
#pragma GCC visibility pop
#endif

/* Is a program with this e_machine one of 32 bits? As in the kernel, which does not look at the
 * class of these. */
static inline bool sb_compat_is_machine(uint32_t machine)
{
	return machine == 3 /* EM_386 */ || machine == 6 /* EM_486, never used */;
}

/* Map memory with mmap2: the kernel puts it where a 32-bit program may have it. */
static inline long sb_compat_mmap(uint64_t hint, uint64_t size, int prot, int flags)
{
	const long args[6] = {(long)hint, (long)size, prot, flags, -1, 0};
	const long at = sb_syscall32(SB_NR32_MMAP2, args);

	return at < 0 && at > -4096 ? at : (long)(uint32_t)at;
}

/* Positions are short, as 32-bit programs get them. */
static inline long sb_compat_getdents64(int fd, uint64_t to, uint32_t count)
{
	const long args[6] = {fd, (long)to, count};

	return sb_syscall32(SB_NR32_GETDENTS64, args);
}

/* Start a child that finds out whether 32-bit programs can run: sb_try32. */
static inline long sb_compat_try(void)
{
	return sb_try32();
}

/* Was the runtime interrupted before the final call of a 32-bit program? */
static inline bool sb_compat_is_asking(uint64_t pc)
{
	return pc >= (uintptr_t)sb_block32_asked && pc < (uintptr_t)sb_block32_done;
}

static inline bool sb_compat_has_asked(uint64_t pc)
{
	return pc == (uintptr_t)sb_block32_done;
}

/* Where the interrupted runtime goes on without making the call. */
static inline uint64_t sb_compat_refused(void)
{
	return (uintptr_t)sb_block32_refused;
}

/* Mark the block as the calling thread's, to be found while the program's own thread pointer is in
 * force. */
static inline void sb_compat_set_thread(struct sb_thread *thread)
{
	sb_arch_set_fs_base(thread);
}

/* Return the address of the system call instruction, for a call that goes on at after. */
static inline uint64_t sb_compat_origin(uint64_t after)
{
	return after - SB_INT80_SIZE;
}

#endif
