/* SPDX-License-Identifier: MIT */
/*
 * upper_scan.c - set the state bytes of a container from what its upper holds.
 *
 * How it works
 *   Walks the upper, but only into directories that still show a lower one: below others no node
 *   is visible. A live lower has no nodes; any entry means that the upper was used.
 * Rules
 *   No process uses the container yet. Uses work->upper.
 */
#include <errno.h>
#include <linux/stat.h>

#include "base/shared_abi.h"
#include "base/stat.h"
#include "change/internal.h"
#include "tree/index.h"
#include "tree/whiteout.h"

/* Note an entry of the upper, which host is. 1: go into it. */
static int note(struct sb_fs *fs, const struct sb_path *host)
{
	const struct sb_tree *tree = fs->tree;
	const uint32_t prefix = tree->control->upper.len;
	struct statx sx;
	uint32_t node;
	bool is_dir;
	bool merged;
	int err;

	sb_upper_touch(tree, 0, SB_STATE_MERGED);
	if (tree->index == NULL)
		return 0;
	err = sb_host_stat(host->buf, &sx);
	if (err < 0)
		return err;
	is_dir = (sx.stx_mode & S_IFMT) == S_IFDIR;
	node = sb_index_find_path(tree, host->buf + prefix, host->len - prefix);
	if (node == SB_NO_NODE) { /* only the upper has it; the state of its directory says so */
		if ((sx.stx_mode & S_IFMT) != S_IFREG)
			tree->shared->strays = 1; /* a whiteout may be here, or below */
		return 0;
	}
	merged = is_dir && (tree->nodes[node].mode & S_IFMT) == S_IFDIR &&
		 !sb_is_opaque(fs, host->buf, host->len);
	if (!merged && is_dir)
		tree->shared->strays = 1;
	sb_upper_touch(tree, node, merged ? SB_STATE_MERGED : SB_STATE_ASK);
	return merged;
}

int sb_upper_scan(struct sb_fs *fs)
{
	const struct sb_control *control = fs->tree->control;
	const char *upper = sb_text_at(control, control->upper);
	struct sb_owner_key key;
	struct sb_owner record;
	struct statx sx;
	int err = sb_host_stat(upper, &sx);

	if (err < 0)
		return err;
	sb_owner_key(fs->tree, &sx, &key);
	if (sb_owner_find(fs->tree, &key, &record))
		sb_upper_touch(fs->tree, 0, SB_STATE_MERGED);
	err = sb_path_set(&fs->work->upper, upper, control->upper.len);
	return err < 0 ? err : sb_upper_walk(fs, &fs->work->upper, note);
}
