/* SPDX-License-Identifier: MIT */
/*
 * on_ioctl.h - what ioctl(2) may do to a lower file.
 */
#ifndef SB_ON_IOCTL_H
#define SB_ON_IOCTL_H

#include "guest/guest.h"

/* -ENOTTY: the request could change a lower file. */
int sb_ioctl_check(struct sb_call *call) SB_MUST_CHECK;

#endif
