/* SPDX-License-Identifier: MIT */
/*
 * tracee.h - the registers of a stopped thread at its system call.
 *
 * Level 1. Hosted build only.
 */
#ifndef SB_ARCH_TRACEE_H
#define SB_ARCH_TRACEE_H

#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/user.h>

#include "layout.h"
#include "sys.h"

struct sb_tracee_call {
	struct user_regs_struct regs;
};

static inline long sb_tracee_read(int tid, struct sb_tracee_call *call)
{
	return sb_syscall6(__NR_ptrace, PTRACE_GETREGS, tid, 0, (long)(uintptr_t)&call->regs, 0, 0);
}

static inline uint64_t sb_tracee_number(const struct sb_tracee_call *call)
{
	return call->regs.orig_rax;
}

static inline uint64_t sb_tracee_argument(const struct sb_tracee_call *call, int i)
{
	const uint64_t args[6] = {call->regs.rdi, call->regs.rsi, call->regs.rdx,
				  call->regs.r10, call->regs.r8,  call->regs.r9};

	return args[i];
}

/* Address behind the instruction. */
static inline uint64_t sb_tracee_pc(const struct sb_tracee_call *call)
{
	return call->regs.rip;
}

/* No system call; the runtime is entered instead (entry.S: sb_entry_traced). */
static inline long sb_tracee_redirect(int tid, struct sb_tracee_call *call)
{
	call->regs.rax = call->regs.orig_rax;
	call->regs.rcx = call->regs.rip;
	call->regs.rip = SB_ADDR_TRACED;
	call->regs.orig_rax = (uint64_t)-1;
	return sb_syscall6(__NR_ptrace, PTRACE_SETREGS, tid, 0, (long)(uintptr_t)&call->regs, 0, 0);
}

/* No system call; it has this result. */
static inline long sb_tracee_answer(int tid, struct sb_tracee_call *call, long result)
{
	call->regs.rax = (uint64_t)result;
	call->regs.orig_rax = (uint64_t)-1;
	return sb_syscall6(__NR_ptrace, PTRACE_SETREGS, tid, 0, (long)(uintptr_t)&call->regs, 0, 0);
}

#endif
