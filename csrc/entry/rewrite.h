/* SPDX-License-Identifier: MIT */
/*
 * rewrite.h - rewrite hot system call sites so that they jump into the runtime.
 *
 * Level 4. A site is touched only after real traps proved it, see rewrite.c.
 */
#ifndef SB_REWRITE_H
#define SB_REWRITE_H

#include "guest/guest.h"

/* After a trapped call: site is the address behind the syscall instruction,
 * nr the number. May set thread's return address to the new code. */
void sb_rewrite_site(struct sb_call *call, uint64_t site, uint64_t nr);
/* The syscall instruction to restart for a call that came from address after
 * (regs.pc): the instruction before it, or the original site of a trampoline. */
uint64_t sb_rewrite_origin(uint64_t after);
/* When pc lies in a trampoline before its jump into the runtime: the site it
 * stands for; else 0. */
uint64_t sb_rewrite_inside(uint64_t pc);

#endif
