/* SPDX-License-Identifier: MIT */
/*
 * i386_call.c - what the handlers of 32-bit programs share.
 */
#include "i386_call.h"

#include <asm/signal.h>

long sb_i386_pass(struct sb_call *call, long nr)
{
	return sb_block32(nr, (const long *)call->regs->args);
}

static bool is_fault(int sig)
{
	return sig == SIGSEGV || sig == SIGBUS || sig == SIGILL || sig == SIGFPE || sig == SIGTRAP;
}

/* The kernel's copy_siginfo_to_user32. */
void sb_i386_siginfo(const siginfo_t *from, struct sb_siginfo32 *to)
{
	const int sig = from->si_signo;

	memset(to, 0, sizeof(*to));
	to->signo = sig;
	to->error = from->si_errno;
	to->code = from->si_code;
	if (from->si_code == SI_TIMER) {
		to->timer = from->si_tid;
		to->overrun = from->si_overrun;
		to->timer_value = (uint32_t)(uintptr_t)from->si_ptr;
	} else if (from->si_code > 0 && from->si_code != SI_KERNEL && is_fault(sig)) {
		to->address = (uint32_t)(uintptr_t)from->si_addr;
		to->lsb = (uint16_t)from->si_addr_lsb;
	} else if (from->si_code > 0 && from->si_code != SI_KERNEL && sig == SIGPOLL) {
		to->band = (int32_t)from->si_band;
		to->fd = from->si_fd;
	} else if (from->si_code > 0 && sig == SIGCHLD) {
		to->pid = (uint32_t)from->si_pid;
		to->uid = from->si_uid;
		to->status = from->si_status;
		to->utime = (int32_t)from->si_utime;
		to->stime = (int32_t)from->si_stime;
	} else {
		to->pid = (uint32_t)from->si_pid;
		to->uid = from->si_uid;
		to->value = (uint32_t)(uintptr_t)from->si_ptr;
	}
}
