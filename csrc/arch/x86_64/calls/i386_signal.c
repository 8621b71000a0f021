/* SPDX-License-Identifier: MIT */
/*
 * i386_signal.c - actions and sets of signals in the layouts of 32-bit programs.
 */
#include <asm/signal.h>
#include <errno.h>

#include "guest/handlers.h"
#include "i386_call.h"

struct action32 {
	uint32_t handler;
	uint32_t flags;
	uint32_t restorer;
	uint64_t mask;
} __attribute__((packed));

struct old_action32 {
	uint32_t handler;
	uint32_t mask;
	uint32_t flags;
	uint32_t restorer;
};

/* Call on_rt_sigaction with structures of the runtime. */
static long change_action(struct sb_call *call, struct sb_action *next, struct sb_action *old)
{
	struct sb_regs *r = call->regs;

	*old = (struct sb_action){0};
	r->args[1] = (uint64_t)(uintptr_t)next;
	r->args[2] = (uint64_t)(uintptr_t)old;
	r->args[3] = 8;
	return on_rt_sigaction(call);
}

long sb_i386_rt_sigaction(struct sb_call *call)
{
	const uint64_t next_at = call->regs->args[1];
	const uint64_t old_at = call->regs->args[2];
	struct action32 a;
	struct sb_action next;
	struct sb_action old;
	long ret;

	if (call->regs->args[3] != 8)
		return -EINVAL;
	if (next_at && sb_guest_read(&a, next_at, sizeof(a)) < 0)
		return -EFAULT;
	if (next_at)
		next = (struct sb_action){a.handler, a.flags, a.restorer, a.mask};
	ret = change_action(call, next_at ? &next : NULL, &old);
	if (ret < 0 || !old_at)
		return ret;
	a = (struct action32){(uint32_t)old.handler, (uint32_t)old.flags, (uint32_t)old.restorer,
			      old.mask};
	return sb_guest_write(old_at, &a, sizeof(a));
}

long sb_i386_sigaction(struct sb_call *call)
{
	const uint64_t next_at = call->regs->args[1];
	const uint64_t old_at = call->regs->args[2];
	struct old_action32 a;
	struct sb_action next;
	struct sb_action old;
	long ret;

	if (next_at && sb_guest_read(&a, next_at, sizeof(a)) < 0)
		return -EFAULT;
	if (next_at)
		next = (struct sb_action){a.handler, a.flags, a.restorer, a.mask};
	ret = change_action(call, next_at ? &next : NULL, &old);
	if (ret < 0 || !old_at)
		return ret;
	a = (struct old_action32){(uint32_t)old.handler, (uint32_t)old.mask, (uint32_t)old.flags,
				  (uint32_t)old.restorer};
	return sb_guest_write(old_at, &a, sizeof(a));
}

long sb_i386_signal(struct sb_call *call)
{
	struct sb_action next = {.handler = call->regs->args[1],
				 .flags = SA_RESETHAND | SA_NODEFER};
	struct sb_action old;
	long ret = change_action(call, &next, &old);

	return ret < 0 ? ret : (long)old.handler;
}

/* The old calls know only the first 32 signals. */
long sb_i386_sigprocmask(struct sb_call *call)
{
	struct sb_regs *r = call->regs;
	const uint64_t set_at = r->args[1];
	const uint64_t old_at = r->args[2];
	uint64_t set = 0;
	uint64_t old = 0;
	uint32_t low;
	long ret;

	if (set_at && sb_guest_read(&low, set_at, sizeof(low)) < 0)
		return -EFAULT;
	if (set_at && (int)r->args[0] == SIG_SETMASK) { /* the other signals stay */
		ret = sb_syscall6(__NR_rt_sigprocmask, SIG_BLOCK, 0, SB_P(&set), 8, 0, 0);
		if (ret < 0)
			return ret;
		set &= ~0xffffffffULL;
	}
	if (set_at)
		set |= low;
	r->args[1] = set_at ? (uint64_t)(uintptr_t)&set : 0;
	r->args[2] = (uint64_t)(uintptr_t)&old;
	r->args[3] = 8;
	ret = on_rt_sigprocmask(call);
	if (ret < 0 || !old_at)
		return ret;
	low = (uint32_t)old;
	return sb_guest_write(old_at, &low, sizeof(low));
}

long sb_i386_sigsuspend(struct sb_call *call)
{
	uint64_t set = call->regs->args[2];

	call->regs->args[0] = (uint64_t)(uintptr_t)&set;
	call->regs->args[1] = 8;
	return on_rt_sigsuspend(call);
}
