/* SPDX-License-Identifier: MIT */
/*
 * signal32.c - traps and signals of 32-bit programs.
 *
 * How it works
 *   The kernel knows only 64-bit handlers. Its frame A holds all registers, also the vector state.
 *   A handler of the program gets a frame B in its own layout below A, filled from A. It is entered
 *   by a sigreturn on a third frame, which sets registers and mask at once. When the handler
 *   returns, its sigreturn comes here; its changes of B go to A, and the kernel returns from A. B
 *   has no vector state: the handler cannot see or change it, and A restores it.
 * Rules
 *   All signals are blocked here, as in entry32.S.
 */
#include "signal32.h"

#include <errno.h>
#include <linux/audit.h>

#include "compat_thread.h"
#include "entry/signals.h"
#include "guest/entries.h"
#include "guest/sigmask.h"
#include "i386_call.h"
#include "i386_dispatch.h"
#include "i386_frame.h"

#define SB_SYS_SECCOMP 1
#define UC_SS (0x2UL | 0x4UL) /* the ss of the frame is valid */
#define FLAGS_OFF 0x10500UL   /* TF, DF and RF are clear in a handler */
#define RETURN_ADDRESS_SIZE 4

static unsigned read_gs(void)
{
	unsigned selector;

	__asm__ volatile("mov %%gs, %0" : "=r"(selector));
	return selector;
}

/* Switch from the program's gs to the runtime's. */
static struct sb_thread *take_over(const struct ucontext *uc)
{
	const unsigned gs = read_gs();
	struct sb_thread *thread = sb_compat_find_thread();

	if (uc->uc_mcontext.cs == SB_CS32)
		thread->compat.gs = gs;
	sb_arch_set_thread(thread);
	return thread;
}

/* ---- traps ------------------------------------------------------------------ */

static void save(struct sb_thread *thread, const struct sigcontext *from)
{
	thread->regs = (struct sb_regs){
		.rax = from->rax,
		.args = {from->rdi, from->rsi, from->rdx, 0, from->rcx},
		.pc = from->rip,
		.sp = from->rsp,
		.flags = from->eflags,
		.rbx = from->rbx,
		.rbp = from->rbp,
	};
	thread->number = from->rax;
	thread->commit = 0;
}

static bool in_runtime(uint64_t pc)
{
	return pc >= (uintptr_t)sb_text_start && pc <= (uintptr_t)sb_text_end;
}

void sb_trap_arrived32(int sig, siginfo_t *info, struct ucontext *uc)
{
	struct sigcontext *regs = &uc->uc_mcontext;
	struct sb_thread *thread;

	if (info->si_code == SB_SYS_SECCOMP && in_runtime(regs->rip)) {
		regs->rax = (uint64_t)-ENOSYS; /* see sb_trap_arrived */
		return;
	}
	thread = take_over(uc);
	if (info->si_code != SB_SYS_SECCOMP) {
		sb_signal_sigsys(sig, info, uc);
		return;
	}
	if (info->si_arch != AUDIT_ARCH_I386 || regs->cs != SB_CS32) {
		regs->rax = (uint64_t)-ENOSYS; /* the program left compatibility mode */
		return;
	}
	save(thread, regs);
	regs->rdi = (uintptr_t)thread;
	regs->rip = sb_entries_of(thread->proc)->entry;
	regs->rsp = thread->stack_top;
	regs->cs = SB_CS64;
	regs->ss = SB_SS32;
}

void sb_enter32(struct sb_thread *thread)
{
	sb_i386_dispatch(thread);
	if (SB_UNLIKELY(thread->restart)) {
		thread->restart = 0;
		thread->regs.pc = sb_compat_origin(thread->regs.pc);
	}
}

/* ---- into a handler --------------------------------------------------------- */

static void put_context(struct sigcontext32 *to, const struct sb_thread *thread,
			const struct sigcontext *from, uint64_t mask)
{
	*to = (struct sigcontext32){
		.gs = thread->compat.gs,
		.es = SB_SS32,
		.ds = SB_SS32,
		.di = (uint32_t)from->rdi,
		.si = (uint32_t)from->rsi,
		.bp = (uint32_t)from->rbp,
		.sp = (uint32_t)from->rsp,
		.bx = (uint32_t)from->rbx,
		.dx = (uint32_t)from->rdx,
		.cx = (uint32_t)from->rcx,
		.ax = (uint32_t)from->rax,
		.trapno = (uint32_t)from->trapno,
		.err = (uint32_t)from->err,
		.ip = (uint32_t)from->rip,
		.cs = from->cs,
		.flags = (uint32_t)from->eflags,
		.sp_at_signal = (uint32_t)from->rsp,
		.ss = from->ss,
		.oldmask = (uint32_t)mask,
		.cr2 = (uint32_t)from->cr2,
	};
}

static void put_ucontext(struct ucontext32 *to, const struct sb_thread *thread,
			 const struct ucontext *from)
{
	memset(to, 0, sizeof(*to));
	memcpy(&to->mask, &from->uc_sigmask, sizeof(to->mask));
	to->stack_sp = (uint32_t)(uintptr_t)from->uc_stack.ss_sp;
	to->stack_flags = from->uc_stack.ss_flags;
	to->stack_size = (uint32_t)from->uc_stack.ss_size;
	put_context(&to->mc, thread, &from->uc_mcontext, to->mask);
}

/* Return the mask with which the handler runs. during: the mask in force when the signal came. */
static uint64_t mask_in(const struct sb_action *action, int sig, uint64_t during)
{
	const uint64_t own = action->flags & SA_NODEFER ? 0 : SB_SIGMASK(sig);

	return (during | action->mask | own) & ~SB_SIGMASK(SIGSYS);
}

/* Return the handler's return address: the program's, or code that the runtime made. */
static uint32_t return_to(const struct sb_proc *proc, const struct sb_action *action)
{
	if (action->flags & SB_SA_RESTORER)
		return (uint32_t)action->restorer;
	return proc->compat.return_code + (action->flags & SA_SIGINFO ? SB_RETURN32_RT : 0);
}

static void SB_NORETURN enter_handler(struct sb_thread *thread, uint64_t handler, int sig,
				      const siginfo_t *info, const struct ucontext *uc,
				      uint64_t during, uint64_t sp)
{
	const struct sb_action *action = &thread->proc->actions[sig];
	/* As behind a call instruction: aligned above the return address. */
	const uint64_t place = (sp - sizeof(struct sb_frames32) - 16) & ~15ULL;
	struct sb_frames32 *f = (struct sb_frames32 *)(uintptr_t)(place - RETURN_ADDRESS_SIZE);
	struct ucontext next;
	const uint64_t mask = mask_in(action, sig, during);

	f->rt.pretcode = return_to(thread->proc, action);
	f->rt.sig = sig;
	f->mark = SB_FRAME32_MARK;
	f->uc = (uint32_t)(uintptr_t)uc;
	memset(&next, 0, sizeof(next));
	if (action->flags & SA_SIGINFO) {
		sb_i386_siginfo(info, &f->rt.info);
		put_ucontext(&f->rt.uc, thread, uc);
		f->rt.pinfo = (uint32_t)(uintptr_t)&f->rt.info;
		f->rt.puc = (uint32_t)(uintptr_t)&f->rt.uc;
		next.uc_mcontext.rdx = f->rt.pinfo;
		next.uc_mcontext.rcx = f->rt.puc;
	} else {
		uint64_t old;

		memcpy(&old, &uc->uc_sigmask, sizeof(old));
		put_context(&f->plain.mc, thread, &uc->uc_mcontext, old);
		f->plain.mask_high = (uint32_t)(old >> 32);
	}
	next.uc_flags = UC_SS;
	next.uc_stack = uc->uc_stack;
	memcpy(&next.uc_sigmask, &mask, sizeof(mask));
	next.uc_mcontext.rax = (uint32_t)sig;
	next.uc_mcontext.rip = handler;
	next.uc_mcontext.rsp = (uintptr_t)f;
	next.uc_mcontext.eflags = uc->uc_mcontext.eflags & ~FLAGS_OFF;
	next.uc_mcontext.cs = SB_CS32;
	next.uc_mcontext.ss = SB_SS32;
	sb_sigreturn32(&next, thread->compat.gs);
}

void sb_signal_arrived32(int sig, siginfo_t *info, struct ucontext *uc, uint64_t sp)
{
	struct sb_thread *thread = take_over(uc);
	uint64_t during;
	uint64_t handler;

	memcpy(&during, &uc->uc_sigmask, sizeof(during));
	if (thread->waits == SB_WAIT_ENDED)
		during = thread->wait_mask;
	handler = sb_signal_arrived(sig, info, uc);
	if (handler)
		enter_handler(thread, handler, sig, info, uc, during, sp);
}
