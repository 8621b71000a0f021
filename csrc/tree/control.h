/* SPDX-License-Identifier: MIT */
/*
 * control.h - the parts of a container's mapped files, and of the index that they name.
 */
#ifndef SB_CONTROL_H
#define SB_CONTROL_H

#include "tree/tree.h"

/* Fill tree from a mapped control file. The other parts stay NULL: the caller maps the files that
 * the control file names. -EINVAL for a file that is no control file. */
int sb_tree_attach(struct sb_tree *tree, const void *map, uint64_t size) SB_MUST_CHECK;
/* Size of the shared file that belongs to it. */
uint64_t sb_tree_shared_size(const struct sb_control *control);
/* The same for the mapped shared file, of at least that size. */
void sb_tree_attach_shared(struct sb_tree *tree, void *map);
/* The same for the mapped index. */
int sb_tree_attach_index(struct sb_tree *tree, const void *map, uint64_t size) SB_MUST_CHECK;

#endif
