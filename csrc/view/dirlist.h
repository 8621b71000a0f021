/* SPDX-License-Identifier: MIT */
/*
 * dirlist.h - getdents64 of a merged directory.
 *
 * Level 2. The position is the descriptor's own file offset, so dup, fork,
 * lseek, rewinddir and seekdir work without help.
 *   A directory that one host directory lists completely keeps that one's
 *   native positions: an upper directory without a lower part, a mount, a live lower.
 *   Any other has its own positions, also when the container changes it while it is read:
 *     0 <= pos < 1<<62   names only the upper has; the upper's native position
 *     1<<62 | x          names the lower has (whatever became of them); x is
 *                        the ordinal (two dots first), or the native position
 *                        in a live lower
 *     3<<61 | k          mount points in this directory
 *   Native positions of 63 bits (ext4 hashes) lose their last bits, which only tell
 *   names of equal hash apart.
 *   An entry that exists all the time is reported exactly once.
 */
#ifndef SB_DIRLIST_H
#define SB_DIRLIST_H

#include "tree/tree.h"

/* Bits of a position in the upper: fewer for 32-bit programs, and on some file systems. */
#define SB_DIRLIST_WIDE 62
#define SB_DIRLIST_NARROW 29
/* What sb_dirlist_read_untouched says of other directories; never seen by guests. */
#define SB_ELIST 4002

static inline unsigned sb_dirlist_bits(const struct sb_fs *fs)
{
	const bool is_short = (fs->tree->control->flags & SB_CONTROL_SHORT_POSITIONS) != 0;

	return fs->narrow_positions || is_short ? SB_DIRLIST_NARROW : SB_DIRLIST_WIDE;
}

/* Can the kernel's own getdents64 on this directory serve as it is? */
bool sb_dirlist_is_native(struct sb_fs *fs, const struct sb_at *dir);

/* Like sb_dirlist_read, of a directory of the image that the container left alone: the index
 * lists it, and of the kernel only fd's position is asked for. -SB_ELIST when fd is none. *pos
 * is where it was. */
long sb_dirlist_read_untouched(struct sb_fs *fs, int fd, char *buf, size_t len,
			       long *pos) SB_MUST_CHECK;

/* Fill buf (runtime memory, len bytes) with struct linux_dirent64 entries of
 * the directory dir, which fd has open. Returns bytes, 0 at the end, -EINVAL
 * when the first entry does not fit. Inode numbers and types are the guest's.
 * Uses p[0], p[2], p[5] and the second half of fs->work->buffer; buf may be the
 * first half. */
long sb_dirlist_read(struct sb_fs *fs, int fd, struct sb_at *dir, char *buf,
		     size_t len) SB_MUST_CHECK;

/* fd has a lower directory open that has an upper one by now, and nothing was
 * read from it: host path to open instead (in p[0]), else NULL. */
const char *sb_dirlist_reopen(struct sb_fs *fs, int fd, const struct sb_at *dir);

/* Is the merged directory empty (whiteouts do not count)? 1, 0 or -errno. Uses
 * p[0] and the second half of fs->work->buffer. */
int sb_dirlist_is_empty(struct sb_fs *fs, struct sb_at *dir) SB_MUST_CHECK;

#endif
