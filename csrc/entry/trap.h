/* SPDX-License-Identifier: MIT */
/*
 * trap.h - the seccomp filter, and SIGSYS as a way into the runtime.
 *
 * Level 4.
 */
#ifndef SB_TRAP_H
#define SB_TRAP_H

#include "guest/guest.h"
#include "signal_context.h"

/* Set no_new_privs and install the filter; once, by the first process of an
 * entry; children and new programs inherit it. The control file says who is told of a
 * trapped call, and whether the container has a network of its own. */
int sb_trap_install(const struct sb_control *control) SB_MUST_CHECK;
/* Handlers of the calling process, which a new program does not inherit. */
int sb_trap_handlers(const struct sb_proc *proc) SB_MUST_CHECK;

/* Called by the handler of SIGSYS. */
void sb_trap_arrived(int sig, siginfo_t *info, struct ucontext *uc);
/* Called by the entry with the guest's registers in the block, whatever the way in. */
void sb_enter(struct sb_thread *thread);

#endif
