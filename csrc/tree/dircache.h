/* SPDX-License-Identifier: MIT */
/*
 * dircache.h - remember directories that exist in the upper, or in a live lower alone.
 *
 * Level 2.
 * How it works
 *   A directory of the image needs no look at the disk; one that a container
 *   made needs one for every component above it. The last few are kept per
 *   process, under the hash of their canonical path. Every rmdir and every
 *   rename of a directory, by any process, raises sb_control.generation; what
 *   was remembered under another number is forgotten.
 *   A directory of a live lower is remembered too: that it is none of the upper. A copy-up of
 *   one raises the number, and nobody believes such a memory while one is being made. What the
 *   machine makes of its own directories meanwhile is found by the look at the entry itself, but
 *   for a symlink in the place of a directory, which the kernel follows.
 *   With the looks of a directory (owner, mode, whether it holds directories) names in it
 *   can be changed without a look at them (change_quick.c): a change of those looks raises
 *   the number too, and directories that are made are counted.
 * Rules
 *   Only for callers that need no search permission. No lock: a slot torn by
 *   another thread does not match its hash.
 */
#ifndef SB_DIRCACHE_H
#define SB_DIRCACHE_H

#include "tree/tree.h"

/* One directory that was found, and the few that a process keeps. */
struct sb_dir_looks {
	uint32_t known; /* 0: the rest says nothing */
	uint32_t mode; /* as the guest sees it, like uid and gid */
	uint32_t uid;
	uint32_t gid;
	uint32_t flat; /* the upper directory had no directory in it, */
	uint32_t made; /* when sb_control.dirs_made was this */
	uint32_t mounts; /* there are some below it */
};
struct sb_dir_slot {
	uint64_t hash;
	uint64_t sum;
	uint32_t len;
	uint32_t generation;
	struct sb_spot spot;
	struct sb_dir_looks looks;
};
struct sb_dir_slots {
	struct sb_dir_slot slots[64];
};

/* The spot of the directory guest[0..len), if it is known. */
bool sb_dircache_find(const struct sb_fs *fs, const char *guest, uint32_t len, struct sb_spot *out);
/* Remember it. generation is sb_dircache_generation() from before the lookup. */
void sb_dircache_put(const struct sb_fs *fs, const char *guest, uint32_t len,
		     const struct sb_spot *spot, uint32_t generation);
uint32_t sb_dircache_generation(const struct sb_tree *tree);
/* A directory is about to get, or has got, another path or none, or has got other looks. */
void sb_dircache_changed(const struct sb_tree *tree);

/* The same with the looks, which were asked for after generation was read. */
bool sb_dircache_looks(const struct sb_fs *fs, const char *guest, uint32_t len, struct sb_spot *out,
		       struct sb_dir_looks *looks);
void sb_dircache_learn(const struct sb_fs *fs, const char *guest, uint32_t len,
		       const struct sb_spot *spot, const struct sb_dir_looks *looks,
		       uint32_t generation);

/* Around each directory that is made in the upper. */
void sb_dircache_making(const struct sb_tree *tree);
void sb_dircache_made(const struct sb_tree *tree);
uint32_t sb_dircache_count(const struct sb_tree *tree);
/* Was none made since that count, and is none being made? */
bool sb_dircache_is_quiet(const struct sb_tree *tree, uint32_t made);

#endif
