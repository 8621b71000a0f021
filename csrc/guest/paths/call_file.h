/* SPDX-License-Identifier: MIT */
/*
 * call_file.h - the file that a call is about, named by a path, a descriptor or both.
 *
 * A lower file must not be changed through a descriptor, since it belongs to the image. It is
 * changed by its path, which copies it up. Uses call->path, work->base, guest and host.
 */
#ifndef SB_CALL_FILE_H
#define SB_CALL_FILE_H

#include "guest/guest.h"

#define SB_FILE_BY_PATH 0 /* the file is *at: call the functions that take a path */
#define SB_FILE_BY_FD 1 /* the file is *fd: call the functions that take a descriptor */

/* Find the file. flags may have AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH. */
int sb_call_file_find(struct sb_call *call, int dirfd, uint64_t addr, int flags, struct sb_at *at,
		      int *fd) SB_MUST_CHECK;
/* Find the file of a descriptor. -EROFS: a lower file whose name is gone. */
int sb_call_file_of_fd(struct sb_call *call, int fd, struct sb_at *at) SB_MUST_CHECK;
/* The same; an O_PATH descriptor is -EBADF. */
int sb_call_file_of_open_fd(struct sb_call *call, int fd, struct sb_at *at) SB_MUST_CHECK;
/* Is the string at addr empty? 1, 0 or -EFAULT. */
int sb_call_file_is_empty(uint64_t addr) SB_MUST_CHECK;

#endif
