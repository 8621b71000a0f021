/* SPDX-License-Identifier: MIT */
/*
 * trap.h - SIGSYS as a way into the runtime.
 */
#ifndef SB_TRAP_H
#define SB_TRAP_H

#include "guest/guest.h"
#include "signal_context.h"

/* Set the signal handlers, which a new program does not inherit. */
int sb_trap_handlers(const struct sb_proc *proc) SB_MUST_CHECK;

/* Called by the handler of SIGSYS. */
void sb_trap_arrived(int sig, siginfo_t *info, struct ucontext *uc);
/* Called by the entry, whatever the way in, with the guest's registers in the block. */
void sb_enter(struct sb_thread *thread);

#endif
