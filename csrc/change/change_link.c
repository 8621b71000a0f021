/* SPDX-License-Identifier: MIT */
/*
 * change_link.c - second names for files: link(2) and linkat(2).
 *
 * Rules
 *   A lower file is copied up, and the copy gets the new name: through a link to the layer's file
 *   the container could write to the layer.
 */
#include <errno.h>
#include <linux/stat.h>

#include "change/internal.h"
#include "tree/file_acl.h"
#include "tree/host_path.h"
#include "tree/loosen.h"
#include "view/view.h"

/* The kernel's protected_hardlinks: a file of another owner must be plain, readable and
 * writable. */
static int may_link(struct sb_fs *fs, const struct sb_stat *st)
{
	uint32_t type = st->mode & S_IFMT;

	if (sb_ids_owns(fs->ids, st->uid))
		return 0;
	if (type != S_IFREG || (st->mode & S_ISUID) != 0 ||
	    (st->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		return -EPERM;
	return sb_file_acl_permit(fs, st, 6) < 0 ? -EPERM : 0;
}

/* Link old to the free name of to, whose directory is in the upper. */
static int link_host(struct sb_fs *fs, const char *old, struct sb_at *to, int flags)
{
	struct sb_path *temp = &fs->work->temp;
	int err;

	if (!to->spot.whiteout) {
		err = (int)sys_linkat(AT_FDCWD, old, AT_FDCWD, to->host.buf, flags);
		if (err != -EEXIST || to->dir.mount != SB_NO_MOUNT)
			return err;
	}
	err = sb_upper_temp(fs, temp);
	if (err == 0)
		err = (int)sys_linkat(AT_FDCWD, old, AT_FDCWD, temp->buf, flags);
	if (err < 0)
		return err;
	err = sb_upper_place(fs, temp->buf, to->host.buf);
	if (err < 0)
		sys_unlinkat(AT_FDCWD, temp->buf, 0);
	return err;
}

static int link_name(struct sb_fs *fs, const char *old, struct sb_at *to, int flags, uint32_t type)
{
	int err = sb_copyup_parent(fs, to);

	if (err < 0)
		return err;
	sb_commit_begin(fs);
	if (to->dir.mount == SB_NO_MOUNT)
		sb_upper_touch(fs->tree, to->spot.node, SB_STATE_ASK);
	err = link_host(fs, old, to, flags);
	if (err == -EACCES && sb_loosen_dir_of(fs, to->dir.mount, &to->host, 0300) == 0)
		err = link_host(fs, old, to, flags);
	sb_commit_end(fs);
	return err < 0 ? err : sb_upper_settle(fs, to, type, false);
}

int sb_change_link(struct sb_fs *fs, struct sb_at *from, struct sb_at *to)
{
	struct sb_stat dir;
	int err = 0;

	if (to->spot.place != SB_PLACE_ABSENT || to->dots)
		return -EEXIST;
	if (to->slash)
		return -ENOENT;
	if (from->spot.mount != to->dir.mount || from->spot.place == SB_PLACE_LINK)
		return -EXDEV;
	if (!from->has_stat)
		err = sb_tree_stat(fs, from);
	if (err == 0)
		err = may_link(fs, &from->st);
	if (err == 0)
		err = sb_tree_may_make(fs, to, false, &dir);
	if (err == 0 && from->spot.type == S_IFDIR)
		err = -EPERM;
	if (err == 0)
		err = sb_copyup(fs, from, UINT64_MAX);
	return err < 0 ? err : link_name(fs, from->host.buf, to, 0, from->spot.type);
}

int sb_change_link_fd(struct sb_fs *fs, int fd, struct sb_at *to)
{
	struct sb_stat dir;
	struct sb_stat st;
	uint32_t node;
	char name[32];
	int err = sb_tree_fstat(fs, fd, &st, &node);

	if (err < 0)
		return err;
	if (to->spot.place != SB_PLACE_ABSENT || to->dots)
		return -EEXIST;
	if (to->slash)
		return -ENOENT;
	if (node != SB_NO_NODE || sb_upper_owns_fd(fs, fd) != (to->dir.mount == SB_NO_MOUNT))
		return -EXDEV;
	err = may_link(fs, &st);
	if (err == 0)
		err = sb_tree_may_make(fs, to, false, &dir);
	if (err == 0 && (st.mode & S_IFMT) == S_IFDIR)
		err = -EPERM;
	if (err < 0)
		return err;
	sb_fd_name(fd, name);
	return link_name(fs, name, to, AT_SYMLINK_FOLLOW, st.mode & S_IFMT);
}
