/* SPDX-License-Identifier: MIT */
/*
 * near.h - names that the kernel finds by itself, in pure directories.
 *
 * How it works
 *   The descriptor or working directory of a program is often a pure directory (tree.h). Then a
 * name in it is the same for the kernel. A longer path is near in two cases. The directory that
 * holds its last name is remembered as a pure one of the upper (dircache.h): the kernel gets the
 * path from the working directory, if that is a pure directory on the way, or else the path on the
 *   host. Or the path goes down from a pure directory that nobody has walked yet, or in a mount,
 *   where strangers may put a symlink in a directory's place at any time: then the kernel must find
 *   it without symlinks.
 * Rules
 *   No lock. Another thread may change the directory or close the descriptor meanwhile, and another
 *   process may move a directory: an answer of the kernel counts only if sb_near_leave() says so.
 */
#ifndef SB_NEAR_H
#define SB_NEAR_H

#include "guest/guest.h"

struct sb_near {
	struct sb_pure_name at;
	uint32_t generation; /* dircache.h */
	uint32_t moved; /* dircache.h */
	uint64_t base;       /* what was known of at.dirfd */
	uint64_t resolve; /* non-zero: how openat2(2) must find at.name, which has several parts */
	bool has_base; /* at.dirfd must stay what it was */
	bool is_remembered; /* no directory may have been moved */
	bool is_inside; /* at.dirfd was opened by sb_near_enter() */
};

/* Is the entry that dirfd and path name a near one? path has len bytes, and stays as it is until
 * near is no longer needed. Uses work->base and host. openat2(2) may open it with near->resolve. */
bool sb_near_find(struct sb_call *call, int dirfd, const char *path, uint32_t len,
		  struct sb_near *near);
/* The same for other calls: name is one that the kernel finds without symlinks. Call
 * sb_near_leave() after it. */
bool sb_near_enter(struct sb_call *call, int dirfd, const char *path, uint32_t len,
		   struct sb_near *near);
/* May another thread make it another name before sb_near_leave() notices? */
bool sb_near_is_shared(const struct sb_call *call, const struct sb_near *near);
/* The same as sb_near_enter() for calls that change what name is: no other thread can make it
 * another name. */
bool sb_near_pin(struct sb_call *call, int dirfd, const char *path, uint32_t len,
		 struct sb_near *near);
/* Fill what functions of the tree that only read an entry need of at: its spot, the host's look and
 * a path for the kernel. flags: SB_FOLLOW. -ENOENT is an answer. -SB_ELOOK: look the path up. */
int sb_near_look(const struct sb_call *call, const struct sb_near *near, unsigned flags,
		 struct sb_at *at) SB_MUST_CHECK;
/* Was it near all the time? */
bool sb_near_leave(const struct sb_call *call, const struct sb_near *near);

#endif
