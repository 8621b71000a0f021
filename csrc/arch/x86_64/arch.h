/* SPDX-License-Identifier: MIT */
/*
 * arch.h - x86-64: the system call instruction, the registers of a call, addresses.
 *
 * Rules
 *   Code outside of arch/ names no register. It uses the members args, pc, sp and flags of struct
 *   sb_regs, and the functions here. Serves both builds; includes no other file of the project but
 *   layout.h.
 */
#ifndef SB_ARCH_H
#define SB_ARCH_H

#include <asm/unistd.h>
#include <linux/audit.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layout.h"

/* Numbers that the headers of older build hosts lack. */
#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif
#ifndef __NR_statmount
#define __NR_statmount 457
#endif
#ifndef __NR_listmount
#define __NR_listmount 458
#endif

#define SB_ARCH_AUDIT AUDIT_ARCH_X86_64 /* in the data of a seccomp filter */
#define SB_ARCH_ELF 62   /* EM_X86_64, the e_machine of its programs */
/* Where a position-independent program lies, and by how many pages it may be moved. */
#define SB_ARCH_PIE_BASE 0x555555554000ULL
#define SB_ARCH_PIE_PAGES (1ULL << 28)

/* ---- system calls ----------------------------------------------------------- */

/* The result is >= 0 or -errno. There is no errno. */
static inline long sb_syscall6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

/* ---- registers -------------------------------------------------------------- */

/* The guest's registers, in the order in which entry.S saves them (layout.h). */
struct sb_regs {
	uint64_t rax;   /* the number of the call, then its result */
	uint64_t args[6]; /* rdi, rsi, rdx, r10, r8, r9; r8 is ecx of a 32-bit program */
	uint64_t pc;   /* behind the system call instruction, where the guest goes on */
	uint64_t sp;
	uint64_t flags;
	uint64_t rbx;
	uint64_t rbp;
	uint64_t r12;
	uint64_t r13;
	uint64_t r14;
	uint64_t r15;
};

static inline void sb_regs_set_result(struct sb_regs *regs, long result)
{
	regs->rax = (uint64_t)result;
}

/* What a process and a thread need for 32-bit programs. */
struct sb_compat_proc {
	uint32_t return_code; /* the program's code that ends a signal handler */
	uint32_t brk_start;   /* of its heap */
	uint32_t brk;
};

struct sb_compat_thread {
	uint32_t gs; /* the program's thread pointer (a selector) */
	uint32_t pad;
	struct sb_regs regs; /* the arguments as a 64-bit program would give them */
};

#define SB_COMPAT_ROOM 32768
struct sb_compat_scratch {
	char room[SB_COMPAT_ROOM]; /* structures of the program, widened */
};

/* ---- the thread pointer of the runtime: the gs base -------------------------- */

/* No libc and no Go runtime uses gs on x86-64. What a program does with it: thread_pointer.c. */
struct sb_thread;

static inline struct sb_thread *sb_arch_thread(void)
{
	struct sb_thread *self;

	__asm__("mov %%gs:%c1, %0" : "=r"(self) : "i"(SB_GS_BIAS));
	return self;
}

/* Is the value one of the runtime's? */
static inline bool sb_arch_is_pointer(uint64_t base)
{
	return base >> SB_GS_SHIFT == SB_GS_TOP;
}

/* Return the value for the block. */
static inline uint64_t sb_arch_pointer_to(const struct sb_thread *thread)
{
	return (uint64_t)(uintptr_t)thread - SB_GS_BIAS;
}

/* Find out how this machine sets it. hwcap2: AT_HWCAP2 of the auxiliary vector. */
void sb_arch_probe(uint64_t hwcap2);
void sb_arch_set_thread(struct sb_thread *thread);
/* The fs base, which 32-bit programs do not use. */
void sb_arch_set_fs_base(struct sb_thread *thread);
uint64_t sb_arch_fs_base(void);

/* ---- arch.S ------------------------------------------------------------------ */

#if !__STDC_HOSTED__
#pragma GCC visibility push(hidden)
#endif

extern uint32_t sb_gs_mode; /* SB_GS_READ and the like (layout.h); arch.c */
/* Copy guest memory: 0 or -EFAULT. */
long sb_copy(void *dst, const void *src, size_t len);
/* Copy a string of at most max bytes with its NUL. Returns its length, -EFAULT or -ENAMETOOLONG. */
long sb_copy_string(char *dst, const char *src, size_t max);
extern char sb_copy_end[];
extern char sb_copy_fault[];
/* Make the final system call of a handler, which may block. */
long sb_block(long nr, const long args[6]);
extern char sb_block_asked[];
extern char sb_block_done[];
extern char sb_block_refused[];
/* A child that gets a stack finds two words there: the address of its block, and where it goes
 * on. */
long sb_clone(uint64_t flags, uint64_t stack, uint64_t ptid, uint64_t ctid, uint64_t tls);
/* Jump into a new program. */
void sb_jump(uint64_t entry, void *sp) __attribute__((noreturn));

#if !__STDC_HOSTED__
#pragma GCC visibility pop
#endif

/* ---- memory, without vector registers ---------------------------------------- */

static inline void sb_arch_copy(void *dst, const void *src, size_t len)
{
	__asm__ volatile("rep movsb" : "+D"(dst), "+S"(src), "+c"(len) : : "memory");
}

static inline void sb_arch_fill(void *dst, int byte, size_t len)
{
	__asm__ volatile("rep stosb" : "+D"(dst), "+c"(len) : "a"(byte) : "memory");
}

#endif
