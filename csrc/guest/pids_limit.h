/* SPDX-License-Identifier: MIT */
/*
 * pids_limit.h - how many tasks a container may have.
 *
 * A task (a thread, or the first of a process) has a place in a table of the shared file. Without
 * a free place no task is born. No place has to be given back: the kernel says which tasks have
 * ended.
 */
#ifndef SB_PIDS_LIMIT_H
#define SB_PIDS_LIMIT_H

#include "tree/tree.h"

/* Take a place for a task that is about to be born; *place is NULL if there is no limit. -EAGAIN:
 * all places are taken. */
int sb_pids_claim(const struct sb_tree *tree, uint64_t **place) SB_MUST_CHECK;
/* The task was not born. */
void sb_pids_drop(uint64_t *place);
/* Called by the new task: the place is its own. */
void sb_pids_settle(uint64_t *place);
/* Called by its parent, too: the task may be killed before it calls sb_pids_settle(). */
void sb_pids_born(uint64_t *place, uint32_t pid, uint32_t tid);

#endif
