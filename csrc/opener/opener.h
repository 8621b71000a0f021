/* SPDX-License-Identifier: MIT */
/*
 * opener.h - the process that opens for a container what its fence keeps shut.
 *
 * How it works
 *   Landlock grants files by what they are when a container starts. Terminals and processes come
 *   later, and watches know no Landlock. This process is outside of the fence and serves those
 *   of its container, when a guest asks it.
 */
#ifndef SB_OPENER_H
#define SB_OPENER_H

#include "guest/thread.h"

/* Leave the opener behind. The caller is not confined yet, and ends when the container does. argv
 * is that of this process, which has another name in the opener. Where there is one already,
 * nothing happens. */
void sb_opener_start(struct sb_thread *thread, const char *run, char **argv);

#endif
