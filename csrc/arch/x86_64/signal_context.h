/* SPDX-License-Identifier: MIT */
/*
 * signal_context.h - the registers that a signal interrupted, in the kernel's frame.
 */
#ifndef SB_SIGNAL_CONTEXT_H
#define SB_SIGNAL_CONTEXT_H

#include <asm/sigcontext.h>
#include <asm/siginfo.h>
#include <asm/signal.h>
#include <asm/ucontext.h>

#include "arch.h"

/* The segments of a 32-bit program. */
#define SB_CS32 0x23
#define SB_CS64 0x33
#define SB_SS32 0x2b

static inline uint64_t sb_context_pc(const struct ucontext *uc)
{
	return uc->uc_mcontext.rip;
}

static inline void sb_context_set_pc(struct ucontext *uc, uint64_t pc)
{
	uc->uc_mcontext.rip = pc;
}

static inline uint64_t sb_context_sp(const struct ucontext *uc)
{
	return uc->uc_mcontext.rsp;
}

static inline void sb_context_set_sp(struct ucontext *uc, uint64_t sp)
{
	uc->uc_mcontext.rsp = sp;
}

/* Return the result of a system call that has just returned. */
static inline long sb_context_result(const struct ucontext *uc)
{
	return (long)uc->uc_mcontext.rax;
}

static inline void sb_context_set_result(struct ucontext *uc, long result)
{
	uc->uc_mcontext.rax = (uint64_t)result;
}

/* Put the number where the system call instruction looks for it, to make the call again. */
static inline void sb_context_set_number(struct ucontext *uc, uint64_t number)
{
	uc->uc_mcontext.rax = number;
}

/* Go on at entry, as if called from where the guest was. */
static inline void sb_context_enter(struct ucontext *uc, uint64_t entry)
{
	uc->uc_mcontext.rcx = uc->uc_mcontext.rip;
	uc->uc_mcontext.rip = entry;
}

/* The entry was interrupted before it saved anything: return where the guest goes on. own: where
 * the thread pointer is known to be the runtime's. */
static inline uint64_t sb_context_entered_from(const struct ucontext *uc, uint64_t own)
{
	const uint64_t pc = uc->uc_mcontext.rip;

	return pc > SB_ADDR_ENTRY && pc < own ? uc->uc_mcontext.r11 : uc->uc_mcontext.rcx;
}

/* Set all registers to the guest's, as they are behind its system call instruction. */
static inline void sb_context_load(struct ucontext *uc, const struct sb_regs *from, bool is_32)
{
	struct sigcontext *to = &uc->uc_mcontext;

	to->rax = from->rax;
	to->rdi = from->args[0];
	to->rsi = from->args[1];
	to->rdx = from->args[2];
	to->r10 = from->args[3];
	to->r8 = from->args[4];
	to->r9 = from->args[5];
	to->rip = from->pc;
	to->rsp = from->sp;
	to->eflags = from->flags;
	to->rbx = from->rbx;
	to->rbp = from->rbp;
	to->r12 = from->r12;
	to->r13 = from->r13;
	to->r14 = from->r14;
	to->r15 = from->r15;
	to->rcx = is_32 ? from->args[4] : from->pc;
	to->r11 = from->flags;
	if (is_32) {
		to->cs = SB_CS32;
		to->ss = SB_SS32;
	}
}

#endif
