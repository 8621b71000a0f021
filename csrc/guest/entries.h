/* SPDX-License-Identifier: MIT */
/*
 * entries.h - addresses of the code by which control enters and leaves the runtime.
 *
 * Level 3. That code lies above everything that needs its address (to install a handler, or to sort
 * an interrupted runtime), so its first instruction hands this table down.
 */
#ifndef SB_ENTRIES_H
#define SB_ENTRIES_H

#include "guest/guest.h"

struct sb_mode_entries {
	uint64_t entry;  /* of a system call whose registers are set up for it */
	uint64_t signal; /* handler of the signals that the guest handles, and of faults */
	uint64_t trap;   /* handler of SIGSYS */
	uint64_t child;  /* first code of a child that shares memory */
	uint64_t exit; /* the way back to the guest: from here up to exit_end the block holds its */
	uint64_t exit_end; /* state after the call */
};

struct sb_entries {
	uint64_t start; /* first instruction of a program */
	uint64_t saved; /* from SB_ADDR_TRACED up to here the registers are still the guest's */
	uint64_t handlers; /* from here up to handlers_end: handlers of signals, not the guest's */
	uint64_t handlers_end;
	uint64_t restorer; /* the end of a signal handler */
	struct sb_mode_entries modes[2]; /* of 64-bit programs, and of 32-bit programs or zero */
};

extern const struct sb_entries *sb_entries;

static inline const struct sb_mode_entries *sb_entries_of(const struct sb_proc *proc)
{
	return &sb_entries->modes[sb_proc_is_32(proc) ? 1 : 0];
}

#endif
