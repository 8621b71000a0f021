/* SPDX-License-Identifier: MIT */
/*
 * call_file.h - the file a call means: by path, by descriptor, or by both.
 *
 * Level 3. A descriptor of a lower file must not be changed through itself: it
 * is the image. Such a file is changed by its path, which copies it up.
 * Uses call->path, work->base, guest and host.
 */
#ifndef SB_CALL_FILE_H
#define SB_CALL_FILE_H

#include "guest/guest.h"

#define SB_FILE_BY_PATH 0 /* at is the file: use the functions that take it */
#define SB_FILE_BY_FD 1 /* *fd is the file: use the functions that take a descriptor */

/* The file of a call with AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH as flags say. */
int sb_call_file_find(struct sb_call *call, int dirfd, uint64_t addr, int flags, struct sb_at *at,
		      int *fd) SB_MUST_CHECK;
/* The file of a descriptor. -EROFS for a lower file whose name is gone. */
int sb_call_file_of_fd(struct sb_call *call, int fd, struct sb_at *at) SB_MUST_CHECK;
/* The same for calls that refuse O_PATH descriptors with -EBADF. */
int sb_call_file_of_open_fd(struct sb_call *call, int fd, struct sb_at *at) SB_MUST_CHECK;
/* Is the string at addr empty? 1, 0 or -EFAULT. */
int sb_call_file_is_empty(uint64_t addr) SB_MUST_CHECK;

#endif
