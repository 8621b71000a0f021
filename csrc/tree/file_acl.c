/* SPDX-License-Identifier: MIT */
/*
 * file_acl.c - POSIX access control lists of the tree's files.
 */
#include "tree/file_acl.h"

#include <errno.h>

#include "base/stat.h"
#include "tree/xattr.h"

#define EMPTY 4 /* bytes of a list without entries */

static void fill(const struct sb_fs *fs, const char *packed, uint32_t len, struct sb_stat *st)
{
	struct sb_xattr one;

	st->acl = (struct sb_acl){0};
	if (len == 0 || (st->mode & S_IFMT) == S_IFLNK)
		return;
	if (sb_xattr_find(packed, len, SB_ACL_ACCESS_NAME, &one) && one.value_len > EMPTY)
		sb_acl_judge(one.value, one.value_len, fs->ids, st->mode, st->gid, &st->acl);
	if ((st->mode & S_IFMT) == S_IFDIR && sb_xattr_find(packed, len, SB_ACL_DEFAULT_NAME, &one))
		st->acl.defaults = one.value_len > EMPTY;
}

void sb_file_acl_of_node(const struct sb_fs *fs, const struct sb_node *node, struct sb_stat *st)
{
	if (node->xattr_len > 0)
		fill(fs, fs->tree->strings + node->xattr_off, node->xattr_len, st);
}

void sb_file_acl_of_record(const struct sb_fs *fs, const struct sb_owner_key *key,
			   const struct sb_owner *record, struct sb_stat *st)
{
	struct sb_owner now = *record;

	do {
		uint32_t len = 0;
		const char *packed = sb_owner_blob(fs->tree, &now, &len);

		if (!packed)
			return;
		fill(fs, packed, len, st);
	} while (!sb_owner_is_current(fs->tree, key, &now) && sb_owner_find(fs->tree, key, &now));
}

int sb_file_acl_permit(const struct sb_fs *fs, const struct sb_stat *st, unsigned want)
{
	return sb_acl_permit(&st->acl, fs->ids, fs->real_ids != 0, st->mode, st->uid, st->gid,
			     want);
}

/* ---- default lists --------------------------------------------------------- */

int sb_file_acl_default(const struct sb_fs *fs, const char *host, struct sb_path *list)
{
	struct sb_owner_key key;
	struct sb_owner record;
	struct sb_xattr one;
	struct statx sx;
	int err = sb_host_stat(host, &sx);

	list->len = 0;
	if (err < 0)
		return err;
	while (sb_owner_load(fs->tree, &sx, &key, &record)) {
		uint32_t len = 0;
		const char *packed = sb_owner_blob(fs->tree, &record, &len);

		if (!packed || !sb_xattr_find(packed, len, SB_ACL_DEFAULT_NAME, &one))
			return -ENODATA;
		if (one.value_len > sizeof(list->buf))
			return -ENOSPC;
		memcpy(list->buf, one.value, one.value_len);
		list->len = one.value_len;
		if (sb_owner_is_current(fs->tree, &key, &record))
			return 0;
	}
	return -ENODATA;
}

uint32_t sb_file_acl_mode(const struct sb_path *list, uint32_t mode)
{
	uint32_t bits;
	bool minimal;

	if (sb_acl_mode(list->buf, list->len, &bits, &minimal) < 0)
		return mode;
	return mode & (~0777U | bits);
}

static int give(const struct sb_fs *fs, const struct statx *sx, const char *name,
		const struct sb_path *list)
{
	struct sb_owner_key key;
	struct sb_owner record;

	sb_owner_load(fs->tree, sx, &key, &record);
	return sb_xattr_put(fs, &key, &record, name, list->buf, list->len);
}

int sb_file_acl_inherit(const struct sb_fs *fs, const struct statx *sx, const struct sb_path *list)
{
	uint32_t bits;
	bool minimal;
	int err = sb_acl_mode(list->buf, list->len, &bits, &minimal);

	if (err == 0 && !minimal)
		err = give(fs, sx, SB_ACL_ACCESS_NAME, list);
	if (err == 0 && (sx->stx_mode & S_IFMT) == S_IFDIR)
		err = give(fs, sx, SB_ACL_DEFAULT_NAME, list);
	return err;
}
