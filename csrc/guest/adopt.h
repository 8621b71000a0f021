/* SPDX-License-Identifier: MIT */
/*
 * adopt.h - a new thread asks the container's tracer to attach to it.
 *
 * Level 3.
 */
#ifndef SB_ADOPT_H
#define SB_ADOPT_H

#include "guest/guest.h"

/* Returns once the calling thread is traced, or at once when the container
 * has no tracer. -errno when that cannot be. */
int sb_adopt(struct sb_control *control) SB_MUST_CHECK;
/* End this process: it cannot be run without a tracer. */
void sb_adopt_failed(void) SB_NORETURN SB_COLD;

#endif
