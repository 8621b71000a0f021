/* SPDX-License-Identifier: MIT */
/*
 * rewrite.h - rewrite hot system call sites so that they jump into the runtime.
 *
 * A site is rewritten only after real traps have shown what it is, see rewrite.c.
 */
#ifndef SB_REWRITE_H
#define SB_REWRITE_H

#include "guest/guest.h"

/* Call it after a trapped call. site is the address behind the syscall instruction, nr the number.
 * May set the thread's return address to the new code. */
void sb_rewrite_site(struct sb_call *call, uint64_t site, uint64_t nr);
/* Return the address of the instruction to make the call again that goes on at after (regs.pc): the
 * one before it, or the site of a trampoline. */
uint64_t sb_rewrite_origin(uint64_t after);
/* If pc is in a trampoline before its jump into the runtime, return the trampoline's site,
 * otherwise 0. */
uint64_t sb_rewrite_inside(uint64_t pc);

#endif
