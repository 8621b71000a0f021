/* SPDX-License-Identifier: MIT */
/*
 * host_open.h - open on the host what the look-up found.
 */
#ifndef SB_HOST_OPEN_H
#define SB_HOST_OPEN_H

#include "guest/guest.h"

/* Open without following a symlink. openat2 does it without O_NOFOLLOW, which F_GETFL would
 * show. */
long sb_open_strictly(struct sb_call *call, int dirfd, const char *host, int flags);
/* The same with more of openat2(2)'s resolve flags, and with a mode for O_CREAT. */
long sb_open_resolving(struct sb_call *call, const struct sb_pure_name *at, int flags,
		       uint32_t mode, uint64_t resolve);
/* The same. Falls back to O_NOFOLLOW when the kernel has no openat2, a filter refuses it, or a
 * directory above the store became a symlink. */
long sb_open_host(struct sb_call *call, const char *host, int flags);
/* The same for the entry at, whose permission was checked: the user's own files in mounts are
 * opened whatever their mode on the host is (tree/loosen.h). */
long sb_open_allowed(struct sb_call *call, const struct sb_at *at, int flags) SB_MUST_CHECK;
/* Open a file of /proc to write, which Landlock refuses: ask the opener (opener/opener_tasks.h). */
long sb_open_task_file(struct sb_call *call, const char *host, int flags) SB_MUST_CHECK;
/* Open the host's device of this number, or the node at this place if it is one. Otherwise
 * -EPERM. */
long sb_open_device(struct sb_call *call, int flags, struct sb_at *at);
/* Open with O_PATH a symlink that has no file (/dev/stdin): the host's symlink of that name, if it
 * is the same. */
long sb_open_made_link(struct sb_call *call, const struct sb_at *at, int flags);
bool sb_open_is_device(uint32_t type);

#endif
