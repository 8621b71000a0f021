/* SPDX-License-Identifier: MIT */
/*
 * internal.h - how entries get into the upper directory and out of it; only change/ knows.
 *
 * Rules
 *   A new entry is made in control->work under a temporary name, gets its owner record, and moves
 *   into place in one step. It may be made in place when it needs no record. The state byte of a
 *   node is set before its path changes.
 */
#ifndef SB_CHANGE_INTERNAL_H
#define SB_CHANGE_INTERNAL_H

#include "change/change.h"
#include "tree/owner.h"

/* The mode bits that a host file of the upper has. */
static inline uint32_t sb_upper_host_mode(uint32_t type, uint32_t mode)
{
	return (mode & 0777) | (type == S_IFDIR ? 0700U : 0600U);
}

#define SB_SET_ID_BITS 06000U

/* The mode bits that a host file of a mount has: another user could run it with the owner's rights.
 */
static inline uint32_t sb_mount_host_mode(uint32_t mode)
{
	return mode & 07777 & ~SB_SET_ID_BITS;
}

/* What the guest shall see of a new or copied entry. */
struct sb_looks {
	uint32_t mode; /* type and bits */
	uint32_t uid;
	uint32_t gid;
	uint64_t rdev;
};

/* Raise the state of a node: to SB_STATE_MAKING or SB_STATE_ASK before its path changes, to
 * SB_STATE_MERGED when the upper has its directory. node may be SB_NO_NODE. */
void sb_upper_touch(const struct sb_tree *tree, uint32_t node, unsigned char value);
/* Choose a temporary name in the work directory. */
int sb_upper_temp(const struct sb_fs *fs, struct sb_path *out) SB_MUST_CHECK;
/* Has the lower an entry at this path, which shows when the upper has none? */
bool sb_upper_hides(const struct sb_fs *fs, const struct sb_at *at);
/* Give a new host file its record, or make sure that it has none. */
int sb_upper_dress(const struct sb_fs *fs, const char *host,
		   const struct sb_looks *looks) SB_MUST_CHECK;
bool sb_upper_needs_record(const struct sb_looks *looks);
/* Move temp to dst, where there is nothing or a whiteout; -EEXIST for anything else. After an
 * error temp is still there. */
int sb_upper_place(const struct sb_fs *fs, const char *temp, const char *dst) SB_MUST_CHECK;
/* Lock other processes out of changes that need several steps and take a whiteout for a free
 * name: those over whiteouts, and those that leave one. Returns a descriptor for
 * sb_upper_unlock(), or -errno, which sb_upper_unlock() takes, too: the change is made even
 * without a lock. Uses work->host. */
int sb_upper_lock(const struct sb_fs *fs);
void sb_upper_unlock(int lock);
/* Put a whiteout in place of the entry dst, which is at temp then. The caller chose temp. */
int sb_upper_swap_out(const struct sb_fs *fs, const char *dst, const char *temp) SB_MUST_CHECK;
/* Remove a directory that holds only marks; -ENOTEMPTY for others. */
int sb_upper_remove_dir(const struct sb_fs *fs, const char *host) SB_MUST_CHECK;
/* Note in at that it is an entry of the upper (or of its mount) with this type. */
int sb_upper_settle(const struct sb_fs *fs, struct sb_at *at, uint32_t type,
		    bool lower_below) SB_MUST_CHECK;
/* Note in at that it is gone; whiteout: and a whiteout is in its place. */
int sb_upper_settle_absent(const struct sb_fs *fs, struct sb_at *at, bool whiteout) SB_MUST_CHECK;

/* Make and open the file host, whose looks need a record. flags are those of open(2). -EEXIST: it
 * is there. Uses work->temp, in a commit section. */
long sb_upper_make_file(struct sb_fs *fs, const struct sb_looks *looks, int flags,
			const char *host) SB_MUST_CHECK;

/* Replace the upper file host by a whiteout. Uses work->temp, as do the next two. */
int sb_upper_cover(const struct sb_fs *fs, const char *host) SB_MUST_CHECK;
/* Replace the upper directory host, which holds only marks, by a whiteout. */
int sb_upper_replace_dir(const struct sb_fs *fs, const char *host) SB_MUST_CHECK;
/* Remove the upper directory host, which holds only marks. */
int sb_upper_drop_dir(const struct sb_fs *fs, const char *host) SB_MUST_CHECK;

/* What sb_upper_walk() does with an entry. 1: go into it, 0: not, or -errno. */
typedef int sb_upper_visit(struct sb_fs *fs, const struct sb_path *path);
/* Visit every entry below the directory with this host path, without recursion. path is the path
 * of the walk meanwhile. Uses the first half of work->buffer. */
int sb_upper_walk(struct sb_fs *fs, struct sb_path *path, sb_upper_visit *visit) SB_MUST_CHECK;

/* copyup_content.c: copy size bytes from in to out, and leave holes where in has them. whole:
 * in has no more. Uses the second half of work->buffer. */
int sb_copy_content(struct sb_fs *fs, int in, int out, int64_t size, bool whole) SB_MUST_CHECK;
/* copyup.c: copy the lower file at this guest path up, unless the upper has something there.
 * node is its node, SB_NO_NODE in a live lower. 1: go on below it, 0: do not. Uses work->upper,
 * temp and host. */
int sb_copyup_lower(struct sb_fs *fs, const struct sb_path *guest, uint32_t node) SB_MUST_CHECK;
/* copyup_tree.c: copy the whole merged directory at up, so that it needs its lower no more. It
 * is not opaque yet. */
int sb_copyup_tree(struct sb_fs *fs, struct sb_at *at) SB_MUST_CHECK;

#endif
