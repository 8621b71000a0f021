/* SPDX-License-Identifier: MIT */
/*
 * dirlist.h - getdents64 of a merged directory.
 *
 * Level 2. The position is the descriptor's own file offset, so dup, fork,
 * lseek, rewinddir and seekdir work without help:
 *   0 <= pos < 1<<62   entries of the upper; the native position is pos << 1
 *   1<<62 | x          lower entries; x is the child's ordinal, or the native
 *                      position >> 1 in a live lower; past the last one come the
 *                      mount points in this directory
 * An entry that exists all the time is reported exactly once. A descriptor on a lower
 * directory that was read natively before the directory changed goes on natively, filtered.
 */
#ifndef SB_DIRLIST_H
#define SB_DIRLIST_H

#include "tree.h"

/* Can the kernel's own getdents64 on this directory serve as it is? */
bool sb_dirlist_is_native(struct sb_fs *fs, const struct sb_at *dir);

/* Fill buf (runtime memory, len bytes) with struct linux_dirent64 entries of
 * the directory dir, which fd has open. Returns bytes, 0 at the end, -EINVAL
 * when the first entry does not fit. Inode numbers and types are the guest's. */
long sb_dirlist_read(struct sb_fs *fs, int fd, struct sb_at *dir, char *buf, size_t len) SB_MUST_CHECK;

/* Is the merged directory empty (whiteouts do not count)? 1, 0 or -errno. */
int sb_dirlist_is_empty(struct sb_fs *fs, struct sb_at *dir) SB_MUST_CHECK;

#endif
