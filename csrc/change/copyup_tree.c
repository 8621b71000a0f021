/* SPDX-License-Identifier: MIT */
/*
 * copyup_tree.c - copy a whole merged directory to the upper, for its rename.
 *
 * How it works
 *   Walks the lower subtree in preorder, without recursion: in the index by node numbers, in a
 *   live lower by reading directories. The first half of work->buffer keeps the position in each
 *   of them. What the upper already has, or hides, is left alone.
 * Rules
 *   at->guest is the path of the walk meanwhile. Uses what sb_copyup_lower() uses.
 */
#include <errno.h>
#include <linux/stat.h>

#include "base/dirent.h"
#include "change/internal.h"

#define MAX_DEPTH 2048

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

/* Copy the entries of the directory guest from *pos on. 1: guest is now a directory to go into;
 * 0: the end. */
static int copy_entries(struct sb_fs *fs, int dir, struct sb_path *guest, int64_t *pos)
{
	_Alignas(8) char buf[2048];
	long len = sys_lseek(dir, *pos, SEEK_SET);

	if (len < 0)
		return (int)len;
	while ((len = sys_getdents64(dir, buf, sizeof(buf))) > 0) {
		for (long at = 0; at < len;) {
			const struct sb_dirent *entry = (const void *)(buf + at);
			int err;

			at += entry->reclen;
			*pos = entry->off;
			if (sb_is_dots(entry->name))
				continue;
			err = sb_path_join(guest, entry->name, strlen(entry->name));
			if (err == 0)
				err = sb_copyup_lower(fs, guest, SB_NO_NODE);
			if (err != 0)
				return err;
			sb_path_pop(guest);
		}
	}
	return (int)len;
}

static int copy_live(struct sb_fs *fs, struct sb_path *guest)
{
	int64_t *pos = (int64_t *)(void *)fs->work->buffer;
	uint32_t depth = 0;

	pos[0] = 0;
	for (;;) {
		int dir = (int)sys_openat(AT_FDCWD, guest->buf,
					  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
		int more;

		if (dir < 0)
			return dir;
		more = copy_entries(fs, dir, guest, &pos[depth]);
		sys_close(dir);
		if (more < 0)
			return more;
		if (more == 1) {
			if (++depth == MAX_DEPTH)
				return -ENAMETOOLONG;
			pos[depth] = 0;
			continue;
		}
		if (depth-- == 0)
			return 0;
		sb_path_pop(guest);
	}
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
			      : copy_live(fs, &at->guest);
	sb_commit_end(fs);
	at->guest.len = len;
	at->guest.buf[len] = '\0';
	return err;
}
