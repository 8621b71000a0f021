/* SPDX-License-Identifier: MIT */
/*
 * dirlist_empty.c - is a merged directory empty? rmdir and rename ask.
 *
 * How it works
 *   It is empty when the upper holds only marks, whiteouts hide all children of the lower, and no
 *   mount is below.
 */
#include <errno.h>
#include <linux/stat.h>

#include "base/dirent.h"
#include "tree/host_path.h"
#include "tree/mounts.h"
#include "tree/whiteout.h"
#include "view/view.h"

#define HALF (sizeof(((struct sb_work *)0)->buffer) / 2)

/* Is there a whiteout for name in the upper part of dir? Uses work->upper. */
static bool is_hidden(struct sb_fs *fs, const struct sb_at *dir, const char *name, size_t len)
{
	struct sb_path *host = &fs->work->upper;

	return dir->spot.in_upper &&
	       sb_tree_upper_path(fs, dir->guest.buf, dir->guest.len, host) == 0 &&
	       sb_path_join(host, name, len) == 0 && sb_is_whiteout(fs->tree, AT_FDCWD, host->buf);
}

/* Does the open directory src hold only marks (upper) or hidden names (lower)? */
static int scan(struct sb_fs *fs, const struct sb_at *dir, int src, bool upper)
{
	const char *opaque = fs->tree->control->opaque;
	char *buf = fs->work->buffer + HALF;
	long len;

	while ((len = sys_getdents64(src, buf, HALF)) > 0) {
		for (long at = 0; at < len;) {
			const struct sb_dirent *entry = (const void *)(buf + at);
			const char *name = entry->name;
			size_t name_len = strlen(name);

			at += entry->reclen;
			if (sb_is_dots(name))
				continue;
			if (upper && sb_same(name, name_len, opaque, strlen(opaque)))
				continue;
			if (upper ? !sb_is_whiteout(fs->tree, src, name)
				  : !is_hidden(fs, dir, name, name_len))
				return 0;
		}
	}
	return len < 0 ? (int)len : 1;
}

static int scan_host(struct sb_fs *fs, const struct sb_at *dir, const char *host, bool upper)
{
	int empty;
	int src;

	sb_commit_begin(fs);
	src = (int)sys_openat(AT_FDCWD, host, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	empty = src;
	if (src >= 0) {
		empty = scan(fs, dir, src, upper);
		sys_close(src);
	}
	sb_commit_end(fs);
	/* EACCES: see step_in_live() in spot.c. Others: the directory is gone, or a whiteout by
	 * now; the removal itself notices. */
	if (empty == -ENOENT || empty == -ENOTDIR || empty == -ELOOP || empty == -EACCES)
		return 1;
	return empty;
}

static int scan_nodes(struct sb_fs *fs, const struct sb_at *dir)
{
	const struct sb_tree *tree = fs->tree;
	const struct sb_node *node = &tree->nodes[dir->spot.node];

	for (uint32_t i = node->child_first; i < node->child_first + node->child_count; i++) {
		if (__atomic_load_n(&tree->state[i], __ATOMIC_ACQUIRE) != SB_STATE_ASK ||
		    !is_hidden(fs, dir, tree->strings + tree->nodes[i].name_off,
			       tree->nodes[i].name_len))
			return 0;
	}
	return 1;
}

int sb_dirlist_is_empty(struct sb_fs *fs, struct sb_at *dir)
{
	struct sb_path *host = &fs->work->upper;
	int empty = 1;

	if (sb_tree_has_mounts(fs->tree, dir->guest.buf, dir->guest.len))
		return 0;
	if (dir->spot.in_upper) {
		empty = sb_tree_upper_path(fs, dir->guest.buf, dir->guest.len, host);
		if (empty == 0)
			empty = scan_host(fs, dir, host->buf, true);
	}
	if (empty != 1 || !dir->spot.lower_below)
		return empty;
	if (fs->tree->index)
		return scan_nodes(fs, dir);
	return scan_host(fs, dir, dir->guest.buf, false);
}
