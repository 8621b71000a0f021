/* SPDX-License-Identifier: MIT */
/*
 * tracee.h - the registers of a stopped thread at its system call.
 *
 * For the tracer, and for a debugger that is a guest.
 */
#ifndef SB_ARCH_TRACEE_H
#define SB_ARCH_TRACEE_H

#include <linux/ptrace.h>
#include <stdint.h>
#include <sys/user.h>

#include "arch.h"

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

/* Return the address behind the instruction. */
static inline uint64_t sb_tracee_pc(const struct sb_tracee_call *call)
{
	return call->regs.rip;
}

/* False in a 32-bit program. */
static inline int sb_tracee_is_64(const struct sb_tracee_call *call)
{
	return call->regs.cs == 0x33;
}

/* Enter the runtime at this address instead of making the system call (entry.S). */
static inline long sb_tracee_redirect(int tid, struct sb_tracee_call *call, uint64_t entry)
{
	call->regs.rax = call->regs.orig_rax;
	call->regs.rcx = call->regs.rip;
	call->regs.rip = entry;
	call->regs.orig_rax = (uint64_t)-1;
	return sb_syscall6(__NR_ptrace, PTRACE_SETREGS, tid, 0, (long)(uintptr_t)&call->regs, 0, 0);
}

/* Does the thread's gs base lead to its block? */
static inline int sb_tracee_has_pointer(const struct sb_tracee_call *call)
{
	return sb_arch_is_pointer(call->regs.gs_base);
}

/* Enter the runtime instead of making the system call, also from a program that uses gs itself:
 * thread_pointer.c. *pointer is the value that leads to the thread's block, as last seen. */
static inline long sb_tracee_enter(int tid, struct sb_tracee_call *call, uint64_t *pointer)
{
	if (sb_tracee_has_pointer(call)) {
		*pointer = call->regs.gs_base;
		return sb_tracee_redirect(tid, call, SB_ADDR_TRACED);
	}
	call->regs.r11 = call->regs.gs_base;
	call->regs.gs_base = *pointer;
	return sb_tracee_redirect(tid, call, SB_ADDR_TRACED_GS);
}

/* Make no system call; this is its result. */
static inline long sb_tracee_answer(int tid, struct sb_tracee_call *call, long result)
{
	call->regs.rax = (uint64_t)result;
	call->regs.orig_rax = (uint64_t)-1;
	return sb_syscall6(__NR_ptrace, PTRACE_SETREGS, tid, 0, (long)(uintptr_t)&call->regs, 0, 0);
}

/* A new program is at the runtime's first instruction, where the kernel has set the registers to
 * zero: ask it to stop when all is mapped (run_program in boot.c). */
static inline long sb_tracee_ask(int tid, struct sb_tracee_call *call)
{
	call->regs.r15 = SB_TRACEE_MAGIC;
	return sb_syscall6(__NR_ptrace, PTRACE_SETREGS, tid, 0, (long)(uintptr_t)&call->regs, 0, 0);
}

/* The program has stopped there, in tgkill(pid, tid, SIGTRAP, entry, stack). Set the registers with
 * which the kernel starts a program. */
static inline long sb_tracee_start(int tid, const struct sb_tracee_call *call)
{
	const struct user_regs_struct regs = {
		.rip = call->regs.r10,
		.rsp = call->regs.r8,
		.eflags = call->regs.eflags,
		.orig_rax = (uint64_t)-1,
		.cs = call->regs.cs,
		.ss = call->regs.ss,
		.gs_base = call->regs.gs_base,
	};

	return sb_syscall6(__NR_ptrace, PTRACE_SETREGS, tid, 0, (long)(uintptr_t)&regs, 0, 0);
}

#endif
