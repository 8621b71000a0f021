/* SPDX-License-Identifier: MIT */
/*
 * control.h - the parts of a mapped control file, and of the index that it names.
 */
#ifndef SB_CONTROL_H
#define SB_CONTROL_H

#include "tree/tree.h"

/* Fill tree from a mapped control file. The index and the owner table stay NULL: the caller maps
 * the files that the control file names. -EINVAL for a file that is no control file. */
int sb_tree_attach(struct sb_tree *tree, void *map, uint64_t size) SB_MUST_CHECK;
/* The same for the mapped index. */
int sb_tree_attach_index(struct sb_tree *tree, const void *map, uint64_t size) SB_MUST_CHECK;

#endif
