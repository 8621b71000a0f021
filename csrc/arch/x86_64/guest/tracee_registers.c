/* SPDX-License-Identifier: MIT */
/*
 * tracee_registers.c - what a debugger that is a guest sees and sets in gs.
 *
 * How it works
 *   In gs base the kernel may have the runtime's pointer to the block of the stopped thread. The
 *   program's value is in the block then, or it is 0 (thread_pointer.c). A debugger writes back
 * what it has read, so a value that has not changed changes nothing. Rules The other process may be
 * changing. All is read and written by ptrace.
 */
#include "tracee_registers.h"

#include <asm/prctl.h>
#include <elf.h>
#include <errno.h>
#include <sys/uio.h>

#include "tracee.h"

#define PTRACE_ARCH_PRCTL 30
#define OFFSET offsetof(struct user_regs_struct, gs_base)
#define HAS_POINTER (1ULL << 32) /* in the word that begins with pending */

static long trace(long request, long tid, uint64_t address, uint64_t data)
{
	return sb_syscall6(__NR_ptrace, request, tid, (long)address, (long)data, 0, 0);
}

static long pass(struct sb_call *call, long tid)
{
	return sb_guest_block(call, __NR_ptrace, (long)sb_arg(call, 0), tid, (long)sb_arg(call, 2),
			      (long)sb_arg(call, 3), 0, 0);
}

static uint64_t word_at(long tid, uint64_t address)
{
	uint64_t word = 0;

	(void)trace(PTRACE_PEEKDATA, tid, address, (uintptr_t)&word);
	return word;
}

/* Return the program's value, when the kernel has base. */
static uint64_t shown(long tid, uint64_t base)
{
	const uint64_t block = base + SB_GS_BIAS;

	if (!sb_arch_is_pointer(base))
		return base;
	if (!(word_at(tid, block + SB_T_PENDING) & HAS_POINTER))
		return 0;
	return word_at(tid, block + SB_T_GS_BASE);
}

/* The debugger sets the program's value. Return what the kernel gets. */
static uint64_t wanted(long tid, uint64_t value)
{
	struct sb_tracee_call now;
	uint64_t block;

	if (sb_tracee_read((int)tid, &now) < 0 || !sb_tracee_has_pointer(&now))
		return value;
	if (value == shown(tid, now.regs.gs_base))
		return now.regs.gs_base;
	if (now.regs.rip - SB_ADDR_RUNTIME >= SB_ADDR_HIGH - SB_ADDR_RUNTIME)
		return value;
	block = now.regs.gs_base + SB_GS_BIAS;
	(void)trace(PTRACE_POKEDATA, tid, block + SB_T_GS_BASE, value);
	(void)trace(PTRACE_POKEDATA, tid, block + SB_T_PENDING,
		    word_at(tid, block + SB_T_PENDING) | HAS_POINTER);
	return now.regs.gs_base;
}

/* Change the word of gs base among the registers that the guest has at address. */
static long show_at(long tid, uint64_t address, long ret)
{
	uint64_t base;

	if (ret < 0 || sb_guest_read(&base, address, sizeof(base)) < 0)
		return ret;
	base = shown(tid, base);
	return sb_guest_write(address, &base, sizeof(base)) < 0 ? -EFAULT : ret;
}

static long set_all(long tid, uint64_t address)
{
	struct user_regs_struct regs;

	if (sb_guest_read(&regs, address, sizeof(regs)) < 0)
		return -EFAULT;
	regs.gs_base = wanted(tid, regs.gs_base);
	return trace(PTRACE_SETREGS, tid, 0, (uintptr_t)&regs);
}

static bool regset(struct sb_call *call, long request, long tid, long *ret)
{
	struct iovec iov;

	if (sb_arg(call, 2) != NT_PRSTATUS ||
	    sb_guest_read(&iov, sb_arg(call, 3), sizeof(iov)) < 0 ||
	    iov.iov_len < sizeof(struct user_regs_struct))
		return false;
	if (request == PTRACE_SETREGSET)
		*ret = set_all(tid, (uintptr_t)iov.iov_base);
	else
		*ret = show_at(tid, (uintptr_t)iov.iov_base + OFFSET, pass(call, tid));
	return true;
}

bool sb_tracee_registers(struct sb_call *call, int tid, long *ret)
{
	const long request = (long)sb_arg(call, 0);
	const uint64_t address = sb_arg(call, 2);
	const uint64_t data = sb_arg(call, 3);

	switch (request) {
	case PTRACE_GETREGS:
		*ret = show_at(tid, data + OFFSET, pass(call, tid));
		return true;
	case PTRACE_SETREGS:
		*ret = set_all(tid, data);
		return true;
	case PTRACE_GETREGSET:
	case PTRACE_SETREGSET:
		return regset(call, request, tid, ret);
	case PTRACE_PEEKUSR:
		if (address != OFFSET)
			return false;
		*ret = show_at(tid, data, pass(call, tid));
		return true;
	case PTRACE_POKEUSR:
		if (address != OFFSET)
			return false;
		*ret = trace(PTRACE_POKEUSR, tid, OFFSET, wanted(tid, data));
		return true;
	case PTRACE_ARCH_PRCTL:
		if (data == ARCH_GET_GS)
			*ret = show_at(tid, address, pass(call, tid));
		else if (data == ARCH_SET_GS)
			*ret = trace(PTRACE_ARCH_PRCTL, tid, wanted(tid, address), data);
		else
			return false;
		return true;
	default:
		return false;
	}
}
