/* SPDX-License-Identifier: MIT */
/*
 * programs.h - files that are executed and written: ETXTBSY.
 *
 * How it works
 *   To the kernel all processes run sandbox-guest. So each process names its program in the
 *   process table, and whoever opens a file to write asks that table. A byte in the control file
 *   says whether a file with this hash was ever executed: mostly not, and the table is not read.
 *   The other way round the kernel knows the answer: it grants no read lease on a file that is
 *   open for writing.
 */
#ifndef SB_PROGRAMS_H
#define SB_PROGRAMS_H

#include "guest/guest.h"

/* The number of the file with this stat, never 0. */
uint64_t sb_program_of(const struct sb_stat *st);
/* Note that a file is about to be executed. */
void sb_program_mark(const struct sb_tree *tree, uint64_t program);
/* -ETXTBSY when a process runs the regular file at, else 0. Fills at->st. */
int sb_program_check(struct sb_call *call, struct sb_at *at) SB_MUST_CHECK;
/* The same for a descriptor that was just opened to write. */
int sb_program_check_opened(struct sb_call *call, int fd) SB_MUST_CHECK;
/* Note that the program at is about to be executed. */
void sb_program_planned(const struct sb_tree *tree, const struct sb_at *at);
/* May a file of the upper or of a mount be a program that runs? */
bool sb_program_may_run(const struct sb_tree *tree);
/* -ETXTBSY when the open file is open for writing, too. */
int sb_program_check_fd(int fd) SB_MUST_CHECK;

#endif
