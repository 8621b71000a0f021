/* SPDX-License-Identifier: MIT */
/*
 * descriptors.h - which image file a descriptor is, remembered.
 *
 * Level 2.
 * How it works
 *   A descriptor of an image file means that file until it is closed. What is
 *   learned when it is opened, or asked for the first time, answers fstat,
 *   starts lookups and lists directories without the kernel. close, dup2, dup3
 *   and close_range forget, before the kernel closes.
 *   An entry counts how often its number was forgotten: who learned something
 *   and finds another count was overtaken by a close, and drops it. With
 *   several threads only who opened a file learns what its number is: others
 *   could ask between the forgetting and the close. What is learned then
 *   under a number that the closer does not own is forgotten after the close.
 * Rules
 *   Only where call sites are rewritten and the image has an index
 *   (sb_fds_are_known()): else those calls are the kernel's alone. One table
 *   for one table of descriptors: a process that shares memory but not
 *   descriptors has none, one that shares descriptors but not memory gives it
 *   up, the child of a fork begins with an empty one (MADV_WIPEONFORK).
 *   No lock. Not for files with several names: each may have its own copy.
 */
#ifndef SB_FDS_H
#define SB_FDS_H

#include "tree/tree.h"

#define SB_FDS_KNOWN 510

/* A page: count << 32 | node + 1, by descriptor. */
struct sb_fds {
	uint64_t closes;  /* how often anything was forgotten */
	uint64_t threads; /* is there, or was there, more than one? */
	uint64_t entry[SB_FDS_KNOWN];
};

/* What must not have changed when something is learned. */
struct sb_fds_mark {
	uint64_t closes;
	uint64_t entry;
};

/* Does the filter trap the calls that end descriptors? */
bool sb_fds_are_known(const struct sb_control *control);

/* The node of the image file behind fd, or SB_NO_NODE. */
static inline uint32_t sb_fds_find(const struct sb_fs *fs, int fd)
{
	if (fs->fds == NULL || (uint32_t)fd >= SB_FDS_KNOWN)
		return SB_NO_NODE;
	return (uint32_t)__atomic_load_n(&fs->fds->entry[fd], __ATOMIC_ACQUIRE) - 1;
}

/* Before the kernel is asked what fd is. */
struct sb_fds_mark sb_fds_mark(const struct sb_fs *fs, int fd);
void sb_fds_learn(const struct sb_fs *fs, int fd, struct sb_fds_mark mark, uint32_t node);

/* Before and after an open, whose number is not known before it. */
uint64_t sb_fds_count(const struct sb_fs *fs);
void sb_fds_opened(const struct sb_fs *fs, int fd, uint64_t count, uint32_t node);

/* Before descriptors first..last are closed. */
void sb_fds_forget(const struct sb_fs *fs, uint32_t first, uint32_t last);
/* After it. */
void sb_fds_closed(const struct sb_fs *fs, uint32_t first, uint32_t last);

#endif
