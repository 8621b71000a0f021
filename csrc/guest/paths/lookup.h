/* SPDX-License-Identifier: MIT */
/*
 * lookup.h - find what a path argument names, and the guest path of a descriptor.
 *
 * Level 3. Copy a path once, then work on the copy.
 */
#ifndef SB_LOOKUP_H
#define SB_LOOKUP_H

#include "guest/guest.h"

/* Guest path of the directory a *at call starts from: cwd for AT_FDCWD, else the
 * directory behind fd (-EBADF, -ENOTDIR). */
int sb_guest_base(struct sb_call *call, int dirfd, struct sb_path *out) SB_MUST_CHECK;
/* Guest path of whatever fd has open; -ENOENT when it has none (pipe, deleted). */
int sb_guest_fd_path(struct sb_call *call, int fd, struct sb_path *out) SB_MUST_CHECK;
/* Copy the path argument at addr and look it up. Handles AT_FDCWD, absolute
 * paths, /proc magic links. -ENOENT for an empty path. */
int sb_guest_lookup(struct sb_call *call, int dirfd, uint64_t addr, unsigned flags,
		    struct sb_at *out) SB_MUST_CHECK;

/* The same for a path that was copied before. */
int sb_guest_find(struct sb_call *call, int dirfd, const char *path, unsigned flags,
		  struct sb_at *out) SB_MUST_CHECK;

/* The path from the root where that costs no system call, else path as it is. */
const char *sb_guest_whole(struct sb_call *call, int dirfd, const char *path, struct sb_path *room);

#endif
