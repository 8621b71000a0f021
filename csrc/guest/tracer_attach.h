/* SPDX-License-Identifier: MIT */
/*
 * tracer_attach.h - a new thread asks the container's tracer to attach to it.
 *
 * Level 3.
 */
#ifndef SB_TRACER_ATTACH_H
#define SB_TRACER_ATTACH_H

#include "guest/guest.h"

/* Returns once the calling thread is traced, or at once when the container
 * has no tracer. -errno when that cannot be. */
int sb_tracer_attach(struct sb_control *control) SB_MUST_CHECK;
/* End this process: it cannot be run without a tracer. */
void sb_tracer_attach_failed(void) SB_NORETURN SB_COLD;

#endif
