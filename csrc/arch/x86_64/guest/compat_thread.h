/* SPDX-License-Identifier: MIT */
/*
 * compat_thread.h - the block of a thread of a 32-bit program.
 */
#ifndef SB_COMPAT_THREAD_H
#define SB_COMPAT_THREAD_H

#include "guest/thread.h"

/* Find the calling thread's block, also while the program's own gs is in force. */
struct sb_thread *sb_compat_find_thread(void);

#endif
