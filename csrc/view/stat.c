/* SPDX-License-Identifier: MIT */
/*
 * stat.c - what stat and readlink say of an entry or a descriptor.
 *
 * How it works
 *   The node answers for a lower entry. For any other the host's stat is taken, and the owner
 *   table corrects it. The host inode tells what file a descriptor is: the index knows the layer
 *   files, the owner table the others.
 * Rules
 *   Signal-safe. The whole tree has one device number (control->upper_dev); mounts and a live
 *   lower have the host's.
 */
#include <errno.h>
#include <linux/stat.h>

#include "base/stat.h"
#include "tree/descriptors.h"
#include "tree/dircache.h"
#include "tree/file_acl.h"
#include "tree/host_path.h"
#include "tree/index.h"
#include "tree/mounts.h"
#include "tree/tasks.h"
#include "view/internal.h"

#define BLOCK_SIZE 4096

static bool is_tree_dev(const struct sb_control *control, uint64_t dev)
{
	return dev == control->upper_dev || dev == control->upper_file_dev ||
	       dev == control->store_dev || dev == control->store_file_dev;
}

/* ---- stat --------------------------------------------------------------- */

static void stat_node(const struct sb_fs *fs, uint32_t node, struct sb_stat *out)
{
	const struct sb_tree *tree = fs->tree;
	const struct sb_node *n = &tree->nodes[node];
	struct sb_timespec mtime = {.sec = n->mtime_sec, .nsec = n->mtime_nsec};

	*out = (struct sb_stat){
		.dev = tree->control->upper_dev,
		.ino = n->ino,
		.rdev = n->rdev,
		.size = n->size,
		.blocks = n->blocks,
		.mode = n->mode,
		.nlink = n->nlink,
		.uid = n->uid,
		.gid = n->gid,
		.blksize = BLOCK_SIZE,
		.atime = mtime,
		.mtime = mtime,
		.ctime = mtime,
		.btime = mtime,
	};
	sb_file_acl_of_node(fs, n, out);
}

static void stat_link(const struct sb_tree *tree, uint32_t mount, struct sb_stat *out)
{
	const struct sb_mount *m = &tree->control->mounts[mount];

	*out = (struct sb_stat){
		.dev = tree->control->upper_dev,
		.ino = m->hash >> 1 | 1ULL << 62,
		.size = m->host.len,
		.mode = S_IFLNK | 0777,
		.nlink = 1,
		.blksize = BLOCK_SIZE,
	};
}

uint32_t sb_tree_owned_mount_of_fd(const struct sb_fs *fs, int fd)
{
	struct sb_path *host = &fs->work->host;
	struct sb_path *guest = &fs->work->guest;

	if (sb_fds_home(fs, fd) != 0)
		return sb_pure_mount(sb_fds_home(fs, fd));
	if ((fs->tree->control->flags & SB_CONTROL_OWNED_MOUNTS) == 0 || sb_fd_path(fd, host) < 0 ||
	    host->buf[0] != '/' || sb_tree_guest_path(fs, host->buf, host->len, guest) < 0)
		return SB_NO_MOUNT;
	return sb_tree_mount_of(fs->tree, guest->buf, guest->len);
}

void sb_tree_virtual_stat(const struct sb_fs *fs, const struct statx *sx, uint32_t mount,
			  struct sb_stat *out)
{
	const struct sb_tree *tree = fs->tree;
	const struct sb_control *control = tree->control;
	struct sb_owner_key key;
	struct sb_owner owner;

	sb_owner_key(tree, sx, &key);
	*out = (struct sb_stat){
		.dev = sb_make_dev(sx->stx_dev_major, sx->stx_dev_minor),
		.ino = sx->stx_ino,
		.rdev = sb_make_dev(sx->stx_rdev_major, sx->stx_rdev_minor),
		.size = sx->stx_size,
		.blocks = sx->stx_blocks,
		.mode = sx->stx_mode,
		.nlink = sx->stx_nlink,
		.uid = sx->stx_uid == control->host_uid ? sb_mount_uid(control, mount)
							: sx->stx_uid,
		.gid = sx->stx_gid == control->host_gid ? sb_mount_gid(control, mount)
							: sx->stx_gid,
		.blksize = sx->stx_blksize,
		.has_btime = (sx->stx_mask & STATX_BTIME) != 0,
		.atime = sb_time_of(sx->stx_atime),
		.mtime = sb_time_of(sx->stx_mtime),
		.ctime = sb_time_of(sx->stx_ctime),
		.btime = sb_time_of(sx->stx_btime),
	};
	if (is_tree_dev(control, out->dev))
		out->dev = control->upper_dev;
	if (!sb_owner_find(tree, &key, &owner))
		return;
	if ((owner.flags & SB_OWNER_IDS) != 0) {
		out->uid = owner.uid;
		out->gid = owner.gid;
	}
	if ((owner.flags & SB_OWNER_MODE) != 0) {
		const uint32_t type = sb_owner_type(sx, &owner);

		out->mode = type | (owner.mode & 07777);
		if (type != (sx->stx_mode & S_IFMT))
			out->rdev = owner.rdev;
	}
	if ((owner.flags & SB_OWNER_ORIGIN) != 0) {
		out->ino = owner.origin;
		if ((out->mode & S_IFMT) == S_IFDIR)
			out->nlink = 1; /* merged: its subdirectories are not counted */
	}
	if ((owner.flags & SB_OWNER_XATTRS) != 0)
		sb_file_acl_of_record(fs, &key, &owner, out);
}

/* An upper directory that shows a lower one keeps the identity of the lower one, and owner and
 * mode until they are changed. */
static void stat_merged(const struct sb_fs *fs, uint32_t node, const struct statx *sx,
			struct sb_stat *out)
{
	const struct sb_tree *tree = fs->tree;
	struct sb_owner_key key;

	out->nlink = 1;
	if (node == SB_NO_NODE)
		return;
	out->ino = tree->nodes[node].ino;
	sb_owner_key(tree, sx, &key);
	if (sb_owner_maybe(tree, key.volume, key.ino))
		return;
	out->uid = tree->nodes[node].uid;
	out->gid = tree->nodes[node].gid;
	out->mode = tree->nodes[node].mode;
	sb_file_acl_of_node(fs, &tree->nodes[node], out);
}

int sb_spot_stat(const struct sb_fs *fs, const struct sb_spot *spot, const struct sb_path *host,
		 const struct statx *look, struct sb_stat *out)
{
	const struct sb_tree *tree = fs->tree;
	bool merged = spot->place == SB_PLACE_UPPER && spot->type == S_IFDIR && spot->lower_below;
	struct statx own;
	const struct statx *sx = look != NULL ? look : &own;
	int err = 0;

	switch (spot->place) {
	case SB_PLACE_ABSENT:
		return -ENOENT;
	case SB_PLACE_LOWER:
		stat_node(fs, spot->node, out);
		return 0;
	case SB_PLACE_LINK:
		stat_link(tree, spot->mount, out);
		return 0;
	case SB_PLACE_UPPER:
	case SB_PLACE_LIVE:
	case SB_PLACE_MOUNT:
		break;
	}
	if (look == NULL)
		err = sb_host_stat(host->buf, &own);
	if (err == -ENOENT && merged && spot->node != SB_NO_NODE) {
		stat_node(fs, spot->node, out); /* another process is just making it */
		return 0;
	}
	if (err < 0)
		return err;
	sb_tree_virtual_stat(fs, sx, spot->mount, out);
	if (sx->stx_uid == tree->control->host_uid)
		sb_tasks_own(tree, spot, host, out);
	if (merged)
		stat_merged(fs, spot->node, sx, out);
	return 0;
}

int sb_tree_stat(struct sb_fs *fs, struct sb_at *at)
{
	const struct statx *look = at->has_look ? &at->look : NULL;
	int err = sb_spot_stat(fs, &at->spot, &at->host, look, &at->st);

	at->has_stat = err == 0;
	return err;
}

int sb_entry_stat(struct sb_at *at, struct statx *sx)
{
	if (!at->has_look)
		return sb_host_stat(at->host.buf, sx);
	at->has_look = false;
	*sx = at->look;
	return 0;
}

/* Stat of a directory of the upper; its looks are remembered. */
static int stat_upper_dir(const struct sb_fs *fs, const struct sb_spot *dir, const char *guest,
			  uint32_t len, const struct sb_path *host, struct sb_stat *out)
{
	uint32_t generation = sb_dircache_generation(fs->tree);
	struct sb_dir_looks looks = {.known = 1, .made = sb_dircache_count(fs->tree)};
	bool quiet = sb_dircache_is_quiet(fs->tree, looks.made);
	struct statx sx;
	bool is_there = sb_host_stat(host->buf, &sx) == 0;
	int err = sb_spot_stat(fs, dir, host, is_there ? &sx : NULL, out);

	if (err < 0 || !is_there)
		return err;
	if (out->acl.access != 0 || out->acl.defaults != 0)
		return 0; /* an access list says more than the looks */
	looks.mode = out->mode;
	looks.uid = out->uid;
	looks.gid = out->gid;
	looks.mounts = sb_tree_has_mounts(fs->tree, guest, len);
	looks.flat = quiet && sx.stx_nlink == 2 &&
		     (fs->tree->control->flags & SB_CONTROL_COUNTS_DIRS) != 0;
	sb_dircache_learn(fs, guest, len, dir, &looks, generation);
	return 0;
}

bool sb_tree_learn_looks(const struct sb_fs *fs, const char *guest, uint32_t len)
{
	struct sb_path *host = &fs->work->host;
	struct sb_spot spot;
	struct sb_stat st;

	return sb_spot_recall(fs, guest, len, &spot) && spot.place == SB_PLACE_UPPER &&
	       sb_tree_upper_path(fs, guest, len, host) == 0 &&
	       stat_upper_dir(fs, &spot, guest, len, host, &st) == 0;
}

int sb_tree_stat_parent(const struct sb_fs *fs, const struct sb_at *at, struct sb_stat *out)
{
	struct sb_path *host = &fs->work->host;
	uint32_t len = at->guest.len == 1 || at->name == 1 ? 1 : at->name - 1;
	int err = sb_spot_host(fs, &at->dir, at->guest.buf, len, host);

	if (err < 0)
		return err;
	if (!at->has_dir_stat && at->dir.place == SB_PLACE_UPPER)
		return stat_upper_dir(fs, &at->dir, at->guest.buf, len, host, out);
	return sb_spot_stat(fs, &at->dir, host, at->has_dir_stat ? &at->dir_stat : NULL, out);
}

/* ---- descriptors -------------------------------------------------------- */

/* Stat of a lower file that was copied up after it was opened: the entry of its name in the
 * upper, if that is still the same file. */
static bool stat_copy(struct sb_fs *fs, uint32_t node, struct sb_stat *out)
{
	const struct sb_tree *tree = fs->tree;
	const struct sb_node *n = &tree->nodes[node];
	struct sb_path *guest = &fs->work->guest;
	struct sb_path *host = &fs->work->host;
	struct sb_stat copy;
	struct statx sx;

	if (sb_index_guest_path(tree, node, guest) < 0 ||
	    sb_tree_upper_path(fs, guest->buf, guest->len, host) < 0 ||
	    sb_host_stat(host->buf, &sx) < 0)
		return false;
	sb_tree_virtual_stat(fs, &sx, SB_NO_MOUNT, &copy);
	if (((copy.mode ^ n->mode) & S_IFMT) != 0)
		return false;
	if ((copy.mode & S_IFMT) == S_IFDIR && tree->state[node] == SB_STATE_MERGED) {
		copy.ino = n->ino;
		copy.nlink = 1;
	}
	if (copy.ino != n->ino && !sb_owner_is_copy(tree, &sx, n->ino))
		return false;
	*out = copy;
	return true;
}

/* The node of the name by which a lower file was opened: each of its names may have a copy. */
static uint32_t opened_name(struct sb_fs *fs, int fd, uint32_t node)
{
	const struct sb_tree *tree = fs->tree;
	struct sb_path *guest = &fs->work->guest;
	struct sb_path *host = &fs->work->host;
	uint32_t named;

	if (tree->nodes[node].nlink < 2 || (tree->nodes[node].mode & S_IFMT) == S_IFDIR ||
	    sb_fd_path(fd, host) < 0 || sb_tree_guest_path(fs, host->buf, host->len, guest) < 0)
		return node;
	named = sb_index_find_path(tree, guest->buf, guest->len);
	return named != SB_NO_NODE && tree->nodes[named].ino == tree->nodes[node].ino ? named
										      : node;
}

int sb_tree_fd_dir(const struct sb_fs *fs, int fd, uint32_t *node)
{
	struct sb_fds_mark mark;
	struct statx sx;
	long ret;

	*node = sb_fds_find(fs, fd);
	if (sb_fds_pure(fs, fd) != 0)
		return 1;
	if (*node != SB_NO_NODE) {
		if ((fs->tree->nodes[*node].mode & S_IFMT) == S_IFDIR)
			return 1;
		*node = SB_NO_NODE;
		return 0;
	}
	mark = sb_fds_mark(fs, fd);
	ret = sys_statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_INO, &sx);
	if (ret < 0)
		return (int)ret;
	*node = sb_index_find_dir(fs->tree, &sx);
	sb_fds_learn(fs, fd, mark, *node);
	return (sx.stx_mode & S_IFMT) == S_IFDIR;
}

/* Put what stat_node() says over the host's answer. */
static void put_node(const struct sb_tree *tree, uint32_t node, struct stat *out)
{
	const struct sb_node *n = &tree->nodes[node];

	out->st_dev = tree->control->upper_dev;
	out->st_ino = n->ino;
	out->st_nlink = n->nlink;
	out->st_mode = n->mode;
	out->st_uid = n->uid;
	out->st_gid = n->gid;
	out->st_rdev = n->rdev;
	out->st_size = (int64_t)n->size;
	out->st_blksize = BLOCK_SIZE;
	out->st_blocks = (int64_t)n->blocks;
	out->st_mtim.tv_sec = n->mtime_sec;
	out->st_mtim.tv_nsec = n->mtime_nsec;
	out->st_atim = out->st_mtim;
	out->st_ctim = out->st_mtim;
}

bool sb_stat_show(const struct sb_fs *fs, uint32_t mount, struct stat *st)
{
	const struct sb_tree *tree = fs->tree;
	const struct sb_control *control = tree->control;

	if (sb_owner_any(tree) &&
	    sb_owner_maybe(tree, sb_owner_volume(tree, st->st_dev), st->st_ino))
		return false;
	if (st->st_uid == control->host_uid)
		st->st_uid = sb_mount_uid(control, mount);
	if (st->st_gid == control->host_gid)
		st->st_gid = sb_mount_gid(control, mount);
	if (is_tree_dev(control, st->st_dev))
		st->st_dev = control->upper_dev;
	return true;
}

int sb_tree_fstat_plain(const struct sb_fs *fs, int fd, struct stat *out)
{
	const struct sb_tree *tree = fs->tree;
	const struct sb_control *control = tree->control;
	uint32_t node = sb_fds_find(fs, fd);
	struct sb_fds_mark mark;
	int err;

	if (node != SB_NO_NODE && tree->state[node] == SB_STATE_UNTOUCHED) {
		memset(out, 0, sizeof(*out));
		put_node(tree, node, out);
		return 1;
	}
	mark = sb_fds_mark(fs, fd);
	err = (int)sys_fstat(fd, out);
	if (err < 0)
		return err;
	node = SB_NO_NODE;
	if (tree->index != NULL &&
	    (out->st_dev == control->store_dev || out->st_dev == control->store_file_dev))
		node = sb_index_find_inode(tree, out->st_ino);
	if (node != SB_NO_NODE) {
		const struct sb_node *n = &tree->nodes[node];

		if (tree->state[node] != SB_STATE_UNTOUCHED ||
		    (n->nlink > 1 && (n->mode & S_IFMT) != S_IFDIR))
			return 0; /* another of its names may have a copy */
		sb_fds_learn(fs, fd, mark, node);
		put_node(tree, node, out);
		return 1;
	}
	if ((control->flags & SB_CONTROL_OWNED_MOUNTS) != 0 && sb_fds_home(fs, fd) == 0)
		return 0;
	return sb_stat_show(fs, sb_pure_mount(sb_fds_home(fs, fd)), out);
}

int sb_tree_fstat(struct sb_fs *fs, int fd, struct sb_stat *out, uint32_t *node)
{
	const struct sb_tree *tree = fs->tree;
	const struct sb_control *control = tree->control;
	uint32_t found = sb_fds_find(fs, fd);
	struct statx sx;
	uint64_t dev;
	int err;

	if (found != SB_NO_NODE && tree->state[found] == SB_STATE_UNTOUCHED) {
		if (node != NULL)
			*node = found;
		stat_node(fs, found, out);
		return 0;
	}
	if (node != NULL)
		*node = SB_NO_NODE;
	found = SB_NO_NODE;
	err = (int)sys_statx(fd, "", AT_EMPTY_PATH, SB_STATX_MASK, &sx);
	if (err < 0)
		return err;
	dev = sb_make_dev(sx.stx_dev_major, sx.stx_dev_minor);
	if (tree->index != NULL && (dev == control->store_dev || dev == control->store_file_dev))
		found = sb_index_find_inode(tree, sx.stx_ino);
	if (found == SB_NO_NODE) {
		sb_tree_virtual_stat(fs, &sx, sb_tree_owned_mount_of_fd(fs, fd), out);
		return 0;
	}
	found = opened_name(fs, fd, found);
	if (node != NULL)
		*node = found;
	if (tree->state[found] == SB_STATE_UNTOUCHED || !stat_copy(fs, found, out))
		stat_node(fs, found, out);
	return 0;
}

/* ---- symlinks ----------------------------------------------------------- */

long sb_tree_readlink(struct sb_fs *fs, const struct sb_at *at, char *buf, size_t len)
{
	const struct sb_tree *tree = fs->tree;
	const char *from;
	size_t count;

	if (at->spot.type != S_IFLNK)
		return -EINVAL;
	if (at->spot.place == SB_PLACE_LOWER) {
		from = tree->strings + tree->nodes[at->spot.node].link_off;
		count = tree->nodes[at->spot.node].link_len;
	} else if (at->spot.place == SB_PLACE_LINK) {
		from = sb_text_at(tree->control, tree->control->mounts[at->spot.mount].host);
		count = tree->control->mounts[at->spot.mount].host.len;
	} else {
		return sys_readlinkat(AT_FDCWD, at->host.buf, buf, len);
	}
	count = SB_MIN(count, len);
	memcpy(buf, from, count);
	return (long)count;
}
