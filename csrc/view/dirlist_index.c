/* SPDX-License-Identifier: MIT */
/*
 * dirlist_index.c - list a directory of the image that the container left alone.
 *
 * How it works
 *   The children stand side by side in the index, which holds everything that an entry says. Only
 *   the position is the kernel's, so that dup and fork share it.
 * Rules
 *   Positions are those of dirlist.c, which goes on when the directory is changed meanwhile.
 */
#include <errno.h>

#include "base/dirent.h"
#include "view/view.h"

#define HEAD offsetof(struct sb_dirent, name)

static bool is_untouched(const struct sb_fs *fs, int fd, uint32_t *node)
{
	const struct sb_tree *tree = fs->tree;

	if (tree->index == NULL || sb_tree_fd_dir(fs, fd, node) != 1 || *node == SB_NO_NODE ||
	    tree->state[*node] != SB_STATE_UNTOUCHED || !sb_spot_is_plain(tree, *node))
		return false;
	for (uint32_t i = 0; i < tree->control->mount_count; i++) {
		if (tree->control->mounts[i].parent == *node)
			return false;
	}
	return true;
}

/* Write one entry; its size, or 0 when there is no room. */
static size_t put(char *to, size_t room, const struct sb_node *node, const char *name, size_t len,
		  int64_t next)
{
	const size_t size = (HEAD + len + 1 + 7) & ~(size_t)7;
	const struct sb_dirent head = {
		.ino = node->ino,
		.off = next,
		.reclen = (uint16_t)size,
		.type = (unsigned char)((node->mode & S_IFMT) >> 12),
	};

	if (size > room)
		return 0;
	memset(to + size - 8, 0, 8); /* zeros for the end of the name and the padding */
	memcpy(to, &head, HEAD);
	memcpy(to + HEAD, name, len);
	return size;
}

/* Write the entry at ordinal x of a directory: "." is 0, ".." is 1. */
static size_t put_ordinal(const struct sb_tree *tree, uint32_t dir, uint64_t x, char *to,
			  size_t room, int64_t next)
{
	const struct sb_node *node = &tree->nodes[dir];

	if (x == 0)
		return put(to, room, node, ".", 1, next);
	if (x == 1)
		return put(to, room, &tree->nodes[node->parent], "..", 2, next);
	node = &tree->nodes[node->child_first + x - 2];
	return put(to, room, node, tree->strings + node->name_off, node->name_len, next);
}

long sb_dirlist_read_untouched(struct sb_fs *fs, int fd, char *buf, size_t len, long *pos)
{
	const int64_t first = (int64_t)1 << sb_dirlist_bits(fs);
	uint64_t x = 0;
	uint64_t end;
	uint32_t dir;
	size_t used = 0;
	size_t size;
	long err;

	if (!is_untouched(fs, fd, &dir))
		return -SB_ELIST;
	end = (uint64_t)fs->tree->nodes[dir].child_count + 2;
	*pos = sys_lseek(fd, 0, SEEK_CUR);
	if (*pos < 0)
		return *pos;
	if (*pos >= first)
		x = (uint64_t)(*pos - first);
	else if (*pos != 0)
		return -SB_ELIST;
	if (x >= end)
		return 0;
	for (; x < end; x++, used += size) {
		size = put_ordinal(fs->tree, dir, x, buf + used, len - used,
				   first | (int64_t)(x + 1));
		if (size == 0)
			break;
	}
	if (used == 0)
		return -EINVAL;
	sb_commit_begin(fs); /* the position moves */
	err = sys_lseek(fd, first | (int64_t)x, SEEK_SET);
	return err < 0 ? err : (long)used;
}
