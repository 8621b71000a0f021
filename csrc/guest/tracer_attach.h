/* SPDX-License-Identifier: MIT */
/*
 * tracer_attach.h - a new thread asks the container's tracer to attach to it.
 */
#ifndef SB_TRACER_ATTACH_H
#define SB_TRACER_ATTACH_H

#include "guest/guest.h"

/* Returns 0 when the calling thread is traced, or at once if the container has no tracer. */
int sb_tracer_attach(const struct sb_tree *tree) SB_MUST_CHECK;
/* End this process: it cannot run without its tracer. */
void sb_tracer_attach_failed(void) SB_NORETURN SB_COLD;

#endif
