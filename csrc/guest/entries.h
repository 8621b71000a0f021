/* SPDX-License-Identifier: MIT */
/*
 * entries.h - addresses of the code by which control enters and leaves the runtime.
 *
 * That code lies above all code that needs its address, to install a handler or to tell where the
 * runtime was interrupted. So the first instruction of a program hands this table down.
 */
#ifndef SB_ENTRIES_H
#define SB_ENTRIES_H

#include "guest/guest.h"

struct sb_mode_entries {
	uint64_t entry; /* where a call begins when the registers and the thread pointer are set */
	uint64_t signal; /* the handler of faults and of the signals that the guest handles */
	uint64_t trap; /* the handler of SIGSYS */
	uint64_t child; /* where a child that shares memory begins */
	uint64_t exit; /* from here to exit_end the block holds the guest's state */
	uint64_t exit_end; /* after the call, on the way back */
};

struct sb_entries {
	uint64_t start; /* the first instruction of a program */
	uint64_t saved; /* from the first instruction of the text up to here the registers are still
			   the guest's */
	uint64_t handlers; /* from here to handlers_end: handlers of the runtime's own */
	uint64_t handlers_end;
	uint64_t restorer; /* ends a signal handler */
	struct sb_mode_entries modes[2]; /* of 64-bit programs; of 32-bit programs, or zero */
};

extern const struct sb_entries *sb_entries;

static inline const struct sb_mode_entries *sb_entries_of(const struct sb_proc *proc)
{
	return &sb_entries->modes[sb_proc_is_32(proc) ? 1 : 0];
}

#endif
