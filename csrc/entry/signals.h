/* SPDX-License-Identifier: MIT */
/*
 * signals.h - signals of the guest, with the runtime in between.
 */
#ifndef SB_SIGNALS_H
#define SB_SIGNALS_H

#include "guest/guest.h"
#include "guest/sigmask.h"
#include "signal_context.h"

/* The limits of the runtime's text (guest.ld). */
extern char sb_text_start[];
extern char sb_text_end[];

/* Called by the handler of signals. Returns the guest's handler to enter on this frame, or 0 to
 * return from the signal. */
uint64_t sb_signal_arrived(int sig, siginfo_t *info, struct ucontext *uc);

/* Handle a SIGSYS that a process sent. */
void sb_signal_sigsys(int sig, siginfo_t *info, struct ucontext *uc);

/* Called at the end of a call with all signals blocked: queues the kept signal and returns the
 * address of the mask to set. */
uint64_t *sb_signal_release(struct sb_thread *thread);

#endif
