/* SPDX-License-Identifier: MIT */
/*
 * dircache.h - remember directories that exist in the upper, or in a live lower alone.
 *
 * How it works
 *   The index answers for a directory of the image. For a directory that the container made, the
 *   kernel is asked about every component above it. So each process keeps the last few of those,
 *   under the hash of their canonical path. Every change of a directory (rmdir, rename, other
 *   looks), by any process, raises sb_shared.generation: a look-up that began before it is not
 *   remembered. What was remembered before counts as long as the directory has the same age. An
 *   rmdir and a change of looks give another age to directories of that name (their names share
 *   SB_DIR_AGES numbers), all other changes to every directory. For a
 *   directory of a live lower the memory says that the upper does not have it. A copy-up of a
 *   directory raises the generation, too, and while one is being made no such slot counts. When
 *   the machine changes its own directories meanwhile, the look at the entry itself notices; only
 *   a symlink in place of a directory is not noticed, and the kernel follows it. With the looks
 *   of a directory (owner, mode, whether it holds directories) change_quick.c changes names in it
 *   without a look at them. A change of those looks raises the generation, and directories that
 *   are made are counted.
 * Rules
 *   Only for callers that need no search permission. No lock: a slot that another thread has torn
 *   does not match its hash.
 */
#ifndef SB_DIRCACHE_H
#define SB_DIRCACHE_H

#include "tree/tree.h"

#define SB_DIR_SLOTS 256
#define SB_DIR_BITS 1024

/* What a directory looked like when it was found. */
struct sb_dir_looks {
	uint32_t known; /* 0: the rest says nothing */
	uint32_t mode; /* as the guest sees it, like uid and gid */
	uint32_t uid;
	uint32_t gid;
	uint32_t flat; /* the upper directory held no directory when */
	uint32_t made; /* sb_shared.dirs_made had this value */
	uint32_t mounts; /* there are mounts below it */
};
/* What a directory is known for: it is gone, or another one, when this differs. */
struct sb_dir_age {
	uint32_t moved;
	uint32_t named;
};
struct sb_dir_slot {
	uint64_t hash;
	uint64_t sum;
	uint32_t len;
	struct sb_dir_age age;
	struct sb_spot spot;
	struct sb_dir_looks looks;
};
struct sb_dir_slots {
	struct sb_dir_slot slots[SB_DIR_SLOTS];
	uint64_t filter[SB_DIR_BITS / 64]; /* a bit for each directory that was remembered since: */
	uint32_t filter_moved;
};

/* The bit of a path in the filter, from its length and its end. */
static inline unsigned sb_dircache_bit(const char *guest, uint32_t len)
{
	const uint32_t tail = SB_MIN(len, 8U);
	uint64_t word = 0;

	if (tail == 8)
		__builtin_memcpy(&word, guest + len - 8, 8);
	else
		memcpy(&word, guest, tail);
	return (unsigned)((word ^ len) * 0x9e3779b97f4a7c15ULL >> 54);
}

/* Can the directory be known? Mostly false for one that is not: that costs less than to look. */
static inline bool sb_dircache_may_find(const struct sb_fs *fs, const char *guest, uint32_t len)
{
	const unsigned bit = sb_dircache_bit(guest, len);

	return fs->dirs != NULL && (fs->dirs->filter[bit / 64] >> bit % 64 & 1) != 0;
}

/* The spot of the directory guest[0..len), if it is known. */
bool sb_dircache_find(const struct sb_fs *fs, const char *guest, uint32_t len, struct sb_spot *out);
/* Remember it. generation is what sb_dircache_generation() said before the look-up. */
void sb_dircache_put(const struct sb_fs *fs, const char *guest, uint32_t len,
		     const struct sb_spot *spot, uint32_t generation);
uint32_t sb_dircache_generation(const struct sb_tree *tree);
/* Call it before and after a directory gets another path, or none, or other looks. */
void sb_dircache_changed(const struct sb_tree *tree);
/* The same for the directory itself, not for those below it. path is any path that ends with its
 * name. The second says whether that was done. */
void sb_dircache_ending(const struct sb_tree *tree, const char *path, uint32_t len);
void sb_dircache_ended(const struct sb_tree *tree, const char *path, uint32_t len, bool done);
/* The age of the directory guest[0..len). False while it is changed, and when anything was since
 * generation was read. */
bool sb_dircache_age(const struct sb_tree *tree, const char *guest, uint32_t len,
		     uint32_t generation, struct sb_dir_age *age);
/* Has it still this age? */
bool sb_dircache_has_age(const struct sb_tree *tree, const char *guest, uint32_t len,
			 const struct sb_dir_age *age);
/* How often directories were moved. */
uint32_t sb_dircache_moved(const struct sb_tree *tree);

/* The same with the looks, which the caller read after the generation. */
bool sb_dircache_looks(const struct sb_fs *fs, const char *guest, uint32_t len, struct sb_spot *out,
		       struct sb_dir_looks *looks);
void sb_dircache_learn(const struct sb_fs *fs, const char *guest, uint32_t len,
		       const struct sb_spot *spot, const struct sb_dir_looks *looks,
		       uint32_t generation);

/* May there be a whiteout in a directory where no lower has anything? */
bool sb_dircache_has_strays(const struct sb_tree *tree);

/* Call these before and after a directory is made in the upper. */
void sb_dircache_making(const struct sb_tree *tree);
void sb_dircache_made(const struct sb_tree *tree);
uint32_t sb_dircache_count(const struct sb_tree *tree);
/* Was none made since that count, and is none being made now? */
bool sb_dircache_is_quiet(const struct sb_tree *tree, uint32_t made);

#endif
