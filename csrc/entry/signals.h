/* SPDX-License-Identifier: MIT */
/*
 * signals.h - signals of the guest, with the runtime in between.
 *
 * Level 4.
 */
#ifndef SB_SIGNALS_H
#define SB_SIGNALS_H

#include "guest/guest.h"
#include "guest/sigmask.h"
#include "signal_context.h"

/* entry.S */
extern char sb_entry_traced[];
extern char sb_entry[];
extern char sb_entry_saved[];
extern char sb_exit[];
extern char sb_exit_end[];
extern char sb_block_asked[];
extern char sb_block_done[];
extern char sb_block_refused[];
extern char sb_copy_end[];
long sb_copy(void *dst, const void *src, size_t len);
extern char sb_copy_fault[];
extern char sb_signal_entry[];
extern char sb_signal_entry_end[];
extern char sb_trap_entry[];
extern char sb_restorer[];
extern char sb_text_start[];
extern char sb_text_end[];

/* entry32.S */
extern char sb_entry32[];
extern char sb_exit32[];
extern char sb_exit32_end[];
extern char sb_block32_asked[];
extern char sb_block32_done[];
extern char sb_block32_refused[];
extern char sb_signal_entry32[];
extern char sb_trap_entry32[];

/* The guest's handler to enter on this frame, or 0 to return from the signal. */
uint64_t sb_signal_arrived(int sig, siginfo_t *info, struct ucontext *uc);

/* A SIGSYS that no filter sent: kill(2) by somebody. */
void sb_signal_sigsys(int sig, siginfo_t *info, struct ucontext *uc);

#endif
