/* SPDX-License-Identifier: MIT */
/*
 * tasks.h - who the tasks of the container are.
 */
#ifndef SB_GUEST_TASKS_H
#define SB_GUEST_TASKS_H

#include "guest/guest.h"

struct sb_proc_slot;

/* The slot of a process by the kernel's number of one of its threads; NULL: it is no process of
 * this container. May open a descriptor. */
const struct sb_proc_slot *sb_task_slot(const struct sb_tree *tree, uint32_t real);

/* What /proc shows (tree/tasks.h). */
extern const struct sb_tasks sb_guest_tasks;

#endif
