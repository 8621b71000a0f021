/* SPDX-License-Identifier: MIT */
/*
 * on_signal.c - calls about signal handlers and masks.
 *
 * SIGSYS belongs to the runtime. It is taken out of every mask that reaches the kernel (a blocked
 * SIGSYS kills), and its action is only remembered. sb_proc.actions has the guest's handlers; the
 * kernel gets the runtime's own.
 */
#include <asm/siginfo.h>
#include <asm/signal.h>
#include <errno.h>

#include "guest/entries.h"
#include "guest/handlers.h"
#include "guest/peers/sender.h"
#include "guest/pids.h"
#include "guest/sigmask.h"
#include "guest/thread.h"

#define SIGSYS_BIT SB_SIGMASK(SIGSYS)
#define MASK_BYTES 8

static bool is_handler(uint64_t handler)
{
	return handler != (uintptr_t)SIG_DFL && handler != (uintptr_t)SIG_IGN;
}

static uint64_t entry_of(const struct sb_proc *proc)
{
	return sb_entries_of(proc)->signal;
}

static void to_kernel(const struct sb_proc *proc, int sig, const struct sb_action *guest,
		      struct sb_action *kernel)
{
	*kernel = *guest;
	kernel->mask &= ~SIGSYS_BIT;
	if (!is_handler(guest->handler) && sig != SIGSEGV && sig != SIGBUS)
		return;
	kernel->handler = entry_of(proc);
	/* SA_NODEFER: a signal that is queued again must wait until the handler has returned. */
	kernel->flags = (guest->flags | SA_SIGINFO) & ~(uint64_t)(SA_RESETHAND | SA_NODEFER);
	if (!(guest->flags & SB_SA_RESTORER) || sb_proc_is_32(proc)) {
		kernel->flags |= SB_SA_RESTORER;
		kernel->restorer = sb_entries->restorer;
	}
	if (!is_handler(guest->handler))
		kernel->flags |= SA_ONSTACK;
	if (!is_handler(guest->handler) || sb_proc_is_32(proc)) /* as entry32.S wants it */
		kernel->mask = SB_MASK_ALL;
}

/* Return what the guest set before, when the kernel says old. */
static void to_guest(const struct sb_proc *proc, int sig, struct sb_action *old)
{
	if (old->handler == entry_of(proc))
		*old = proc->actions[sig];
}

static long set_action(struct sb_call *call, int sig, uint64_t new_addr, struct sb_action *old)
{
	struct sb_proc *proc = call->proc;
	struct sb_action next;
	struct sb_action kernel;
	struct sb_action before = proc->actions[sig];
	long ret;

	ret = sb_guest_read(&next, new_addr, sizeof(next));
	if (ret < 0)
		return ret;
	if (sig == SIGKILL || sig == SIGSTOP)
		return -EINVAL;
	next.mask &= ~(SB_SIGMASK(SIGKILL) | SB_SIGMASK(SIGSTOP));
	to_kernel(proc, sig, &next, &kernel);
	/* The new handler must be known before the kernel can call it, and the old one until the
	 * kernel no longer does. */
	sb_commit_begin(call->fs);
	if (is_handler(next.handler))
		proc->actions[sig] = next;
	ret = sb_syscall6(__NR_rt_sigaction, sig, SB_P(&kernel), SB_P(old), MASK_BYTES, 0, 0);
	if (ret == 0 && old->handler == entry_of(proc))
		*old = before;
	proc->actions[sig] = ret == 0 ? next : before;
	sb_pid_tell_handler(proc, sig, is_handler(proc->actions[sig].handler));
	sb_commit_end(call->fs);
	return ret;
}

long on_rt_sigaction(struct sb_call *call)
{
	int sig = (int)sb_arg(call, 0);
	struct sb_action old = {0};
	long ret;

	if (sb_arg(call, 3) != MASK_BYTES || sig < 1 || sig > 64)
		return -EINVAL;
	if (sig == SIGSYS) {
		old = call->proc->actions[SIGSYS];
		if (sb_arg(call, 1)) {
			sb_commit_begin(call->fs); /* a second time old would be the new action */
			ret = sb_guest_read(&call->proc->actions[SIGSYS], sb_arg(call, 1),
					    sizeof(old));
			if (ret < 0)
				return ret;
		}
	} else if (sb_arg(call, 1)) {
		ret = set_action(call, sig, sb_arg(call, 1), &old);
		if (ret < 0)
			return ret;
	} else {
		ret = sb_syscall6(__NR_rt_sigaction, sig, 0, SB_P(&old), MASK_BYTES, 0, 0);
		if (ret < 0)
			return ret;
		to_guest(call->proc, sig, &old);
	}
	return sb_arg(call, 2) ? sb_guest_write(sb_arg(call, 2), &old, sizeof(old)) : 0;
}

long on_rt_sigprocmask(struct sb_call *call)
{
	struct sb_thread *thread = call->thread;
	uint32_t blocked = thread->sigsys_blocked;
	uint64_t set = 0;
	uint64_t old = 0;
	long ret;

	if (sb_arg(call, 3) != MASK_BYTES)
		return -EINVAL;
	if (sb_arg(call, 1)) {
		ret = sb_guest_read(&set, sb_arg(call, 1), sizeof(set));
		if (ret < 0)
			return ret;
		if ((int)sb_arg(call, 0) == SIG_SETMASK)
			blocked = (set & SIGSYS_BIT) != 0;
		else if (set & SIGSYS_BIT)
			blocked = (int)sb_arg(call, 0) == SIG_BLOCK;
		set &= ~SIGSYS_BIT;
	}
	ret = sb_guest_block(call, __NR_rt_sigprocmask, (int)sb_arg(call, 0),
			     sb_arg(call, 1) ? SB_P(&set) : 0, SB_P(&old), MASK_BYTES, 0, 0);
	if (ret < 0)
		return ret;
	if (thread->sigsys_blocked)
		old |= SIGSYS_BIT;
	thread->sigsys_blocked = blocked;
	return sb_arg(call, 2) ? sb_guest_write(sb_arg(call, 2), &old, sizeof(old)) : 0;
}

/* Read the guest's mask at addr without SIGSYS. */
static long read_mask(uint64_t addr, uint64_t size, uint64_t *mask)
{
	long ret;

	if (size != MASK_BYTES)
		return -EINVAL;
	ret = sb_guest_read(mask, addr, sizeof(*mask));
	*mask &= ~SIGSYS_BIT;
	return ret;
}

/* Make the final call of a wait with its own mask. */
static long wait_masked(struct sb_call *call, uint64_t mask, long nr, long a, long b, long c,
			long d, long e, long f)
{
	struct sb_thread *thread = call->thread;
	long ret;

	thread->wait_mask = mask;
	thread->waits = SB_WAIT_MASKED;
	ret = sb_guest_block(call, nr, a, b, c, d, e, f);
	if (thread->waits == SB_WAIT_MASKED)
		thread->waits = SB_WAIT_NONE;
	return ret;
}

long on_rt_sigsuspend(struct sb_call *call)
{
	uint64_t mask;
	long ret = read_mask(sb_arg(call, 0), sb_arg(call, 1), &mask);

	if (ret < 0)
		return ret;
	return wait_masked(call, mask, __NR_rt_sigsuspend, SB_P(&mask), MASK_BYTES, 0, 0, 0, 0);
}

/* While the main process waits, the kernel does not say that it blocks these signals. */
static void tell_awaited(struct sb_call *call, uint64_t mask)
{
	if (sb_pid_is_first(call->proc) && call->thread->tid == call->proc->pid)
		__atomic_store_n(&call->fs->tree->shared->first_awaits, mask, __ATOMIC_RELAXED);
}

long on_rt_sigtimedwait(struct sb_call *call)
{
	siginfo_t info;
	uint64_t mask;
	long ret = read_mask(sb_arg(call, 0), sb_arg(call, 3), &mask);

	if (ret < 0)
		return ret;
	tell_awaited(call, mask);
	ret = sb_guest_block(call, __NR_rt_sigtimedwait, SB_P(&mask), SB_P(&info),
			     (long)sb_arg(call, 2), MASK_BYTES, 0, 0);
	if (ret < 0)
		return ret;
	sb_sender_to_guest(&call->proc->tree, &info);
	return sb_arg(call, 1) && sb_guest_write(sb_arg(call, 1), &info, sizeof(info)) < 0 ? -EFAULT
											   : ret;
}

static long make_signalfd(struct sb_call *call, int flags)
{
	uint64_t mask;
	long ret = read_mask(sb_arg(call, 1), sb_arg(call, 2), &mask);

	if (ret < 0)
		return ret;
	return sb_guest_block(call, __NR_signalfd4, (int)sb_arg(call, 0), SB_P(&mask), MASK_BYTES,
			      flags, 0, 0);
}

long on_signalfd4(struct sb_call *call)
{
	return make_signalfd(call, (int)sb_arg(call, 3));
}

long on_signalfd(struct sb_call *call)
{
	return make_signalfd(call, 0);
}

long on_ppoll(struct sb_call *call)
{
	uint64_t mask;
	long ret = read_mask(sb_arg(call, 3), sb_arg(call, 4), &mask);

	if (ret < 0)
		return ret;
	return wait_masked(call, mask, __NR_ppoll, (long)sb_arg(call, 0), (long)sb_arg(call, 1),
			   (long)sb_arg(call, 2), SB_P(&mask), MASK_BYTES, 0);
}

static long epoll_wait_masked(struct sb_call *call, long nr)
{
	uint64_t mask;
	long ret = read_mask(sb_arg(call, 4), sb_arg(call, 5), &mask);

	if (ret < 0)
		return ret;
	return wait_masked(call, mask, nr, (int)sb_arg(call, 0), (long)sb_arg(call, 1),
			   (int)sb_arg(call, 2), (long)sb_arg(call, 3), SB_P(&mask), MASK_BYTES);
}

long on_epoll_pwait(struct sb_call *call)
{
	return epoll_wait_masked(call, __NR_epoll_pwait);
}

long on_epoll_pwait2(struct sb_call *call)
{
	return epoll_wait_masked(call, __NR_epoll_pwait2);
}

long on_pselect6(struct sb_call *call)
{
	struct {
		uint64_t addr;
		uint64_t size;
	} pair;
	uint64_t mask;
	long ret = sb_guest_read(&pair, sb_arg(call, 5), sizeof(pair));

	if (ret < 0)
		return ret;
	if (!pair.addr)
		return sb_guest_pass(call, __NR_pselect6);
	ret = read_mask(pair.addr, pair.size, &mask);
	if (ret < 0)
		return ret;
	pair.addr = (uintptr_t)&mask;
	return wait_masked(call, mask, __NR_pselect6, (int)sb_arg(call, 0), (long)sb_arg(call, 1),
			   (long)sb_arg(call, 2), (long)sb_arg(call, 3), (long)sb_arg(call, 4),
			   SB_P(&pair));
}
