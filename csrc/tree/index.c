/* SPDX-License-Identifier: MIT */
/*
 * index.c - find nodes in the mapped index of an image.
 *
 * How it works
 *   Two open-addressing tables lead from a path hash or an inode number to a node. The children
 *   of a directory are a sorted run of nodes.
 * Rules
 *   Reads the map only. sb_index_check() checks the header. The index is a file of our own store,
 *   so nodes are trusted.
 */
#include "tree/index.h"

#include <errno.h>

#include "base/stat.h"

static bool is_inside(uint64_t off, uint64_t count, uint64_t each, uint64_t size)
{
	return off % 8 == 0 && off <= size && count <= (size - off) / each;
}

static bool is_mask(uint32_t mask)
{
	return (mask & (mask + 1)) == 0;
}

int sb_index_check(const struct sb_index *index, uint64_t file_size)
{
	static const char magic[8] = "SBINDEX";
	uint64_t strings;

	if (file_size < sizeof(*index) || memcmp(index->magic, magic, sizeof(magic)) != 0 ||
	    index->version != SB_INDEX_VERSION || index->size != file_size)
		return -EINVAL;
	strings = index->strings_off;
	if (index->node_count == 0 || !is_mask(index->path_mask) || !is_mask(index->inode_mask) ||
	    !is_inside(index->nodes_off, index->node_count, sizeof(struct sb_node), file_size) ||
	    !is_inside(index->path_off, (uint64_t)index->path_mask + 1, 4, file_size) ||
	    !is_inside(index->inode_off, (uint64_t)index->inode_mask + 1, 4, file_size) ||
	    !is_inside(index->layers_off, index->layer_count, sizeof(struct sb_text), file_size) ||
	    !is_inside(strings, index->strings_len, 1, file_size))
		return -EINVAL;
	return 0;
}

static const uint32_t *table_at(const struct sb_index *index, uint64_t off)
{
	return (const uint32_t *)(const void *)((const char *)index + off);
}

/* Is guest the canonical path of node? The comparison begins at the end. */
static bool is_path_of(const struct sb_tree *tree, uint32_t node, const char *guest, size_t len)
{
	while (node != 0) {
		const struct sb_node *n = &tree->nodes[node];

		if (len <= n->name_len || guest[len - n->name_len - 1] != '/' ||
		    memcmp(guest + len - n->name_len, tree->strings + n->name_off, n->name_len) !=
			    0)
			return false;
		len -= n->name_len + 1;
		node = n->parent;
	}
	return len == 0;
}

uint32_t sb_index_find_path(const struct sb_tree *tree, const char *guest, size_t len)
{
	const struct sb_index *index = tree->index;
	const uint32_t *table = table_at(index, index->path_off);
	uint64_t hash;
	uint32_t found;

	if (len == 1)
		return 0;
	hash = sb_hash(guest, len);
	for (uint32_t at = (uint32_t)hash & index->path_mask; (found = table[at]) != 0;
	     at = (at + 1) & index->path_mask) {
		if (tree->nodes[found - 1].hash == hash && is_path_of(tree, found - 1, guest, len))
			return found - 1;
	}
	return SB_NO_NODE;
}

uint32_t sb_index_find_inode(const struct sb_tree *tree, uint64_t ino)
{
	const struct sb_index *index = tree->index;
	const uint32_t *table = table_at(index, index->inode_off);
	uint64_t hash = sb_hash((const char *)&ino, sizeof(ino));
	uint32_t found;

	for (uint32_t at = (uint32_t)hash & index->inode_mask; (found = table[at]) != 0;
	     at = (at + 1) & index->inode_mask) {
		if (tree->nodes[found - 1].ino == ino)
			return found - 1;
	}
	return SB_NO_NODE;
}

uint32_t sb_index_find_dir(const struct sb_tree *tree, const struct statx *sx)
{
	if (tree->index == NULL || (sx->stx_mode & S_IFMT) != S_IFDIR ||
	    sb_make_dev(sx->stx_dev_major, sx->stx_dev_minor) != tree->control->store_dev)
		return SB_NO_NODE;
	return sb_index_find_inode(tree, sx->stx_ino);
}

uint32_t sb_index_find_child(const struct sb_tree *tree, uint32_t dir, const char *name, size_t len)
{
	uint32_t low = tree->nodes[dir].child_first;
	uint32_t high = low + tree->nodes[dir].child_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct sb_node *n = &tree->nodes[middle];
		int order = memcmp(name, tree->strings + n->name_off, SB_MIN(len, n->name_len));

		if (order == 0 && len == n->name_len)
			return middle;
		if (order < 0 || (order == 0 && len < n->name_len))
			high = middle;
		else
			low = middle + 1;
	}
	return SB_NO_NODE;
}

/* How long the canonical path of a node is; 0 for the root. */
static size_t path_len(const struct sb_tree *tree, uint32_t node)
{
	size_t len = 0;

	for (; node != 0; node = tree->nodes[node].parent)
		len += tree->nodes[node].name_len + 1;
	return len;
}

/* Make out a path of len bytes that ends in the canonical path of a node. */
static int put_path(const struct sb_tree *tree, uint32_t node, size_t len, struct sb_path *out)
{
	if (len >= SB_PATH_MAX)
		return -ENAMETOOLONG;
	out->len = (uint32_t)len;
	out->buf[len] = '\0';
	for (; node != 0; node = tree->nodes[node].parent) {
		const struct sb_node *n = &tree->nodes[node];

		len -= n->name_len;
		memcpy(out->buf + len, tree->strings + n->name_off, n->name_len);
		out->buf[--len] = '/';
	}
	return 0;
}

int sb_index_guest_path(const struct sb_tree *tree, uint32_t node, struct sb_path *out)
{
	return node == 0 ? sb_path_set(out, "/", 1)
			 : put_path(tree, node, path_len(tree, node), out);
}

int sb_index_host_path(const struct sb_tree *tree, uint32_t node, struct sb_path *out)
{
	const struct sb_control *control = tree->control;
	struct sb_text layer;
	int err;

	if (tree->nodes[node].layer >= tree->index->layer_count)
		return -ENOENT;
	layer = sb_index_layers(tree)[tree->nodes[node].layer];
	err = put_path(tree, node, control->store.len + 1 + layer.len + path_len(tree, node), out);
	if (err < 0)
		return err;
	memcpy(out->buf, sb_text_at(control, control->store), control->store.len);
	out->buf[control->store.len] = '/';
	memcpy(out->buf + control->store.len + 1, tree->strings + layer.off, layer.len);
	return 0;
}
