/* SPDX-License-Identifier: MIT */
/*
 * rewritten.h - copies of layer files with rewritten call sites.
 *
 * The copies lie in the store (layers/<digest>/text/<inode>); the control file lists those of
 * this image. A copy has the size and layout of the original and is mapped in its place. A
 * program that opens or reads the file gets the original.
 */
#ifndef SB_REWRITTEN_H
#define SB_REWRITTEN_H

#include "tree/tree.h"

/* The copy of a node's file, or NULL. */
const struct sb_patched_text *sb_rewritten_of_node(const struct sb_tree *tree, uint32_t node);
/* The copy with this host path, or NULL. */
const struct sb_patched_text *sb_rewritten_of_host(const struct sb_tree *tree, const char *host,
						   size_t len);
/* Inode of the layer file when ino is that of a copy, else ino. */
uint64_t sb_rewritten_original(const struct sb_tree *tree, uint64_t ino);

#endif
