/* SPDX-License-Identifier: MIT */
/*
 * on_stat.h - what the calls of the stat family have in common.
 */
#ifndef SB_ON_STAT_H
#define SB_ON_STAT_H

#include "guest/guest.h"

#define SB_STAT_FLAGS (AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE)

/* Look up call->path and fill at->st. */
long sb_stat_find(struct sb_call *call, int dirfd, unsigned flags, struct sb_at *at) SB_MUST_CHECK;
/* Is the descriptor itself asked for? 1, 0 or -errno. */
int sb_stat_asks_descriptor(uint64_t path, unsigned at_flags) SB_MUST_CHECK;
/* Answer for an entry of an open directory of the image without making its path. */
bool sb_stat_nearby(struct sb_call *call, int dirfd, unsigned flags, struct sb_stat *st);
/* SB_FOLLOW, or 0 with AT_SYMLINK_NOFOLLOW. */
unsigned sb_stat_follow(unsigned at_flags);

#endif
