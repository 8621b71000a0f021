/* SPDX-License-Identifier: MIT */
/*
 * i386_dispatch.h - find what a 32-bit program's system call is, and run it.
 */
#ifndef SB_I386_DISPATCH_H
#define SB_I386_DISPATCH_H

#include "guest/thread.h"

/* As sb_dispatch(). */
void sb_i386_dispatch(struct sb_thread *thread);

#endif
