/* SPDX-License-Identifier: MIT */
/*
 * on_close.c - the calls that end what a descriptor number means.
 *
 * Level 3. They come here only where fds.h remembers what descriptors are (trap.c); the kernel does
 * the work, after the number is forgotten.
 */
#include <linux/close_range.h>

#include "dispatch.h"
#include "fds.h"
#include "guest.h"

static long pass_on(struct sb_call *call, long nr)
{
	const struct sb_regs *r = call->regs;

	return sb_guest_block(call, nr, (long)r->rdi, (long)r->rsi, (long)r->rdx, (long)r->r10,
			      (long)r->r8, (long)r->r9);
}

long on_close(struct sb_call *call)
{
	const uint32_t fd = (uint32_t)call->regs->rdi;

	sb_fds_forget(call->fs, fd, fd);
	return pass_on(call, __NR_close);
}

long on_dup2(struct sb_call *call)
{
	const uint32_t to = (uint32_t)call->regs->rsi;

	sb_fds_forget(call->fs, to, to);
	return pass_on(call, __NR_dup2);
}

long on_dup3(struct sb_call *call)
{
	const uint32_t to = (uint32_t)call->regs->rsi;

	sb_fds_forget(call->fs, to, to);
	return pass_on(call, __NR_dup3);
}

long on_close_range(struct sb_call *call)
{
	const struct sb_regs *r = call->regs;

	if ((r->rdx & CLOSE_RANGE_UNSHARE) != 0)
		call->proc->fds = NULL;
	sb_fds_forget(call->fs, (uint32_t)r->rdi, (uint32_t)r->rsi);
	return pass_on(call, __NR_close_range);
}
