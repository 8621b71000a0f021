/* SPDX-License-Identifier: MIT */
/*
 * dircache.h - remember directories that exist in the upper alone.
 *
 * Level 2. How it works
 *   A directory of the image needs no look at the disk; one that a container
 *   made needs one for every component above it. The last few are kept per
 *   process, under the hash of their canonical path. Every rmdir and every
 *   rename of a directory, by any process, raises sb_control.generation; what
 *   was remembered under another number is forgotten.
 * Rules
 *   Only for callers that need no search permission. No lock: a slot torn by
 *   another thread does not match its hash.
 */
#ifndef SB_DIRCACHE_H
#define SB_DIRCACHE_H

#include "tree.h"

/* The spot of the directory guest[0..len), if it is known. */
bool sb_dircache_find(const struct sb_fs *fs, const char *guest, uint32_t len, struct sb_spot *out);
/* Remember it. generation is sb_dircache_generation() from before the lookup. */
void sb_dircache_put(const struct sb_fs *fs, const char *guest, uint32_t len,
		     const struct sb_spot *spot, uint32_t generation);
uint32_t sb_dircache_generation(const struct sb_tree *tree);
/* A directory is about to get, or has got, another path or none. */
void sb_dircache_changed(const struct sb_tree *tree);

#endif
