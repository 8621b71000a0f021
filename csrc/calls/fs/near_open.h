/* SPDX-License-Identifier: MIT */
/*
 * near_open.h - open what is in a pure directory without a look-up.
 */
#ifndef SB_NEAR_OPEN_H
#define SB_NEAR_OPEN_H

#include "guest/guest.h"

/* Open call->path, which has len bytes, from dirfd with the flags and mode of openat(2). -SB_ELOOK:
 * look the path up. makes: with O_CREAT the kernel may make the file, in a directory that the path
 * names at once. Remembers a directory that was opened. */
long sb_near_open(struct sb_call *call, int dirfd, uint32_t len, bool makes, int flags,
		  uint32_t mode) SB_MUST_CHECK;

#endif
