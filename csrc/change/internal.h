/* SPDX-License-Identifier: MIT */
/*
 * internal.h - how entries get into the upper directory and out of it, which only change/ knows.
 *
 * Rules
 *   A new entry is made in control->work under a temporary name, gets its owner
 *   record, and is moved into place in one step; it may be made in place when
 *   it needs no record. The state byte of a node is set before its path changes.
 */
#ifndef SB_CHANGE_INTERNAL_H
#define SB_CHANGE_INTERNAL_H

#include "change/change.h"
#include "tree/owner.h"

/* Mode bits a host file of the upper carries. */
static inline uint32_t sb_upper_host_mode(uint32_t type, uint32_t mode)
{
	return (mode & 0777) | (type == S_IFDIR ? 0700U : 0600U);
}

/* What a new or copied entry shall look like to the guest. */
struct sb_looks {
	uint32_t mode; /* type and bits */
	uint32_t uid;
	uint32_t gid;
	uint64_t rdev;
};

/* A node's path is about to change: value is SB_STATE_MAKING or SB_STATE_ASK; or a directory is
 * in the upper: SB_STATE_MERGED. A higher value stays. node may be SB_NO_NODE. */
void sb_upper_touch(const struct sb_tree *tree, uint32_t node, unsigned char value);
/* A temporary name in the work directory. */
int sb_upper_temp(const struct sb_fs *fs, struct sb_path *out) SB_MUST_CHECK;
/* Does the lower have an entry at this path that shows when the upper has none? */
bool sb_upper_hides(const struct sb_fs *fs, const struct sb_at *at);
/* Give the fresh host file its record, or make sure that it has none. */
int sb_upper_dress(const struct sb_fs *fs, const char *host,
		   const struct sb_looks *looks) SB_MUST_CHECK;
bool sb_upper_needs_record(const struct sb_looks *looks);
/* Move temp to dst, where nothing or a whiteout is; -EEXIST for anything else.
 * temp is gone after success only. */
int sb_upper_place(const struct sb_fs *fs, const char *temp, const char *dst) SB_MUST_CHECK;
/* Keep others from the changes that need several steps and see a whiteout as free: those
 * over whiteouts and those that leave one. A descriptor for sb_upper_unlock(), or -errno, which
 * that takes too: without a lock the steps are still made. Uses work->host. */
int sb_upper_lock(const struct sb_fs *fs);
void sb_upper_unlock(int lock);
/* Put a whiteout where the entry dst is; the entry is then at temp (which the
 * caller named). */
int sb_upper_swap_out(const struct sb_fs *fs, const char *dst, const char *temp) SB_MUST_CHECK;
/* Remove a directory that holds only marks; -ENOTEMPTY for others. */
int sb_upper_remove_dir(const struct sb_fs *fs, const char *host) SB_MUST_CHECK;
/* at is now an entry of the upper with this type. */
int sb_upper_settle(const struct sb_fs *fs, struct sb_at *at, uint32_t type,
		    bool lower_below) SB_MUST_CHECK;
/* at is gone; whiteout: a whiteout is in its place. */
int sb_upper_settle_absent(const struct sb_fs *fs, struct sb_at *at, bool whiteout) SB_MUST_CHECK;

/* A whiteout over the upper file host. Uses work->temp, as do the next two. */
int sb_upper_cover(const struct sb_fs *fs, const char *host) SB_MUST_CHECK;
/* A whiteout for the upper directory host, which holds only marks. */
int sb_upper_replace_dir(const struct sb_fs *fs, const char *host) SB_MUST_CHECK;
/* Nothing for the upper directory host, which holds only marks. */
int sb_upper_drop_dir(const struct sb_fs *fs, const char *host) SB_MUST_CHECK;

/* copyup_content.c: copy size bytes from in to out and leave holes where in has them. whole: in
 * has no more. Uses the second half of the buffer. */
int sb_copy_content(struct sb_fs *fs, int in, int out, int64_t size, bool whole) SB_MUST_CHECK;
/* copyup.c: copy the lower file of node (a live one: SB_NO_NODE) at this guest path, unless
 * the upper has something there. 1: go on below it, 0: not. Uses work->upper, temp and host. */
int sb_copyup_lower(struct sb_fs *fs, const struct sb_path *guest, uint32_t node) SB_MUST_CHECK;
/* copyup_tree.c: the whole merged directory at becomes an upper one that needs its
 * lower no longer (still transparent). */
int sb_copyup_tree(struct sb_fs *fs, struct sb_at *at) SB_MUST_CHECK;

#endif
