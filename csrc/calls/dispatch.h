/* SPDX-License-Identifier: MIT */
/*
 * dispatch.h - find the handler of a system call and run it.
 *
 * Level 3.
 */
#ifndef SB_DISPATCH_H
#define SB_DISPATCH_H

#include "guest/guest.h"

/* Called on the runtime's stack with the guest's registers in the block; leaves the result there.
 * site: where the call trapped, 0 when it did not. */
void sb_dispatch(struct sb_thread *thread, uint64_t site);

#endif
