/* SPDX-License-Identifier: MIT */
/*
 * dirlist_pure.c - list a pure directory of the upper, which the kernel lists almost as it is.
 *
 * How it works
 *   The kernel fills the buffer, and the position is its own. Marks are taken out, and an entry
 *   that may have a record is asked for. There are whiteouts only where there may
 *   be strays (dircache.h).
 */
#include <errno.h>

#include "base/dirent.h"
#include "base/stat.h"
#include "tree/dircache.h"
#include "tree/owner.h"
#include "tree/whiteout.h"
#include "view/view.h"

struct list {
	const struct sb_fs *fs;
	int fd;
	bool has_records;
	bool has_strays;
	uint64_t above; /* inode number of the directory above, 0: what the kernel says */
};

static bool is_text(const char *name, const char *text)
{
	while (*name == *text && *name != '\0') {
		name++;
		text++;
	}
	return *name == *text;
}

/* Is the entry a mark, which the guest does not see? */
static bool is_hidden(const struct list *list, const struct sb_dirent *entry)
{
	const struct sb_tree *tree = list->fs->tree;
	const uint32_t type = (uint32_t)entry->type << 12;

	return is_text(entry->name, tree->control->opaque) ||
	       ((type == 0 || (type == S_IFLNK && list->has_strays)) &&
		sb_is_whiteout(tree, list->fd, entry->name));
}

/* Put what a record says into the entry. */
static void correct(const struct list *list, struct sb_dirent *entry)
{
	struct sb_stat st;
	struct statx sx;

	if (sb_is_dots(entry->name) && entry->name[1] == '.') {
		if (list->above != 0)
			entry->ino = list->above;
		return;
	}
	if ((entry->type != 0 &&
	     (!list->has_records || !sb_owner_maybe_other(list->fs->tree, 0, entry->ino))) ||
	    sys_statx(list->fd, entry->name, AT_SYMLINK_NOFOLLOW, SB_STATX_MASK, &sx) < 0)
		return;
	sb_tree_virtual_stat(list->fs, &sx, SB_NO_MOUNT, &st);
	entry->ino = st.ino;
	entry->type = (unsigned char)((st.mode & S_IFMT) >> 12);
}

/* Leave out what is hidden; the bytes that are left. */
static long refine(const struct list *list, char *buf, long len)
{
	long used = 0;

	for (long at = 0; at < len;) {
		struct sb_dirent *entry = (void *)(buf + at);
		const long size = entry->reclen;

		at += size;
		if (is_hidden(list, entry))
			continue;
		correct(list, entry);
		if (used != at - size)
			memmove(buf + used, entry, (size_t)size);
		used += size;
	}
	return used;
}

long sb_dirlist_read_pure(const struct sb_fs *fs, int fd, uint64_t above, char *buf, size_t len)
{
	const struct list list = {
		.fs = fs,
		.fd = fd,
		.has_records = sb_owner_any(fs->tree),
		.has_strays = sb_dircache_has_strays(fs->tree),
		.above = above,
	};
	long count;

	sb_commit_begin(fs); /* the position moves */
	do {
		count = sys_getdents64(fd, buf, len);
		if (count <= 0)
			return count;
		count = refine(&list, buf, count);
	} while (count == 0);
	return count;
}
