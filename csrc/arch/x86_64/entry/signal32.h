/* SPDX-License-Identifier: MIT */
/*
 * signal32.h - traps and signals of 32-bit programs; entry32.S calls these.
 */
#ifndef SB_SIGNAL32_H
#define SB_SIGNAL32_H

#include "guest/thread.h"
#include "signal_context.h"

void sb_trap_arrived32(int sig, siginfo_t *info, struct ucontext *uc);
void sb_enter32(struct sb_thread *thread);
/* sp: the end of the program's stack when it was interrupted. */
void sb_signal_arrived32(int sig, siginfo_t *info, struct ucontext *uc, uint64_t sp);

#endif
