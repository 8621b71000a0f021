/* SPDX-License-Identifier: MIT */
/*
 * index.h - look-ups in the mapped index of an image.
 *
 * A look-up that finds nothing says SB_NO_NODE.
 */
#ifndef SB_INDEX_H
#define SB_INDEX_H

#include "tree/tree.h"

/* Is this mapping a whole index of this version? 0 or -EINVAL. */
int sb_index_check(const struct sb_index *index, uint64_t file_size) SB_MUST_CHECK;
uint32_t sb_index_find_path(const struct sb_tree *tree, const char *guest, size_t len);
uint32_t sb_index_find_child(const struct sb_tree *tree, uint32_t dir, const char *name,
			     size_t len);
/* By the inode number of the file in its layer. */
uint32_t sb_index_find_inode(const struct sb_tree *tree, uint64_t ino);
/* The same for a directory; sx has at least type and number. */
uint32_t sb_index_find_dir(const struct sb_tree *tree, const struct statx *sx);
/* The paths of the layers' files below the store, by number, in tree->strings. */
static inline const struct sb_text *sb_index_layers(const struct sb_tree *tree)
{
	return (const struct sb_text *)(const void *)((const char *)tree->index +
						      tree->index->layers_off);
}
/* Canonical guest path of a node. */
int sb_index_guest_path(const struct sb_tree *tree, uint32_t node,
			struct sb_path *out) SB_MUST_CHECK;
/* Host path of a node's file in its layer. */
int sb_index_host_path(const struct sb_tree *tree, uint32_t node,
		       struct sb_path *out) SB_MUST_CHECK;

#endif
