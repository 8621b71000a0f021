/* SPDX-License-Identifier: MIT */
/*
 * on_ioctl.h - what ioctl(2) may do to a file of the lower.
 *
 * Level 3.
 */
#ifndef SB_ON_IOCTL_H
#define SB_ON_IOCTL_H

#include "guest/guest.h"

/* -ENOTTY when a request of file systems could change a file of the lower. */
int sb_ioctl_check(struct sb_call *call) SB_MUST_CHECK;

#endif
