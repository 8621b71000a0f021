/* SPDX-License-Identifier: MIT */
/*
 * host_open.h - the host's own open, for on_open.c.
 *
 * Level 3.
 */
#ifndef SB_HOST_OPEN_H
#define SB_HOST_OPEN_H

#include "guest/guest.h"

/* openat2 rather than O_NOFOLLOW, which F_GETFL would show. Where the kernel has no
 * openat2, a filter refuses it, or the way to the store became a symlink, O_NOFOLLOW. */
long sb_open_strictly(struct sb_call *call, int dirfd, const char *host, int flags);
/* The same, with what helps where openat2 does not. */
long sb_open_host(struct sb_call *call, const char *host, int flags);
/* A device: the host's with this number, or its own node at this place; else -EPERM. */
long sb_open_device(struct sb_call *call, int flags, struct sb_at *at);
bool sb_open_is_device(uint32_t type);

#endif
