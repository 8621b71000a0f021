/* SPDX-License-Identifier: MIT */
/*
 * dispatch.h - find the handler of a system call and run it.
 */
#ifndef SB_DISPATCH_H
#define SB_DISPATCH_H

#include "guest/guest.h"

/* Run the call whose registers the block holds, and leave the result there. site: where it trapped,
 * or 0. */
void sb_dispatch(struct sb_thread *thread, uint64_t site);

#endif
