/* SPDX-License-Identifier: MIT */
/*
 * copyup_tree.c - copy a whole merged directory to the upper, for its rename.
 *
 * How it works
 *   Walks the lower subtree in preorder, without recursion: in the index by node numbers, in a
 *   live lower by reading directories. What the upper already has, or hides, is left alone.
 * Rules
 *   at->guest is the path of the walk meanwhile. Uses what sb_copyup_lower() uses.
 */
#include <errno.h>
#include <linux/stat.h>

#include "change/internal.h"

static int copy_nodes(struct sb_fs *fs, uint32_t top, struct sb_path *guest)
{
	const struct sb_node *nodes = fs->tree->nodes;
	uint32_t node = top;
	int below = 1;

	for (;;) {
		int err;

		if (below == 1 && nodes[node].child_count > 0) {
			node = nodes[node].child_first;
		} else {
			while (node != top) {
				const struct sb_node *parent = &nodes[nodes[node].parent];

				sb_path_pop(guest);
				if (node + 1 < parent->child_first + parent->child_count)
					break;
				node = nodes[node].parent;
			}
			if (node == top)
				return 0;
			node++;
		}
		err = sb_path_join(guest, fs->tree->strings + nodes[node].name_off,
				   nodes[node].name_len);
		if (err < 0)
			return err;
		below = sb_copyup_lower(fs, guest, node);
		if (below < 0)
			return below;
	}
}

static int copy_entry(struct sb_fs *fs, const struct sb_path *guest)
{
	return sb_copyup_lower(fs, guest, SB_NO_NODE);
}

int sb_copyup_tree(struct sb_fs *fs, struct sb_at *at)
{
	const uint32_t len = at->guest.len;
	int err = sb_copyup(fs, at, UINT64_MAX);

	if (err < 0 || at->spot.type != S_IFDIR || at->dir.mount != SB_NO_MOUNT ||
	    !at->spot.lower_below)
		return err;
	sb_commit_begin(fs);
	err = fs->tree->index ? copy_nodes(fs, at->spot.node, &at->guest)
			      : sb_upper_walk(fs, &at->guest, copy_entry);
	sb_commit_end(fs);
	at->guest.len = len;
	at->guest.buf[len] = '\0';
	return err;
}
