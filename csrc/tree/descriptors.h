/* SPDX-License-Identifier: MIT */
/*
 * descriptors.h - remember which file of the image, or what pure directory, a descriptor is.
 *
 * How it works
 *   A descriptor of an image file stands for that file until it is closed. The node is learned
 *   when the file is opened, or when the descriptor is first asked about. With the node fstat is
 *   answered, look-ups start and directories are listed without the kernel. A pure directory
 *   (tree.h) is remembered, too: the kernel finds names in it. close, dup2, dup3 and
 *   close_range make the table forget, before the kernel closes. An entry counts how often its
 *   number was forgotten. A thread that learns a node and finds another count drops what it
 *   learned: a close came between. With several threads only the thread that opened the file
 *   learns, since another could ask between the forgetting and the close. What a thread still
 *   learns in that time, under a number that the closing thread does not own, is forgotten after
 *   the close.
 * Rules
 *   Only where call sites are rewritten and the image has an index (sb_fds_are_known()):
 *   elsewhere those calls are not trapped. A table of the kernel's descriptors has one such
 *   table: a process that shares memory but not descriptors has none, one that shares descriptors
 *   but not memory gives it up, and the child of a fork begins with an empty one
 *   (MADV_WIPEONFORK). No lock. Not for files with several names: each name may have its own
 *   copy.
 */
#ifndef SB_FDS_H
#define SB_FDS_H

#include "tree/tree.h"

#define SB_FDS_KNOWN 510

/* The lower half of an entry: 0, or node + 1, or SB_FDS_PURE with more about a pure directory. */
#define SB_FDS_PURE (1U << 31)
#define SB_FDS_DEEP (1U << 30) /* the directory above was pure, too, when so many were moved: */
#define SB_FDS_IN (1U << 29) /* it lies in such a directory, and is no O_PATH descriptor */
#define SB_FDS_NEW                                                                        \
	SB_FDS_DEEP /* with SB_FDS_IN: a file made with it, without a record when so many \
		       were written (owner.h): */
#define SB_FDS_WRITINGS SB_FDS_MOVED
#define SB_FDS_MOVED 0x1fffff00U
#define SB_FDS_MOVED_SHIFT 8
#define SB_FDS_KIND 0xffU /* SB_PURE_* */

/* One page. An entry, by descriptor: count << 32 | what it is. */
struct sb_fds {
	uint64_t closes;  /* how often any entry was forgotten */
	uint64_t threads; /* non-zero: there is, or was, more than one thread */
	uint64_t entry[SB_FDS_KNOWN];
};

/* The state before the kernel is asked; what is learned counts only while it is the same. */
struct sb_fds_mark {
	uint64_t closes;
	uint64_t entry;
};

/* Does the seccomp filter trap the calls that close descriptors? */
bool sb_fds_are_known(const struct sb_control *control);

static inline uint32_t sb_fds_what(const struct sb_fs *fs, int fd)
{
	if (fs->fds == NULL || (uint32_t)fd >= SB_FDS_KNOWN)
		return 0;
	return (uint32_t)__atomic_load_n(&fs->fds->entry[fd], __ATOMIC_ACQUIRE);
}

/* The node of the image file behind fd, or SB_NO_NODE. */
static inline uint32_t sb_fds_find(const struct sb_fs *fs, int fd)
{
	const uint32_t what = sb_fds_what(fs, fd);

	return what >= SB_FDS_PURE ? SB_NO_NODE : what - 1;
}

/* What the directory behind fd is, when it is pure (SB_PURE_*); else 0. */
static inline uint32_t sb_fds_pure(const struct sb_fs *fs, int fd)
{
	const uint32_t what = sb_fds_what(fs, fd);

	return what >= SB_FDS_PURE && (what & SB_FDS_IN) == 0 ? what & SB_FDS_KIND : 0;
}
/* The same, also for a file that lies in such a directory. */
static inline uint32_t sb_fds_home(const struct sb_fs *fs, int fd)
{
	const uint32_t what = sb_fds_what(fs, fd);

	return what >= SB_FDS_PURE ? what & SB_FDS_KIND : 0;
}
/* Is it such a file, and no O_PATH descriptor? */
static inline bool sb_fds_is_in(const struct sb_fs *fs, int fd)
{
	return sb_fds_home(fs, fd) != 0 && sb_fds_pure(fs, fd) == 0;
}
/* Is the directory above it pure, too? */
bool sb_fds_is_deep(const struct sb_fs *fs, int fd);

/* Call the first before, the second after the kernel is asked what fd is. */
struct sb_fds_mark sb_fds_mark(const struct sb_fs *fs, int fd);
void sb_fds_learn(const struct sb_fs *fs, int fd, struct sb_fds_mark mark, uint32_t node);
void sb_fds_learn_pure(const struct sb_fs *fs, int fd, struct sb_fds_mark mark, uint32_t pure);

/* Call the first before, the second after an open: the number is not known before it. */
uint64_t sb_fds_count(const struct sb_fs *fs);
void sb_fds_opened(const struct sb_fs *fs, int fd, uint64_t count, uint32_t node);
/* The same for a directory. deep: the one above is pure, too, since so many directories were moved
 * (dircache.h). */
void sb_fds_opened_pure(const struct sb_fs *fs, int fd, uint64_t count, uint32_t pure, bool deep,
			uint32_t moved);

/* The same for a file in a pure directory, opened without O_PATH. */
void sb_fds_opened_in(const struct sb_fs *fs, int fd, uint64_t count, uint32_t pure);

/* The same for a file that the open made in the upper. writings is what
 * sb_owner_writings() said before it. */
void sb_fds_opened_new(const struct sb_fs *fs, int fd, uint64_t count, uint32_t writings);
/* Is it such a file, which has no record yet? */
bool sb_fds_is_new(const struct sb_fs *fs, int fd);
/* The same for a descriptor of what another one is (sb_fds_what). */
void sb_fds_duplicated(const struct sb_fs *fs, int fd, uint64_t count, uint32_t what);

/* Call it before descriptors first..last are closed. */
void sb_fds_forget(const struct sb_fs *fs, uint32_t first, uint32_t last);
/* Call it after they are closed. */
void sb_fds_closed(const struct sb_fs *fs, uint32_t first, uint32_t last);

#endif
