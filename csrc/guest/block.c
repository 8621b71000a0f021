/* SPDX-License-Identifier: MIT */
/*
 * block.c - the final system call of a handler, which may block.
 *
 * guest.h has the rules.
 */
#include "guest/guest.h"

long sb_guest_block(struct sb_call *call, long nr, long a, long b, long c, long d, long e, long f)
{
	const long args[6] = {a, b, c, d, e, f};

	(void)call;
	return sb_block(nr, args);
}

long sb_guest_pass(struct sb_call *call, long nr)
{
	return sb_block(nr, (const long *)call->regs->args);
}
