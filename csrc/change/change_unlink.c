/* SPDX-License-Identifier: MIT */
/*
 * change_unlink.c - taking names away: unlink(2) and rmdir(2).
 *
 * How it works
 *   Where a lower entry would show again, a whiteout takes the name's place in
 *   the same step that removes the upper entry: a rename over a file, an
 *   exchange with a directory, which is then emptied of its marks aside.
 */
#include "change/change.h"

#include <errno.h>
#include <linux/fs.h>
#include <linux/stat.h>

#include "view/dirlist.h"
#include "tree/dircache.h"
#include "tree/file_acl.h"
#include "base/mem.h"
#include "view/spot.h"
#include "change/upper.h"

int sb_upper_may_delete(struct sb_fs *fs, struct sb_at *at)
{
	struct sb_stat dir;
	int err = sb_upper_parent(fs, at, &dir);

	if (err == 0)
		err = sb_lists_permit(fs, &dir, 3);
	if (err < 0 || (dir.mode & S_ISVTX) == 0)
		return err;
	if (!at->has_stat)
		err = sb_tree_stat(fs, at);
	return err < 0 ? err : sb_ids_may_delete(fs->ids, dir.mode, dir.uid, at->st.uid);
}

static int settle_absent(const struct sb_fs *fs, struct sb_at *at, bool whiteout)
{
	at->has_stat = false;
	at->has_look = false;
	at->spot.place = SB_PLACE_ABSENT;
	at->spot.type = 0;
	at->spot.in_upper = false;
	at->spot.lower_below = false;
	at->spot.whiteout = whiteout;
	if (at->dir.mount != SB_NO_MOUNT)
		return 0;
	return sb_tree_upper_path(fs, at->guest.buf, at->guest.len, &at->host);
}

int sb_upper_cover(const struct sb_fs *fs, const char *host)
{
	struct sb_path *temp = &fs->work->p[1];
	int err = sb_upper_temp(fs, temp);

	if (err == 0)
		err = sb_upper_swap_out(fs, host, temp->buf);
	if (err < 0)
		return err;
	if (sb_upper_is_whiteout(fs->tree, AT_FDCWD, temp->buf))
		err = -ENOENT; /* another process was faster */
	sys_unlinkat(AT_FDCWD, temp->buf, 0);
	return err;
}

static int unlink_in_tree(struct sb_fs *fs, struct sb_at *at)
{
	struct sb_path *host = &fs->work->p[0];
	bool hides = sb_upper_hides(fs, at);
	int err = sb_copyup_parent(fs, at);

	if (err == 0)
		err = sb_tree_upper_path(fs, at->guest.buf, at->guest.len, host);
	if (err < 0)
		return err;
	sb_commit_begin(fs);
	sb_upper_touch(fs->tree, at->spot.node, SB_STATE_ASK);
	if (!hides) {
		err = (int)sys_unlinkat(AT_FDCWD, host->buf, 0);
	} else if (at->spot.place == SB_PLACE_UPPER) {
		err = sb_upper_cover(fs, host->buf);
	} else {
		err = sb_upper_make_whiteout(fs->tree, host->buf);
		if (err == -EEXIST) /* copied up or removed meanwhile */
			err = sb_upper_is_whiteout(fs->tree, AT_FDCWD, host->buf)
				      ? -ENOENT
				      : sb_upper_cover(fs, host->buf);
	}
	sb_commit_end(fs);
	return err < 0 ? err : settle_absent(fs, at, hides);
}

int sb_change_unlink(struct sb_fs *fs, struct sb_at *at)
{
	bool is_dir = at->spot.type == S_IFDIR;
	int err;

	if (at->dots)
		return -EISDIR;
	err = sb_upper_may_write(fs, &at->dir);
	if (err < 0)
		return err;
	if (at->spot.place == SB_PLACE_ABSENT)
		return -ENOENT;
	if (at->slash)
		return is_dir ? -EISDIR : -ENOTDIR;
	err = sb_upper_may_delete(fs, at);
	if (err < 0)
		return err;
	if (is_dir)
		return -EISDIR;
	if (sb_upper_is_mount_point(fs, at))
		return -EBUSY;
	if (at->dir.mount == SB_NO_MOUNT)
		return unlink_in_tree(fs, at);
	sb_commit_begin(fs);
	err = (int)sys_unlinkat(AT_FDCWD, at->host.buf, 0);
	return err < 0 ? err : settle_absent(fs, at, false);
}

/* ---- directories -------------------------------------------------------- */

int sb_upper_replace_dir(const struct sb_fs *fs, const char *host)
{
	struct sb_path *temp = &fs->work->p[1];
	int err = sb_upper_temp(fs, temp);

	if (err == 0)
		err = sb_upper_swap_out(fs, host, temp->buf);
	if (err < 0)
		return err;
	if (sb_upper_is_whiteout(fs->tree, AT_FDCWD, temp->buf)) {
		sys_unlinkat(AT_FDCWD, temp->buf, 0);
		return -ENOENT; /* another process was faster */
	}
	err = sb_upper_remove_dir(fs, temp->buf);
	if (err < 0) { /* something was made in it meanwhile */
		sys_renameat2(AT_FDCWD, temp->buf, AT_FDCWD, host, RENAME_EXCHANGE);
		sys_unlinkat(AT_FDCWD, temp->buf, 0);
	}
	return err;
}

int sb_upper_drop_dir(const struct sb_fs *fs, const char *host)
{
	struct sb_path *temp = &fs->work->p[1];
	int err = (int)sys_unlinkat(AT_FDCWD, host, AT_REMOVEDIR);

	if (err != -ENOTEMPTY && err != -EEXIST)
		return err;
	err = sb_upper_temp(fs, temp);
	if (err == 0)
		err = (int)sys_renameat2(AT_FDCWD, host, AT_FDCWD, temp->buf, 0);
	if (err < 0)
		return err;
	err = sb_upper_remove_dir(fs, temp->buf);
	if (err < 0)
		(void)!sb_upper_place(fs, temp->buf, host);
	return err;
}

static int rmdir_in_tree(struct sb_fs *fs, struct sb_at *at)
{
	struct sb_path *host = &fs->work->p[0];
	bool hides = sb_upper_hides(fs, at);
	int lock = -1;
	int err = sb_copyup_parent(fs, at);

	if (err == 0)
		err = sb_tree_upper_path(fs, at->guest.buf, at->guest.len, host);
	if (err < 0)
		return err;
	sb_commit_begin(fs);
	if (hides) /* not while it is copied up whole */
		lock = sb_upper_lock(fs);
	sb_upper_touch(fs->tree, at->spot.node, SB_STATE_ASK);
	err = -EEXIST;
	if (at->spot.place != SB_PLACE_UPPER)
		err = sb_upper_make_whiteout(fs->tree, host->buf);
	if (err == -EEXIST && sb_upper_is_whiteout(fs->tree, AT_FDCWD, host->buf))
		err = -ENOENT;
	else if (err == -EEXIST)
		err = hides ? sb_upper_replace_dir(fs, host->buf)
			    : sb_upper_drop_dir(fs, host->buf);
	sb_upper_unlock(lock);
	sb_commit_end(fs);
	return err < 0 ? err : settle_absent(fs, at, hides);
}

int sb_change_rmdir(struct sb_fs *fs, struct sb_at *at)
{
	int err;

	if (at->guest.len == 1)
		return -EBUSY;
	if (at->dots)
		return -EINVAL;
	err = sb_upper_may_write(fs, &at->dir);
	if (err < 0)
		return err;
	if (at->spot.place == SB_PLACE_ABSENT)
		return -ENOENT;
	err = sb_upper_may_delete(fs, at);
	if (err < 0)
		return err;
	if (at->spot.type != S_IFDIR)
		return -ENOTDIR;
	if (sb_upper_is_mount_point(fs, at))
		return -EBUSY;
	if (at->dir.mount != SB_NO_MOUNT &&
	    !sb_upper_has_mounts(fs->tree, at->guest.buf, at->guest.len)) {
		sb_commit_begin(fs);
		err = (int)sys_unlinkat(AT_FDCWD, at->host.buf, AT_REMOVEDIR);
		return err < 0 ? err : settle_absent(fs, at, false);
	}
	err = sb_dirlist_is_empty(fs, at);
	if (err <= 0)
		return err < 0 ? err : -ENOTEMPTY;
	sb_dircache_changed(fs->tree);
	err = rmdir_in_tree(fs, at);
	sb_dircache_changed(fs->tree);
	return err;
}
