/* SPDX-License-Identifier: MIT */
/*
 * change_quick.c - make, rename and remove names with one call of the kernel.
 *
 * How it works
 *   What is remembered of a directory (dircache.h) says who may write in it, and that it is in
 *   the upper. The index says whether the lower has the name. When it does not, the upper alone
 *   decides: the kernel's own call needs no look-up before it, and fails when the entry is absent
 *   or a directory. Other cases, and most errors, are left to the caller, who looks the path up.
 *   That a name is there, is not, or is a directory with entries is an answer.
 * Rules
 *   Never while there may be a whiteout where the lower has nothing (sb_shared.strays): it would
 *   pass for a file. A rename needs a directory without subdirectories, since every process must
 *   forget a renamed directory; one that was made meanwhile is noticed afterwards.
 */
#include <errno.h>
#include <linux/fs.h>

#include "change/internal.h"
#include "tree/dircache.h"
#include "tree/host_path.h"
#include "tree/index.h"
#include "tree/mounts.h"
#include "tree/whiteout.h"
#include "view/view.h"

/* A name that only the upper can have, in a directory where fs->ids may write. */
struct name {
	const char *path;
	uint32_t len;
	uint32_t at; /* where the last component begins */
	struct sb_spot dir;
	struct sb_dir_looks looks;
};

static bool can_be_quick(const struct sb_fs *fs)
{
	return fs->tree->index != NULL && fs->root_len == 1 && !sb_dircache_has_strays(fs->tree) &&
	       sb_tree_may_search_all(fs);
}

static bool split(const char *path, struct name *name)
{
	name->path = path;
	name->len = sb_path_canonical(path);
	name->at = name->len;
	if (name->len == 0)
		return false;
	while (path[name->at - 1] != '/')
		name->at--;
	return name->at >= 2 && name->len - name->at <= 255;
}

static bool find_looks(struct sb_fs *fs, struct name *name)
{
	return sb_dircache_looks(fs, name->path, name->at - 1, &name->dir, &name->looks);
}

static bool find_dir(struct sb_fs *fs, struct name *name)
{
	const struct sb_dir_looks *looks = &name->looks;

	return (find_looks(fs, name) ||
		(sb_tree_learn_looks(fs, name->path, name->at - 1) && find_looks(fs, name))) &&
	       sb_tree_may_write(fs, &name->dir) == 0 &&
	       sb_ids_permit(fs->ids, looks->mode, looks->uid, looks->gid, 3) == 0;
}

/* Find the host path of the name. False when others than the upper may have it. */
static bool find_name(struct sb_fs *fs, const struct name *name, struct sb_path *host)
{
	const struct sb_tree *tree = fs->tree;
	const struct sb_spot *dir = &name->dir;
	const char *last = name->path + name->at;
	const uint32_t last_len = name->len - name->at;

	if ((name->looks.mounts != 0 && sb_tree_has_mounts(tree, name->path, name->len)) ||
	    sb_is_mark(tree, last, last_len))
		return false;
	if (dir->lower_below && dir->node != SB_NO_NODE &&
	    sb_index_find_child(tree, dir->node, last, last_len) != SB_NO_NODE)
		return false;
	return sb_tree_upper_path(fs, name->path, name->len, host) == 0;
}

/* The same for a path. False also when the name may not be changed. */
static bool find(struct sb_fs *fs, const char *path, struct name *name, struct sb_path *host)
{
	return can_be_quick(fs) && split(path, name) && find_dir(fs, name) &&
	       find_name(fs, name, host);
}

/* The same for two paths, which often have one directory. */
static bool find_both(struct sb_fs *fs, struct name *a, struct sb_path *a_host, struct name *b,
		      struct sb_path *b_host)
{
	if (!can_be_quick(fs) || !split(a->path, a) || !split(b->path, b) || !find_dir(fs, a))
		return false;
	if (sb_same(a->path, a->at, b->path, b->at)) {
		b->dir = a->dir;
		b->looks = a->looks;
	} else if (!find_dir(fs, b)) {
		return false;
	}
	return find_name(fs, a, a_host) && find_name(fs, b, b_host);
}

/* May fs->ids take any file of the directory away, whoever owns it? */
static bool may_take(const struct sb_fs *fs, const struct name *name)
{
	return (name->looks.mode & S_ISVTX) == 0 || sb_ids_has_cap(fs->ids, SB_CAP_FOWNER);
}

/* Does a new entry inherit nothing from its directory, and nothing from an earlier record? */
static bool is_simple(const struct sb_fs *fs, const struct name *name)
{
	return (name->looks.mode & S_ISGID) == 0 && fs->umask != 0 &&
	       !sb_owner_may_be_stale(fs->tree);
}

/* Can the host hold all looks of a new file? */
static bool is_plain(const struct sb_fs *fs, const struct name *name, const struct sb_looks *looks)
{
	return is_simple(fs, name) && !sb_upper_needs_record(looks);
}

long sb_quick_create(struct sb_fs *fs, const char *path, int flags, uint32_t mode)
{
	const struct sb_looks looks = {
		.mode = S_IFREG | (mode & 07777 & ~fs->umask),
		.uid = fs->ids->fsuid,
		.gid = fs->ids->fsgid,
	};
	const bool needs_record = sb_upper_needs_record(&looks);
	struct sb_path *host = &fs->work->a.host;
	struct name name;
	long fd;

	if ((needs_record && (flags & O_EXCL) == 0) || !find(fs, path, &name, host) ||
	    !is_simple(fs, &name))
		return -SB_ELOOK;
	flags &= ~O_TRUNC;
	sb_commit_begin(fs);
	if (needs_record)
		fd = sb_upper_make_file(fs, &looks, flags, host->buf);
	else
		fd = sys_openat(AT_FDCWD, host->buf, flags | O_CREAT | O_EXCL,
				sb_upper_host_mode(S_IFREG, looks.mode));
	sb_commit_end(fs);
	if (fd == -EEXIST && (flags & O_EXCL) != 0)
		return -EEXIST;
	return fd < 0 ? -SB_ELOOK : fd;
}

/* The result of a change. known is the error that is an answer. */
static int settle(const struct sb_fs *fs, long err, int known)
{
	sb_commit_end(fs);
	return err < 0 && err != known ? -SB_ELOOK : (int)err;
}

static struct sb_looks looks_of_dir(const struct sb_fs *fs, uint32_t mode)
{
	return (struct sb_looks){
		.mode = S_IFDIR | (mode & 01777 & ~fs->umask),
		.uid = fs->ids->fsuid,
		.gid = fs->ids->fsgid,
	};
}

struct sb_quick_mark sb_quick_mark(const struct sb_fs *fs)
{
	const uint32_t made = sb_dircache_count(fs->tree);

	return (struct sb_quick_mark){
		.generation = sb_dircache_generation(fs->tree),
		.made = made,
		.quiet = sb_dircache_is_quiet(fs->tree, made),
	};
}

void sb_quick_learn(struct sb_fs *fs, const char *path, uint32_t mode,
		    const struct sb_quick_mark *mark)
{
	const uint32_t len = sb_path_canonical(path);
	const struct sb_looks looks = looks_of_dir(fs, mode);
	const struct sb_spot spot = {
		.place = SB_PLACE_UPPER,
		.node = SB_NO_NODE,
		.mount = SB_NO_MOUNT,
		.type = S_IFDIR,
		.in_upper = true,
	};
	struct sb_dir_looks found = {
		.known = 1,
		.mode = looks.mode,
		.uid = looks.uid,
		.gid = looks.gid,
		.flat = mark->quiet && (fs->tree->control->flags & SB_CONTROL_COUNTS_DIRS) != 0,
		.made = mark->made + 1,
	};

	if (len <= 1)
		return;
	found.mounts = sb_tree_has_mounts(fs->tree, path, len);
	sb_dircache_learn(fs, path, len, &spot, &found, mark->generation);
}

int sb_quick_mkdir(struct sb_fs *fs, const char *path, uint32_t mode)
{
	const struct sb_quick_mark mark = sb_quick_mark(fs);
	const struct sb_looks looks = looks_of_dir(fs, mode);
	struct sb_path *host = &fs->work->a.host;
	struct name name;
	long err;

	if (!find(fs, path, &name, host) || !is_plain(fs, &name, &looks))
		return -SB_ELOOK;
	sb_commit_begin(fs);
	sb_dircache_making(fs->tree);
	err = sys_mkdirat(AT_FDCWD, host->buf, sb_upper_host_mode(S_IFDIR, looks.mode));
	sb_dircache_made(fs->tree);
	if (err == 0)
		sb_quick_learn(fs, path, mode, &mark);
	return settle(fs, err, -EEXIST);
}

int sb_quick_symlink(struct sb_fs *fs, const char *path, const char *target)
{
	const struct sb_looks looks = {
		.mode = S_IFLNK | 0777,
		.uid = fs->ids->fsuid,
		.gid = fs->ids->fsgid,
	};
	struct sb_path *host = &fs->work->a.host;
	struct name name;
	long err;

	if (sb_is_mark(fs->tree, target, strlen(target)) || !find(fs, path, &name, host) ||
	    !is_plain(fs, &name, &looks))
		return -SB_ELOOK;
	sb_commit_begin(fs);
	err = sys_symlinkat(target, AT_FDCWD, host->buf);
	return settle(fs, err, -EEXIST);
}

int sb_quick_link(struct sb_fs *fs, const char *from, const char *to)
{
	struct sb_path *old = &fs->work->a.host;
	struct sb_path *new = &fs->work->b.host;
	struct name source = {.path = from};
	struct name target = {.path = to};

	if (!sb_ids_has_cap(fs->ids, SB_CAP_FOWNER) || !find_both(fs, &source, old, &target, new))
		return -SB_ELOOK;
	sb_commit_begin(fs);
	return settle(fs, sys_linkat(AT_FDCWD, old->buf, AT_FDCWD, new->buf, 0), -EEXIST);
}

int sb_quick_unlink(struct sb_fs *fs, const char *path)
{
	struct sb_path *host = &fs->work->a.host;
	struct name name;
	long err;

	if (!find(fs, path, &name, host) || !may_take(fs, &name))
		return -SB_ELOOK;
	sb_commit_begin(fs);
	err = sys_unlinkat(AT_FDCWD, host->buf, 0);
	return settle(fs, err, -ENOENT);
}

int sb_quick_rmdir(struct sb_fs *fs, const char *path)
{
	struct sb_path *host = &fs->work->a.host;
	struct name name;
	long err;

	if (!find(fs, path, &name, host) || !may_take(fs, &name))
		return -SB_ELOOK;
	sb_commit_begin(fs);
	sb_dircache_ending(fs->tree, host->buf, host->len);
	err = sys_unlinkat(AT_FDCWD, host->buf, AT_REMOVEDIR);
	sb_dircache_ended(fs->tree, host->buf, host->len, err == 0);
	return settle(fs, err == -EEXIST ? -ENOTEMPTY : err, -ENOTEMPTY);
}

/* Can what is moved be no directory? Looks of the source's directory are asked again when a
 * directory was made since. */
static bool is_flat(struct sb_fs *fs, struct name *source)
{
	for (int i = 0; i < 2; i++) {
		if (source->looks.flat != 0 && sb_dircache_is_quiet(fs->tree, source->looks.made))
			return true;
		if (i > 0 || !sb_tree_learn_looks(fs, source->path, source->at - 1) ||
		    !find_looks(fs, source))
			return false;
	}
	return false;
}

int sb_quick_rename(struct sb_fs *fs, const char *from, const char *to, unsigned flags)
{
	struct sb_path *old = &fs->work->a.host;
	struct sb_path *new = &fs->work->b.host;
	struct name source = {.path = from};
	struct name target = {.path = to};
	long err;

	if ((flags & RENAME_EXCHANGE) != 0 || !find_both(fs, &source, old, &target, new) ||
	    !may_take(fs, &source) || !may_take(fs, &target))
		return -SB_ELOOK;
	if (!is_flat(fs, &source))
		return -SB_ELOOK;
	sb_commit_begin(fs);
	err = sys_renameat2(AT_FDCWD, old->buf, AT_FDCWD, new->buf, flags);
	if (!sb_dircache_is_quiet(fs->tree, source.looks.made))
		sb_dircache_changed(fs->tree);
	return settle(fs, err, -ENOENT);
}
