/* SPDX-License-Identifier: MIT */
/*
 * index_merge.h - the layers of an image, merged in memory. Hosted build only.
 */
#ifndef SB_INDEX_MERGE_H
#define SB_INDEX_MERGE_H

#include "base/abi.h"
#include "base/base.h"
#include "layers/index_build.h"

#define SB_NO_ITEM UINT32_MAX

struct sb_item { /* one name of the tree */
	uint32_t parent;
	uint32_t next;       /* sibling, in no order */
	uint32_t child;
	uint32_t layer;
	uint32_t name_len;
	bool dead;
	const char *name;
	struct sb_row row;   /* type d for a directory that no row describes */
	const char *link;
	const char *xattrs;
	/* filled by output */
	uint64_t ino;
	uint64_t size;
	uint64_t blocks;
	uint32_t host_nlink;
	uint32_t nlink;
	uint32_t node;
	uint32_t child_count;
};

struct sb_build { /* everything that making one index needs */
	const struct sb_layer_rows *layers;
	uint32_t layer_count;
	int *dirs;           /* open diff directory of each layer */
	struct sb_item *items;
	uint32_t count;
	uint32_t room;
	uint32_t *table;     /* item + 1 by hash of parent and name */
	uint32_t mask;
	uint32_t *order;     /* items in output order */
	uint32_t visible;
	char *problem;
	char path[SB_PATH_MAX];
};

/* Begin with a tree that has only its root. */
int sb_build_start(struct sb_build *b) SB_MUST_CHECK;
/* Apply a layer to the tree. -EINVAL for rows that make no sense. */
int sb_build_apply(struct sb_build *b, uint32_t layer) SB_MUST_CHECK;
/* Remember the path that the error is about. */
void sb_build_problem(struct sb_build *b, const char *path, size_t len);

static inline bool sb_item_is_dir(const struct sb_item *it)
{
	return it->row.type == 'd';
}

#endif
