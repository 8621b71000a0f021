/* SPDX-License-Identifier: MIT */
/*
 * first_process.h - what the main process of a container is beside its program.
 */
#ifndef SB_FIRST_PROCESS_H
#define SB_FIRST_PROCESS_H

#include "guest/thread.h"

/* If the caller is the main process: take orphans as an init does. With --init become the init, and
 * return in a child, which is to run the program. argv is that of this process, which has another
 * name as the init. */
void sb_first_process_begin(struct sb_thread *thread, char **argv);

#endif
