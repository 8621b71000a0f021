/* SPDX-License-Identifier: MIT */
/*
 * i386_sigreturn.c - the end of a signal handler of a 32-bit program.
 *
 * The handler may have changed its frame. The changes go to the kernel's frame, from which the
 * kernel returns (signal32.c).
 */
#include <errno.h>

#include "guest/sigmask.h"
#include "i386_frame.h"
#include "signal_context.h"

static void take_context(struct ucontext *to, const struct sigcontext32 *from, uint64_t mask)
{
	struct sigcontext *regs = &to->uc_mcontext;

	mask &= ~SB_SIGMASK(SIGSYS);
	memcpy(&to->uc_sigmask, &mask, sizeof(mask));
	regs->rdi = from->di;
	regs->rsi = from->si;
	regs->rbp = from->bp;
	regs->rsp = from->sp;
	regs->rbx = from->bx;
	regs->rdx = from->dx;
	regs->rcx = from->cx;
	regs->rax = from->ax;
	regs->rip = from->ip;
	regs->eflags = from->flags;
	regs->cs = SB_CS32;
	regs->ss = SB_SS32;
}

/* The runtime did not make this frame: send SIGSEGV, as the kernel does. */
static long bad_frame(void)
{
	sys_kill((int)sys_getpid(), SIGSEGV);
	return 0;
}

static long leave(const struct sb_frames32 *f, const struct sigcontext32 *mc, uint64_t mask)
{
	struct ucontext a;

	if (f->mark != SB_FRAME32_MARK || sb_guest_read(&a, f->uc, sizeof(a)) < 0)
		return bad_frame();
	take_context(&a, mc, mask);
	/* No call ends here, so no end of a call could give a kept signal back. */
	if (sb_guest_rewrite(f->uc, &a, sizeof(a)) < 0)
		return bad_frame();
	sb_sigreturn32((const struct ucontext *)(uintptr_t)f->uc, mc->gs);
}

long sb_i386_rt_sigreturn(struct sb_call *call)
{
	struct sb_frames32 f;

	if (sb_guest_read(&f, call->thread->regs.sp - 4, sizeof(f)) < 0)
		return bad_frame();
	return leave(&f, &f.rt.uc.mc, f.rt.uc.mask);
}

long sb_i386_sigreturn(struct sb_call *call)
{
	struct sb_frames32 f;

	if (sb_guest_read(&f, call->thread->regs.sp - 8, sizeof(f)) < 0)
		return bad_frame();
	return leave(&f, &f.plain.mc, f.plain.mc.oldmask | (uint64_t)f.plain.mask_high << 32);
}
