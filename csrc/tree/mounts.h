/* SPDX-License-Identifier: MIT */
/*
 * mounts.h - the mount table of a container.
 *
 * Guest paths are canonical and given with their length.
 */
#ifndef SB_MOUNTS_H
#define SB_MOUNTS_H

#include "tree/tree.h"

/* Can a mount be at, above or below this path? For most paths the first byte says no. */
static inline bool sb_tree_is_near_mounts(const struct sb_control *control, const char *guest,
					  uint32_t len)
{
	const unsigned char first = len > 1 ? (unsigned char)guest[1] : 0;

	return len < 2 || (control->mount_firsts[first / 64] >> first % 64 & 1) != 0;
}

/* Is the spot in an SB_MOUNT_PROC? */
static inline bool sb_tree_is_proc(const struct sb_tree *tree, const struct sb_spot *spot)
{
	return spot->place == SB_PLACE_MOUNT &&
	       tree->control->mounts[spot->mount].kind == SB_MOUNT_PROC;
}

/* Is it in a mount of which some files are made for the guest (calls/proc)? */
static inline bool sb_tree_is_made(const struct sb_tree *tree, const struct sb_spot *spot)
{
	return sb_tree_is_proc(tree, spot) ||
	       (spot->place == SB_PLACE_MOUNT &&
		tree->control->mounts[spot->mount].kind == SB_MOUNT_LIMITS);
}

/* Whose are the files of the machine's user in this mount, or in the tree (SB_NO_MOUNT)? */
static inline uint32_t sb_mount_uid(const struct sb_control *control, uint32_t mount)
{
	return mount < SB_MAX_MOUNTS ? control->mounts[mount].uid : 0;
}
static inline uint32_t sb_mount_gid(const struct sb_control *control, uint32_t mount)
{
	return mount < SB_MAX_MOUNTS ? control->mounts[mount].gid : 0;
}

/* Find out, once, which mounts are pure directories (tree.h). */
void sb_mounts_find_pure(struct sb_tree *tree);
/* Is this mount one? */
static inline bool sb_mount_is_pure(const struct sb_tree *tree, uint32_t mount)
{
	return (tree->pure_mounts[mount / 64] >> mount % 64 & 1) != 0;
}

/* The innermost mount that holds a path, or SB_NO_MOUNT. */
uint32_t sb_tree_mount_of(const struct sb_tree *tree, const char *guest, uint32_t len);
/* Is a mount attached at this very entry? */
bool sb_is_mount_point(const struct sb_tree *tree, const struct sb_at *at);
/* Is there a mount at or below this path? */
bool sb_tree_has_mounts(const struct sb_tree *tree, const char *guest, uint32_t len);

#endif
