/* SPDX-License-Identifier: MIT */
/*
 * pids_limit.h - how many tasks a container may have.
 *
 * Level 3. A task (a thread, or a process's first) has a place in a table of the
 * control file; who finds none may not be born. The kernel says who is gone:
 * nothing has to be given back.
 */
#ifndef SB_PIDS_LIMIT_H
#define SB_PIDS_LIMIT_H

#include "tree/tree.h"

/* Take a place for a task about to be born; *place is NULL where there is no
 * limit. -EAGAIN when there are too many. */
int sb_pids_claim(const struct sb_tree *tree, uint64_t **place) SB_MUST_CHECK;
/* It was not born. */
void sb_pids_drop(uint64_t *place);
/* The new task says, itself, that the place is its own. */
void sb_pids_settle(uint64_t *place);
/* Who made it says so, too: it may be killed before it can. */
void sb_pids_born(uint64_t *place, uint32_t pid, uint32_t tid);

#endif
