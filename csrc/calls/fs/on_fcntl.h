/* SPDX-License-Identifier: MIT */
/*
 * on_fcntl.h - requests to descriptors that name a process.
 */
#ifndef SB_ON_FCNTL_H
#define SB_ON_FCNTL_H

#include "guest/guest.h"

/* Answer a request of ioctl(2) for which sb_verdict_request_names_process() is true. */
long sb_ioctl_of_process(struct sb_call *call);
/* The holder of a lock as the program sees it. */
int32_t sb_lock_holder_to_guest(const struct sb_call *call, int type, int32_t pid);

#endif
