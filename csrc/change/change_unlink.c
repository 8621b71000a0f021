/* SPDX-License-Identifier: MIT */
/*
 * change_unlink.c - taking names away: unlink(2) and rmdir(2).
 *
 * How it works
 *   When a lower entry would show again, the step that removes the upper entry puts a whiteout in
 *   its place: a rename over a file, an exchange with a directory. The directory then loses its
 *   marks under its temporary name.
 */
#include <errno.h>
#include <linux/fs.h>
#include <linux/stat.h>

#include "change/internal.h"
#include "tree/dircache.h"
#include "tree/host_path.h"
#include "tree/loosen.h"
#include "tree/mounts.h"
#include "tree/whiteout.h"
#include "view/view.h"

static int unlink_in_tree(struct sb_fs *fs, struct sb_at *at)
{
	struct sb_path *host = &at->host;
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
		err = sb_make_whiteout(fs->tree, host->buf);
		if (err == -EEXIST) /* another process copied it up or removed it */
			err = sb_is_whiteout(fs->tree, AT_FDCWD, host->buf)
				      ? -ENOENT
				      : sb_upper_cover(fs, host->buf);
	}
	sb_commit_end(fs);
	return err < 0 ? err : sb_upper_settle_absent(fs, at, hides);
}

static int take_in_mount(struct sb_fs *fs, const struct sb_at *at, int flags)
{
	int err;

	sb_commit_begin(fs);
	err = (int)sys_unlinkat(AT_FDCWD, at->host.buf, flags);
	if (err == -EACCES && sb_loosen_dir_of(fs, at->dir.mount, &at->host, 0300) == 0)
		err = (int)sys_unlinkat(AT_FDCWD, at->host.buf, flags);
	sb_commit_end(fs);
	return err;
}

int sb_change_unlink(struct sb_fs *fs, struct sb_at *at)
{
	bool is_dir = at->spot.type == S_IFDIR;
	int err;

	if (at->dots)
		return -EISDIR;
	err = sb_tree_may_write(fs, &at->dir);
	if (err < 0)
		return err;
	if (at->spot.place == SB_PLACE_ABSENT)
		return -ENOENT;
	if (at->slash)
		return is_dir ? -EISDIR : -ENOTDIR;
	err = sb_tree_may_delete(fs, at);
	if (err < 0)
		return err;
	if (is_dir)
		return -EISDIR;
	if (sb_is_mount_point(fs->tree, at))
		return -EBUSY;
	if (at->dir.mount == SB_NO_MOUNT)
		return unlink_in_tree(fs, at);
	err = take_in_mount(fs, at, 0);
	return err < 0 ? err : sb_upper_settle_absent(fs, at, false);
}

/* ---- directories -------------------------------------------------------- */

static int rmdir_in_tree(struct sb_fs *fs, struct sb_at *at)
{
	struct sb_path *host = &at->host;
	bool hides = sb_upper_hides(fs, at);
	int lock = -1;
	int err = sb_copyup_parent(fs, at);

	if (err == 0)
		err = sb_tree_upper_path(fs, at->guest.buf, at->guest.len, host);
	if (err < 0)
		return err;
	sb_commit_begin(fs);
	if (hides) /* not while a copy-up of the whole directory runs */
		lock = sb_upper_lock(fs);
	sb_upper_touch(fs->tree, at->spot.node, SB_STATE_ASK);
	err = -EEXIST;
	if (at->spot.place != SB_PLACE_UPPER)
		err = sb_make_whiteout(fs->tree, host->buf);
	if (err == -EEXIST && sb_is_whiteout(fs->tree, AT_FDCWD, host->buf))
		err = -ENOENT;
	else if (err == -EEXIST)
		err = hides ? sb_upper_replace_dir(fs, host->buf)
			    : sb_upper_drop_dir(fs, host->buf);
	sb_upper_unlock(lock);
	sb_commit_end(fs);
	return err < 0 ? err : sb_upper_settle_absent(fs, at, hides);
}

/* May the kernel's own call remove the directory, without a look into it? */
static bool is_all_upper(struct sb_fs *fs, const struct sb_at *at)
{
	return at->spot.place == SB_PLACE_UPPER && !at->spot.lower_below &&
	       !sb_upper_hides(fs, at) &&
	       !sb_tree_has_mounts(fs->tree, at->guest.buf, at->guest.len);
}

/* -ENOTEMPTY also for a directory that holds only marks. */
static int rmdir_at_once(struct sb_fs *fs, struct sb_at *at)
{
	int err;

	sb_commit_begin(fs);
	sb_dircache_ending(fs->tree, at->guest.buf, at->guest.len);
	err = (int)sys_unlinkat(AT_FDCWD, at->host.buf, AT_REMOVEDIR);
	sb_dircache_ended(fs->tree, at->guest.buf, at->guest.len, err == 0);
	sb_commit_end(fs);
	if (err == 0)
		return sb_upper_settle_absent(fs, at, false);
	return err == -EEXIST ? -ENOTEMPTY : err;
}

int sb_change_rmdir(struct sb_fs *fs, struct sb_at *at)
{
	int err;

	if (at->guest.len == 1)
		return -EBUSY;
	if (at->dots)
		return -EINVAL;
	err = sb_tree_may_write(fs, &at->dir);
	if (err < 0)
		return err;
	if (at->spot.place == SB_PLACE_ABSENT)
		return -ENOENT;
	err = sb_tree_may_delete(fs, at);
	if (err < 0)
		return err;
	if (at->spot.type != S_IFDIR)
		return -ENOTDIR;
	if (sb_is_mount_point(fs->tree, at))
		return -EBUSY;
	if (at->dir.mount != SB_NO_MOUNT &&
	    !sb_tree_has_mounts(fs->tree, at->guest.buf, at->guest.len)) {
		err = take_in_mount(fs, at, AT_REMOVEDIR);
		return err < 0 ? err : sb_upper_settle_absent(fs, at, false);
	}
	/* Watches of a directory report it when it is opened. */
	err = is_all_upper(fs, at) ? rmdir_at_once(fs, at) : -ENOTEMPTY;
	if (err != -ENOTEMPTY)
		return err;
	err = sb_dirlist_is_empty(fs, at);
	if (err <= 0)
		return err < 0 ? err : -ENOTEMPTY;
	sb_dircache_changed(fs->tree);
	err = rmdir_in_tree(fs, at);
	sb_dircache_changed(fs->tree);
	return err;
}
