/* SPDX-License-Identifier: MIT */
/*
 * change_rename.c - rename(2) and renameat2(2).
 *
 * How it works
 *   Both ends are copied up first. A directory with a lower part is copied whole and made opaque,
 *   so its rename is never EXDEV. When the old name hides a lower entry, a whiteout must take its
 *   place. Where the new name is free, the whiteout is put there, and one step exchanges both.
 *   Over an existing file the new name is linked first, then the old one covered: the file always
 *   has a name.
 * Rules
 *   The checks come in the order of the kernel's do_renameat2() and vfs_rename(). Before the
 *   change both ends have their upper paths as host paths.
 */
#include <errno.h>
#include <linux/fs.h>
#include <linux/stat.h>

#include "base/shared_abi.h"
#include "base/stat.h"
#include "change/internal.h"
#include "tree/dircache.h"
#include "tree/file_acl.h"
#include "tree/host_path.h"
#include "tree/loosen.h"
#include "tree/mounts.h"
#include "tree/whiteout.h"
#include "view/view.h"

#define RACES 8 /* how often another process may come first */

static bool is_dir(const struct sb_at *at)
{
	return at->spot.type == S_IFDIR;
}

static bool same_parent(const struct sb_at *a, const struct sb_at *b)
{
	return sb_same(a->guest.buf, a->name, b->guest.buf, b->name);
}

static bool is_same_file(const struct sb_at *a, const struct sb_at *b)
{
	struct statx x;
	struct statx y;

	if (sb_same(a->guest.buf, a->guest.len, b->guest.buf, b->guest.len))
		return true;
	if (a->spot.place != b->spot.place ||
	    (a->spot.place != SB_PLACE_UPPER && a->spot.place != SB_PLACE_MOUNT))
		return false;
	return sb_host_stat(a->host.buf, &x) == 0 && sb_host_stat(b->host.buf, &y) == 0 &&
	       x.stx_ino == y.stx_ino && x.stx_dev_major == y.stx_dev_major &&
	       x.stx_dev_minor == y.stx_dev_minor;
}

static bool is_below(const struct sb_at *inner, const struct sb_at *outer)
{
	return inner->guest.len > outer->guest.len &&
	       sb_path_within(inner->guest.buf, inner->guest.len, outer->guest.buf,
			      outer->guest.len);
}

static int check_names(const struct sb_fs *fs, const struct sb_at *from, const struct sb_at *to,
		       unsigned flags)
{
	bool exchange = (flags & RENAME_EXCHANGE) != 0;
	bool absent = to->spot.place == SB_PLACE_ABSENT;
	int err;

	if (from->dots)
		return -EBUSY;
	if (to->dots)
		return (flags & RENAME_NOREPLACE) != 0 ? -EEXIST : -EBUSY;
	if (from->dir.mount != to->dir.mount)
		return -EXDEV;
	err = sb_tree_may_write(fs, &from->dir);
	if (err < 0)
		return err;
	if (from->spot.place == SB_PLACE_ABSENT)
		return -ENOENT;
	if ((flags & RENAME_NOREPLACE) != 0 && !absent)
		return -EEXIST;
	if (exchange && absent)
		return -ENOENT;
	if (exchange && to->slash && !is_dir(to))
		return -ENOTDIR;
	if (!is_dir(from) && (from->slash || (!exchange && to->slash)))
		return -ENOTDIR;
	if (is_below(to, from))
		return -EINVAL;
	if (is_below(from, to))
		return exchange ? -EINVAL : -ENOTEMPTY;
	return 0;
}

static int check_target(struct sb_fs *fs, const struct sb_at *from, struct sb_at *to, bool exchange)
{
	struct sb_stat dir;
	int err;

	if (to->spot.place == SB_PLACE_ABSENT) {
		err = sb_tree_stat_parent(fs, to, &dir);
		return err < 0 ? err : sb_file_acl_permit(fs, &dir, 3);
	}
	err = sb_tree_may_delete(fs, to);
	if (err < 0 || exchange)
		return err;
	if (is_dir(from))
		return is_dir(to) ? 0 : -ENOTDIR;
	return is_dir(to) ? -EISDIR : 0;
}

/* Moving a directory to another one changes its "..". */
static int check_moved_dir(struct sb_fs *fs, struct sb_at *at)
{
	int err = at->has_stat ? 0 : sb_tree_stat(fs, at);

	return err < 0 ? err : sb_file_acl_permit(fs, &at->st, 2);
}

static bool holds_mounts(const struct sb_fs *fs, const struct sb_at *at)
{
	return at->spot.place != SB_PLACE_ABSENT &&
	       sb_tree_has_mounts(fs->tree, at->guest.buf, at->guest.len);
}

static int check_rename(struct sb_fs *fs, struct sb_at *from, struct sb_at *to, bool exchange)
{
	const char *name = to->guest.buf + to->name;
	int err = sb_tree_may_delete(fs, from);

	if (err == 0)
		err = check_target(fs, from, to, exchange);
	if (err == 0 && !same_parent(from, to)) {
		if (is_dir(from))
			err = check_moved_dir(fs, from);
		if (err == 0 && exchange && is_dir(to))
			err = check_moved_dir(fs, to);
	}
	if (err < 0)
		return err;
	if (holds_mounts(fs, from) || holds_mounts(fs, to))
		return -EBUSY;
	if (from->dir.mount != SB_NO_MOUNT)
		return 0;
	if (sb_is_mark(fs->tree, name, to->guest.len - to->name))
		return -EPERM;
	if (!exchange && to->spot.place != SB_PLACE_ABSENT && is_dir(to)) {
		err = sb_dirlist_is_empty(fs, to);
		if (err <= 0)
			return err < 0 ? err : -ENOTEMPTY;
	}
	return 0;
}

/* ---- the change --------------------------------------------------------- */

/* Copy the entry up, a directory with all that is in it. */
static int bring_up(struct sb_fs *fs, struct sb_at *at)
{
	return is_dir(at) ? sb_copyup_tree(fs, at) : sb_copyup(fs, at, UINT64_MAX);
}

static int swap(const char *a, const char *b)
{
	return (int)sys_renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
}

static bool is_gone(const struct sb_fs *fs, const char *old)
{
	struct statx sx;
	int err = sb_host_stat(old, &sx);

	if (err < 0)
		return err == -ENOENT;
	return (sx.stx_mode & S_IFMT) == S_IFLNK && sb_is_whiteout(fs->tree, AT_FDCWD, old);
}

static bool cannot(int err)
{
	return err == -EINVAL || err == -ENOSYS || err == -EOPNOTSUPP;
}

/* Move without a whiteout at old. */
static int move_plainly(const struct sb_fs *fs, const char *old, const char *new, bool dir,
			bool present, bool noreplace)
{
	int err;

	if (!present && (dir || noreplace))
		return sb_upper_place(fs, old, new);
	err = (int)sys_renameat2(AT_FDCWD, old, AT_FDCWD, new, 0);
	if (!dir || (err != -ENOTEMPTY && err != -EEXIST))
		return err;
	err = swap(old, new); /* the directory to replace holds marks */
	if (err < 0)
		return err;
	err = sb_upper_drop_dir(fs, old);
	if (err < 0)
		swap(old, new);
	return err;
}

/* Move over an existing file, with a whiteout at old. */
static int move_over_file(const struct sb_fs *fs, const char *old, const char *new)
{
	struct sb_path *temp = &fs->work->temp;
	int err = sb_upper_temp(fs, temp);

	if (err == 0)
		err = (int)sys_linkat(AT_FDCWD, old, AT_FDCWD, temp->buf, 0);
	if (err == 0 && sb_is_whiteout(fs->tree, AT_FDCWD, temp->buf)) {
		sys_unlinkat(AT_FDCWD, temp->buf, 0);
		return -ENOENT; /* another process came first */
	}
	if (err == -ENOENT)
		return err;
	if (err < 0) { /* this file system has no hard links */
		err = (int)sys_renameat2(AT_FDCWD, old, AT_FDCWD, new, 0);
		return err < 0 ? err : sb_make_whiteout(fs->tree, old);
	}
	err = (int)sys_renameat2(AT_FDCWD, temp->buf, AT_FDCWD, new, 0);
	if (err == 0)
		return sb_upper_cover(fs, old);
	sys_unlinkat(AT_FDCWD, temp->buf, 0);
	return err;
}

/* What was at the new name is at old now: remove it, and leave a whiteout. */
static int clear_old(const struct sb_fs *fs, const char *old, const char *new, bool dir)
{
	struct statx was;
	bool was_dir;
	int err = sb_host_stat(old, &was);

	if (err < 0 || is_gone(fs, old))
		return err;
	was_dir = (was.stx_mode & S_IFMT) == S_IFDIR;
	if (was_dir == dir)
		err = dir ? sb_upper_replace_dir(fs, old) : sb_upper_cover(fs, old);
	else
		err = dir ? -ENOTDIR : -EISDIR;
	if (err < 0 && err != -ENOENT)
		swap(old, new);
	return err == -ENOENT ? 0 : err;
}

/* Move with a whiteout at old. The new name is free, or a directory of marks. */
static int move_by_swap(const struct sb_fs *fs, const char *old, const char *new, bool dir,
			bool present, bool noreplace)
{
	int err = 0;

	for (unsigned i = 0; i < RACES; i++) {
		if (!present)
			err = sb_make_whiteout(fs->tree, new);
		if (err < 0 && (err != -EEXIST || (noreplace && !is_gone(fs, new))))
			return err;
		err = swap(old, new);
		if (err != -ENOENT || present || is_gone(fs, old))
			break; /* else another process removed the whiteout */
	}
	if (err == 0)
		return clear_old(fs, old, new, dir);
	if (!cannot(err))
		return err;
	if (present)
		err = sb_upper_drop_dir(fs, new);
	else
		err = (int)sys_unlinkat(AT_FDCWD, new, 0);
	if (err == 0)
		err = (int)sys_renameat2(AT_FDCWD, old, AT_FDCWD, new, 0);
	return err < 0 ? err : sb_make_whiteout(fs->tree, old);
}

/* Make a directory opaque when its lower must not show at either name. */
static int close_dir(const struct sb_fs *fs, const struct sb_at *at, const struct sb_path *host,
		     bool other_hides)
{
	if (!is_dir(at) || (!at->spot.lower_below && !other_hides))
		return 0;
	return sb_make_opaque(fs, host);
}

static int exchange_in_tree(struct sb_fs *fs, struct sb_at *from, struct sb_at *to, bool from_hides,
			    bool to_hides)
{
	const struct sb_path *old = &from->host;
	const struct sb_path *new = &to->host;
	uint32_t from_type = from->spot.type;
	int err = is_gone(fs, old->buf) || is_gone(fs, new->buf) ? -ENOENT : 0;

	if (err == 0)
		err = close_dir(fs, from, old, to_hides);
	if (err == 0)
		err = close_dir(fs, to, new, from_hides);
	if (err == 0)
		err = swap(old->buf, new->buf);
	if (err == 0)
		err = sb_upper_settle(fs, from, to->spot.type, false);
	return err < 0 ? err : sb_upper_settle(fs, to, from_type, false);
}

static int move_in_tree(struct sb_fs *fs, struct sb_at *from, struct sb_at *to, bool from_hides,
			bool to_hides, bool noreplace)
{
	const struct sb_path *old = &from->host;
	const struct sb_path *new = &to->host;
	bool present = to->spot.place != SB_PLACE_ABSENT;
	bool dir = is_dir(from);
	int err = from_hides && is_gone(fs, old->buf) ? -ENOENT : 0;

	if (err == 0)
		err = close_dir(fs, from, old, to_hides);
	if (err < 0)
		return err;
	if (!from_hides)
		err = move_plainly(fs, old->buf, new->buf, dir, present, noreplace);
	else if (present && !dir)
		err = move_over_file(fs, old->buf, new->buf);
	else
		err = move_by_swap(fs, old->buf, new->buf, dir, present, noreplace);
	if (err < 0)
		return err;
	err = sb_upper_settle(fs, to, from->spot.type, false);
	return sb_upper_settle_absent(fs, from, from_hides) ?: err;
}

static bool is_merged(const struct sb_at *at)
{
	return is_dir(at) && at->spot.lower_below;
}

static int rename_in_tree(struct sb_fs *fs, struct sb_at *from, struct sb_at *to, unsigned flags)
{
	bool exchange = (flags & RENAME_EXCHANGE) != 0;
	bool from_hides = sb_upper_hides(fs, from);
	bool to_hides = sb_upper_hides(fs, to);
	int lock = -1;
	int err = bring_up(fs, from);

	if (err == 0)
		err = sb_copyup_parent(fs, to);
	if (err == 0 && exchange)
		err = bring_up(fs, to);
	else if (err == 0 && to->spot.place != SB_PLACE_ABSENT && is_dir(to))
		err = sb_copyup(fs, to, UINT64_MAX);
	if (err == 0)
		err = sb_tree_upper_path(fs, from->guest.buf, from->guest.len, &from->host);
	if (err == 0)
		err = sb_tree_upper_path(fs, to->guest.buf, to->guest.len, &to->host);
	if (err < 0)
		return err;
	sb_commit_begin(fs);
	if (from_hides || exchange)
		lock = sb_upper_lock(fs);
	if (from_hides || exchange || is_merged(from) || is_merged(to))
		/* a whiteout may come to a place where it hides nothing */
		__atomic_store_n(&fs->tree->shared->strays, 1, __ATOMIC_SEQ_CST);
	sb_upper_touch(fs->tree, from->spot.node, SB_STATE_ASK);
	sb_upper_touch(fs->tree, to->spot.node, SB_STATE_ASK);
	if (exchange)
		err = exchange_in_tree(fs, from, to, from_hides, to_hides);
	else
		err = move_in_tree(fs, from, to, from_hides, to_hides,
				   (flags & RENAME_NOREPLACE) != 0);
	/* Another process came first: whatever the error, the name was not there. */
	if (err < 0 && is_gone(fs, from->host.buf))
		err = -ENOENT;
	sb_upper_unlock(lock);
	sb_commit_end(fs);
	return err;
}

/* A rename in a mount writes both directories, and a directory that gets another parent. */
static bool loosen_one(struct sb_fs *fs, const struct sb_at *at)
{
	if (sb_loosen_dir_of(fs, at->dir.mount, &at->host, 0300) < 0)
		return false;
	return at->spot.place == SB_PLACE_ABSENT || !is_dir(at) ||
	       sb_loosen(fs, at->dir.mount, at->host.buf, 0200, NULL) == 0;
}

static bool loosen_both(struct sb_fs *fs, const struct sb_at *from, const struct sb_at *to)
{
	return loosen_one(fs, from) && loosen_one(fs, to);
}

static int do_rename(struct sb_fs *fs, struct sb_at *from, struct sb_at *to, unsigned flags)
{
	bool exchange = (flags & RENAME_EXCHANGE) != 0;
	int err = check_names(fs, from, to, flags);

	if (err < 0)
		return err;
	if (to->spot.place != SB_PLACE_ABSENT && is_same_file(from, to))
		return 0;
	err = check_rename(fs, from, to, exchange);
	if (err < 0)
		return err;
	if (from->dir.mount == SB_NO_MOUNT)
		return rename_in_tree(fs, from, to, flags);
	sb_commit_begin(fs);
	err = (int)sys_renameat2(AT_FDCWD, from->host.buf, AT_FDCWD, to->host.buf, flags);
	if (err == -EACCES && loosen_both(fs, from, to))
		err = (int)sys_renameat2(AT_FDCWD, from->host.buf, AT_FDCWD, to->host.buf, flags);
	if (err < 0)
		return err;
	if (exchange)
		return 0;
	err = sb_upper_settle(fs, to, from->spot.type, false);
	return sb_upper_settle_absent(fs, from, false) ?: err;
}

int sb_change_rename(struct sb_fs *fs, struct sb_at *from, struct sb_at *to, unsigned flags)
{
	bool moves_dir = from->spot.type == S_IFDIR || to->spot.type == S_IFDIR;
	int err;

	if (moves_dir)
		sb_dircache_changed(fs->tree);
	err = do_rename(fs, from, to, flags);
	if (moves_dir)
		sb_dircache_changed(fs->tree);
	return err;
}
