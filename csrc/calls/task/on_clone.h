/* SPDX-License-Identifier: MIT */
/*
 * on_clone.h - the start of a child that shares memory.
 */
#ifndef SB_ON_CLONE_H
#define SB_ON_CLONE_H

#include "guest/guest.h"

/* Called by the entry of such a child, on its own runtime stack. */
void sb_task_started(struct sb_thread *thread);

#endif
