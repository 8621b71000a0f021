/* SPDX-License-Identifier: MIT */
/*
 * lookup.h - find what a path argument names, and the guest path of a descriptor.
 *
 * Copy a path once, then work on the copy.
 */
#ifndef SB_LOOKUP_H
#define SB_LOOKUP_H

#include "guest/guest.h"

/* Find the guest path of the directory where the path of a *at call begins: the working directory
 * for AT_FDCWD, else the directory of dirfd (-EBADF, -ENOTDIR). */
int sb_guest_base(struct sb_call *call, int dirfd, struct sb_path *out) SB_MUST_CHECK;
/* Find the guest path of an open file. -ENOENT: it has none (a pipe, a deleted file). */
int sb_guest_fd_path(struct sb_call *call, int fd, struct sb_path *out) SB_MUST_CHECK;
/* Copy the path argument at addr and look it up, following magic links of /proc. -ENOENT: the path
 * is empty. */
int sb_guest_lookup(struct sb_call *call, int dirfd, uint64_t addr, unsigned flags,
		    struct sb_at *out) SB_MUST_CHECK;

/* The same for a path that is copied already. */
int sb_guest_find(struct sb_call *call, int dirfd, const char *path, unsigned flags,
		  struct sb_at *out) SB_MUST_CHECK;

/* Make path absolute if that needs no system call; otherwise return it as it is. */
const char *sb_guest_whole(struct sb_call *call, int dirfd, const char *path, struct sb_path *room);

#endif
