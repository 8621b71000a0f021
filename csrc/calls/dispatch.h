/* SPDX-License-Identifier: MIT */
/*
 * dispatch.h - the handlers of syscalls.def and the function that runs one.
 *
 * Level 3.
 */
#ifndef SB_DISPATCH_H
#define SB_DISPATCH_H

#include "guest/guest.h"

#define ON(name) long on_##name(struct sb_call *call);
#define REFUSE(name, error)
#include "syscalls.def"
#undef ON
#undef REFUSE

/* Called by the entry stub on the runtime's stack with the registers saved;
 * leaves the result there. site: where it trapped, 0 when it did not. */
void sb_dispatch(struct sb_thread *thread, uint64_t site);

/* on_ioctl.c: -ENOTTY when a request of file systems could change a file of the lower. */
int sb_ioctl_check(struct sb_call *call) SB_MUST_CHECK;

/* Does each call leave a line, which names the files it found? */
static inline bool sb_dispatch_is_traced(const struct sb_call *call)
{
	return (call->fs->tree->control->flags & SB_CONTROL_TRACE) != 0;
}

#endif
