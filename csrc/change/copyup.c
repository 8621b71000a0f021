/* SPDX-License-Identifier: MIT */
/*
 * copyup.c - make entries of the lower entries of the upper.
 *
 * How it works
 *   The directories above come first, from the top. Each entry is copied to a temporary name with
 *   everything that the guest can see of it, and gets an owner record with the inode number of
 *   the lower. Then it is renamed into place, unless something is there: another process came
 *   first, and its copy is as good. The times of the directory are restored, so a copy-up is no
 *   change.
 * Rules
 *   Signal-safe; a commit section lasts from the temporary name to the end. work->buffer has
 *   positions of a tree walk in the first half, content in the second.
 */
#include <errno.h>
#include <linux/fs.h>
#include <linux/stat.h>

#include "base/filesize.h"
#include "base/shared_abi.h"
#include "base/stat.h"
#include "change/internal.h"
#include "tree/dircache.h"
#include "tree/host_path.h"
#include "tree/index.h"
#include "tree/whiteout.h"
#include "tree/xattr.h"
#include "view/view.h"

#define HALF (sizeof(((struct sb_work *)0)->buffer) / 2)

struct source {
	const char *host;         /* the lower file */
	const struct sb_stat *st; /* as the guest sees it */
	uint32_t node;            /* SB_NO_NODE in a live lower */
	uint64_t keep;            /* how many bytes of content to copy */
};

/* ---- content ------------------------------------------------------------ */

/* Open the lower file, or the stand-in of a file that the user may not read; then size becomes
 * that of the stand-in. Uses work->host. */
static int open_source(struct sb_fs *fs, const struct source *src, uint64_t *size)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
	struct sb_path *other = &fs->work->host;
	struct statx sx;
	int in = (int)sys_openat(AT_FDCWD, src->host, flags, 0);

	if (in != -EACCES || src->node != SB_NO_NODE ||
	    !sb_find_stand_in(fs->tree, src->host, other, &sx))
		return in;
	*size = sx.stx_size;
	return (int)sys_openat(AT_FDCWD, other->buf, flags, 0);
}

static int copy_file(struct sb_fs *fs, const struct source *src, const char *temp, uint32_t mode)
{
	uint64_t size = SB_MIN(src->keep, src->st->size);
	bool whole = size == src->st->size;
	int in = -1;
	int out;
	int err = 0;

	if (size > 0) {
		in = open_source(fs, src, &size);
		if (in < 0)
			return in;
	}
	if (in >= 0 && sb_is_above_file_limit(size)) {
		sys_close(in);
		return -EFBIG;
	}
	out = (int)sys_openat(AT_FDCWD, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			      mode);
	if (out >= 0 && in >= 0)
		err = sb_copy_content(fs, in, out, (int64_t)size, whole);
	if (out >= 0)
		sys_close(out);
	if (in >= 0)
		sys_close(in);
	return out < 0 ? out : err;
}

/* ---- one entry ---------------------------------------------------------- */

static int copy_symlink(struct sb_fs *fs, const struct source *src, const char *temp)
{
	const struct sb_tree *tree = fs->tree;
	char *target = fs->work->buffer + HALF;
	long len;

	if (src->node != SB_NO_NODE)
		return (int)sys_symlinkat(tree->strings + tree->nodes[src->node].link_off, AT_FDCWD,
					  temp);
	len = sys_readlinkat(AT_FDCWD, src->host, target, SB_PATH_MAX - 1);
	if (len < 0)
		return (int)len;
	target[len] = '\0';
	return (int)sys_symlinkat(target, AT_FDCWD, temp);
}

static int make_copy(struct sb_fs *fs, const struct source *src, const char *temp)
{
	uint32_t type = src->st->mode & S_IFMT;
	uint32_t mode = sb_upper_host_mode(type, src->st->mode);

	switch (type) {
	case S_IFDIR:
		return (int)sys_mkdirat(AT_FDCWD, temp, mode);
	case S_IFLNK:
		return copy_symlink(fs, src, temp);
	case S_IFIFO:
	case S_IFSOCK:
		return (int)sys_mknodat(AT_FDCWD, temp, type | mode, 0);
	case S_IFREG:
		return copy_file(fs, src, temp, mode);
	default:
		return (int)sys_mknodat(AT_FDCWD, temp, S_IFREG | mode, 0);
	}
}

static int read_xattrs(struct sb_fs *fs, const struct source *src, const char **bytes,
		       uint32_t *len)
{
	const struct sb_tree *tree = fs->tree;
	struct sb_xattr_draft draft = {0};
	const struct sb_node *node;
	int err;

	if (src->node == SB_NO_NODE) {
		err = sb_xattr_import(fs, src->host, &draft);
		*bytes = draft.bytes;
		*len = draft.len;
		return err;
	}
	node = &tree->nodes[src->node];
	if ((node->flags & SB_NODE_XATTRS) != 0) {
		*bytes = tree->strings + node->xattr_off;
		*len = node->xattr_len;
	}
	return 0;
}

/* Give a copy its mode, record and times. */
static int dress_copy(struct sb_fs *fs, const struct source *src, const char *temp)
{
	const struct sb_stat *st = src->st;
	uint32_t type = st->mode & S_IFMT;
	uint32_t mode = sb_upper_host_mode(type, st->mode);
	struct sb_timespec times[2] = {st->atime, st->mtime};
	struct sb_owner record = {
		.uid = st->uid, .gid = st->gid, .mode = st->mode, .rdev = st->rdev};
	const char *xattrs = NULL;
	uint32_t len = 0;
	struct sb_owner_key key;
	struct statx sx;
	int err = sb_host_stat(temp, &sx);

	if (err == 0 && type != S_IFLNK && (sx.stx_mode & 07777) != mode)
		err = (int)sys_fchmodat(AT_FDCWD, temp, mode);
	if (err < 0)
		return err;
	record.origin = st->ino;
	/* One of several links becomes a file of its own. */
	if (st->ino != 0 && (st->nlink == 1 || type == S_IFDIR))
		record.flags |= SB_OWNER_ORIGIN;
	if (st->uid != 0 || st->gid != 0)
		record.flags |= SB_OWNER_IDS;
	if (type == S_IFCHR || type == S_IFBLK || (type != S_IFLNK && (st->mode & 07777) != mode))
		record.flags |= SB_OWNER_MODE;
	err = read_xattrs(fs, src, &xattrs, &len);
	if (err < 0)
		return err;
	if (xattrs)
		record.flags |= SB_OWNER_XATTRS;
	sb_owner_key(fs->tree, &sx, &key);
	err = sb_owner_put_list(fs->tree, &key, &record, xattrs ?: "", len);
	if (err == 0)
		err = (int)sys_utimensat(AT_FDCWD, temp, times, AT_SYMLINK_NOFOLLOW);
	return err;
}

/* Rename temp to dst unless something is there. */
static int publish(const char *temp, const char *dst, bool is_dir)
{
	int err = (int)sys_renameat2(AT_FDCWD, temp, AT_FDCWD, dst, RENAME_NOREPLACE);

	if (err != -EINVAL && err != -ENOSYS)
		return err;
	if (is_dir) {
		err = (int)sys_renameat2(AT_FDCWD, temp, AT_FDCWD, dst, 0);
		return err == -ENOTEMPTY || err == -ENOTDIR ? -EEXIST : err;
	}
	err = (int)sys_linkat(AT_FDCWD, temp, AT_FDCWD, dst, 0);
	if (err == 0)
		sys_unlinkat(AT_FDCWD, temp, 0);
	return err;
}

/* The same, and restore the times of the directory. Uses work->host. */
static int publish_quietly(struct sb_fs *fs, const char *temp, const struct sb_path *dst,
			   bool is_dir)
{
	struct sb_path *parent = &fs->work->host;
	struct statx sx;
	int err = sb_path_set(parent, dst->buf, dst->len);

	if (err < 0)
		return err;
	sb_path_pop(parent);
	err = sb_host_stat(parent->buf, &sx);
	if (err == 0)
		err = publish(temp, dst->buf, is_dir);
	if (err < 0)
		return err;
	sb_host_restore_times(parent->buf, &sx);
	return 0;
}

/* Copy src to the upper path dst, whose directory exists. Uses work->temp, and work->host after
 * it has read src->host. */
static int copy_one(struct sb_fs *fs, const struct source *src, const struct sb_path *dst)
{
	struct sb_path *temp = &fs->work->temp;
	bool is_dir = (src->st->mode & S_IFMT) == S_IFDIR;
	bool is_live_dir = is_dir && fs->tree->index == NULL;
	int err = sb_upper_temp(fs, temp);

	if (err < 0)
		return err;
	err = make_copy(fs, src, temp->buf);
	if (err == 0)
		err = dress_copy(fs, src, temp->buf);
	if (err == 0) {
		sb_upper_touch(fs->tree, src->node, is_dir ? SB_STATE_MAKING : SB_STATE_ASK);
		if (is_live_dir)
			sb_dircache_making(fs->tree);
		err = publish_quietly(fs, temp->buf, dst, is_dir);
		if (is_live_dir)
			sb_dircache_changed(fs->tree);
		if (is_live_dir)
			sb_dircache_made(fs->tree);
	}
	if (err == 0 && is_dir)
		sb_upper_touch(fs->tree, src->node, SB_STATE_MERGED);
	if (err < 0)
		sys_unlinkat(AT_FDCWD, temp->buf, is_dir ? AT_REMOVEDIR : 0);
	if (err == -EEXIST)
		err = sb_is_whiteout(fs->tree, AT_FDCWD, dst->buf) ? -ENOENT : 0;
	return err;
}

/* ---- directories above -------------------------------------------------- */

static int lower_stat(struct sb_fs *fs, uint32_t node, const char *guest, struct sb_stat *st)
{
	struct sb_spot spot = {.place = SB_PLACE_LOWER, .node = node, .mount = SB_NO_MOUNT};
	struct statx sx;
	int err;

	if (fs->tree->index)
		return node == SB_NO_NODE ? -ENOENT : sb_spot_stat(fs, &spot, NULL, NULL, st);
	err = sb_host_stat(guest, &sx);
	if (err == 0)
		sb_tree_virtual_stat(fs, &sx, SB_NO_MOUNT, st);
	return err;
}

/* Give the root directory of the upper, which always exists, the looks of the lower's. */
static int touch_root(struct sb_fs *fs)
{
	const struct sb_tree *tree = fs->tree;
	bool touched =
		tree->index ? tree->state[0] != SB_STATE_UNTOUCHED : tree->shared->upper_used != 0;
	struct source src = {.host = "/", .node = tree->index ? 0 : SB_NO_NODE};
	const char *upper = sb_text_at(tree->control, tree->control->upper);
	struct sb_owner_key key;
	struct sb_owner record;
	struct sb_stat st;
	struct statx sx;
	int err;

	if (touched)
		return 0;
	err = sb_host_stat(upper, &sx);
	if (err == 0)
		err = lower_stat(fs, src.node, src.host, &st);
	if (err < 0)
		return err;
	sb_owner_key(tree, &sx, &key);
	src.st = &st;
	if (!sb_owner_find(tree, &key, &record))
		err = dress_copy(fs, &src, upper);
	if (err == 0)
		sb_upper_touch(tree, src.node, SB_STATE_MERGED);
	return err;
}

static int copy_dir(struct sb_fs *fs, const struct sb_path *guest, const struct sb_path *dst)
{
	struct sb_stat st;
	struct source src = {.host = guest->buf, .st = &st, .node = SB_NO_NODE};
	int err;

	if (fs->tree->index)
		src.node = sb_index_find_path(fs->tree, guest->buf, guest->len);
	err = lower_stat(fs, src.node, guest->buf, &st);
	if (err < 0)
		return err;
	return (st.mode & S_IFMT) == S_IFDIR ? copy_one(fs, &src, dst) : -ENOTDIR;
}

/* Copy up every directory on the way to guest[0..len), and that one, which is a directory. Uses
 * work->guest, upper, temp and host. */
static int copy_way(struct sb_fs *fs, const char *guest, uint32_t len)
{
	struct sb_path *path = &fs->work->guest;
	struct sb_path *host = &fs->work->upper;
	struct statx sx;
	int err = sb_path_set(path, guest, len);

	while (err == 0 && path->len > 1) {
		err = sb_tree_upper_path(fs, path->buf, path->len, host);
		if (err == 0 && sb_host_stat(host->buf, &sx) == 0 &&
		    (sx.stx_mode & S_IFMT) == S_IFDIR)
			break;
		sb_path_pop(path);
	}
	if (err == 0)
		err = touch_root(fs);
	while (err == 0 && path->len < len) {
		uint32_t name = path->len == 1 ? 1 : path->len + 1;
		uint32_t end = name;

		while (end < len && guest[end] != '/')
			end++;
		err = sb_path_join(path, guest + name, end - name);
		if (err == 0)
			err = sb_tree_upper_path(fs, path->buf, path->len, host);
		if (err == 0)
			err = copy_dir(fs, path, host);
	}
	return err;
}

static void settle_parent(struct sb_at *at)
{
	if (at->dir.place == SB_PLACE_LOWER || at->dir.place == SB_PLACE_LIVE)
		at->dir.place = SB_PLACE_UPPER;
	at->dir.in_upper = true;
}

int sb_copyup_parent(struct sb_fs *fs, struct sb_at *at)
{
	int err = sb_tree_may_write(fs, &at->dir);

	if (err < 0 || at->dir.mount != SB_NO_MOUNT || at->dir.in_upper)
		return err;
	sb_commit_begin(fs);
	err = copy_way(fs, at->guest.buf, at->name == 1 ? 1 : at->name - 1);
	sb_commit_end(fs);
	if (err == 0)
		settle_parent(at);
	return err;
}

/* Copy the entry up, in a commit section. */
static int copy_entry(struct sb_fs *fs, struct sb_at *at, uint64_t keep)
{
	struct sb_path *dst = &fs->work->upper;
	struct source src = {
		.host = at->host.buf, .st = &at->st, .node = at->spot.node, .keep = keep};
	int err;

	if (at->spot.type == S_IFDIR)
		return copy_way(fs, at->guest.buf, at->guest.len);
	err = copy_way(fs, at->guest.buf, at->name == 1 ? 1 : at->name - 1);
	if (err == 0)
		err = sb_tree_upper_path(fs, at->guest.buf, at->guest.len, dst);
	return err < 0 ? err : copy_one(fs, &src, dst);
}

int sb_copyup(struct sb_fs *fs, struct sb_at *at, uint64_t keep)
{
	int err = sb_tree_may_write(fs, &at->spot);

	if (err < 0 || (at->spot.place != SB_PLACE_LOWER && at->spot.place != SB_PLACE_LIVE))
		return err;
	if (!at->has_stat)
		err = sb_tree_stat(fs, at);
	if (err < 0)
		return err;
	sb_commit_begin(fs);
	err = copy_entry(fs, at, keep);
	sb_commit_end(fs);
	if (err < 0)
		return err;
	if (at->dir.mount == SB_NO_MOUNT)
		settle_parent(at);
	return sb_upper_settle(fs, at, at->spot.type, at->spot.type == S_IFDIR);
}

/* Does the lower still show in the directory that holds guest? Another process may have removed
 * that directory, and made a new one with its name. 1, 0 or -errno. Uses work->host. */
static int shows_lower(struct sb_fs *fs, const struct sb_path *guest, uint32_t node)
{
	const uint32_t name = sb_path_name(guest);
	struct sb_spot dir;
	int err = sb_spot_of_dir(fs, guest->buf, name > 1 ? name - 1 : 1, &fs->work->host, &dir);

	if (err < 0)
		return err == -ENOENT || err == -ENOTDIR ? 0 : err;
	return dir.lower_below && (node == SB_NO_NODE || dir.node == fs->tree->nodes[node].parent);
}

/* sb_copyup_lower() under the lock. */
static int copy_lower(struct sb_fs *fs, const struct sb_path *guest, uint32_t node)
{
	struct sb_path *dst = &fs->work->upper;
	struct sb_path *host = &fs->work->host;
	struct sb_stat st;
	struct source src = {.host = guest->buf, .st = &st, .node = node, .keep = UINT64_MAX};
	struct statx sx;
	int err = shows_lower(fs, guest, node);

	if (err <= 0)
		return err;
	err = sb_tree_upper_path(fs, guest->buf, guest->len, dst);
	if (err < 0)
		return err;
	err = sb_host_stat(dst->buf, &sx);
	if (err == 0)
		return (sx.stx_mode & S_IFMT) == S_IFDIR && !sb_is_opaque(fs, dst->buf, dst->len);
	if (err == -ENOENT)
		err = lower_stat(fs, node, guest->buf, &st);
	if (err == 0 && node != SB_NO_NODE) {
		err = sb_index_host_path(fs->tree, node, host);
		src.host = host->buf;
	}
	if (err == 0)
		err = copy_one(fs, &src, dst);
	if (err == -ENOENT && sb_is_whiteout(fs->tree, AT_FDCWD, dst->buf))
		return 0; /* another process removed it */
	return err < 0 ? err : (st.mode & S_IFMT) == S_IFDIR;
}

int sb_copyup_lower(struct sb_fs *fs, const struct sb_path *guest, uint32_t node)
{
	const int lock = sb_upper_lock(fs);
	const int ret = copy_lower(fs, guest, node);

	sb_upper_unlock(lock);
	return ret;
}
