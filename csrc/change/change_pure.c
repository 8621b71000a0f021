/* SPDX-License-Identifier: MIT */
/*
 * change_pure.c - make, link, move and remove names in pure directories.
 *
 * How it works
 *   The kernel's own call does what is asked, and its error is left to the look-up, which knows the
 *   guest's. Nothing is looked at before, so the caller must be root with its usual capabilities,
 *   and what is made must need no record: the directory has none, which could say setgid or hold a
 *   default list. In a mount the kernel heeds both, and the umask.
 * Rules
 *   In the upper, never while there may be a whiteout where the lower has nothing: it would pass
 * for a file.
 */
#include <errno.h>

#include "base/stat.h"
#include "change/internal.h"
#include "tree/dircache.h"
#include "tree/mounts.h"
#include "tree/owner.h"
#include "tree/whiteout.h"

#define USER_BITS 0700U

static bool is_root(const struct sb_ids *ids)
{
	const uint64_t caps =
		1ULL << SB_CAP_DAC_OVERRIDE | 1ULL << SB_CAP_FOWNER | 1ULL << SB_CAP_FSETID;

	return (ids->cap_effective & caps) == caps;
}

/* May names in the directory be changed? */
static bool may_change(const struct sb_fs *fs, const struct sb_pure_name *at)
{
	return is_root(fs->ids) && sb_pure_may_write(fs, at->pure) &&
	       (at->pure != SB_PURE_UPPER || !sb_dircache_has_strays(fs->tree));
}

/* Has the directory a record that new files inherit from? */
static bool may_have_record(const struct sb_fs *fs, const struct sb_pure_name *at)
{
	const struct sb_tree *tree = fs->tree;
	struct sb_owner_key key;
	struct statx sx;

	if (!sb_owner_any_has(tree, SB_OWNER_TRAIT_RIGHTS))
		return false;
	if (sys_statx(at->dirfd, "", AT_EMPTY_PATH, STATX_INO, &sx) < 0)
		return true;
	sb_owner_key(tree, &sx, &key);
	return sb_owner_maybe(tree, key.volume, key.ino);
}

/* Are new files of the machine's user root's in this directory? */
static bool is_roots(const struct sb_fs *fs, const struct sb_pure_name *at)
{
	const uint32_t mount = sb_pure_mount(at->pure);

	return fs->ids->fsuid == 0 && fs->ids->fsgid == 0 &&
	       sb_mount_uid(fs->tree->control, mount) == 0 &&
	       sb_mount_gid(fs->tree->control, mount) == 0;
}

/* May an entry of this type and mode be made, with host_mode for the kernel? */
static bool may_make(struct sb_fs *fs, const struct sb_pure_name *at, uint32_t mode,
		     uint32_t *host_mode)
{
	const uint32_t type = mode & S_IFMT;
	const struct sb_looks looks = {
		.mode = type == S_IFLNK ? mode : type | (mode & 07777 & ~fs->umask),
	};

	if (!may_change(fs, at) || !is_roots(fs, at) || sb_owner_may_be_stale(fs->tree))
		return false;
	if (at->pure == SB_PURE_UPPER) {
		*host_mode = sb_upper_host_mode(type, looks.mode);
		if (sb_upper_needs_record(&looks))
			return false;
	} else {
		*host_mode = mode & 07777;
		if ((fs->umask & USER_BITS) != 0 || (mode & SB_SET_ID_BITS) != 0)
			return false;
	}
	return !may_have_record(fs, at);
}

bool sb_pure_may_create(struct sb_fs *fs, const struct sb_pure_name *at, uint32_t mode,
			uint32_t *host_mode)
{
	return may_make(fs, at, S_IFREG | (mode & 07777), host_mode);
}

/* An error is the look-up's to tell, except the one that is known. */
static int settle(const struct sb_fs *fs, long err, int known)
{
	sb_commit_end(fs);
	return err < 0 && err != known ? -SB_ELOOK : (int)err;
}

int sb_pure_mkdir(struct sb_fs *fs, const struct sb_pure_name *at, uint32_t mode)
{
	uint32_t host_mode;
	long err;

	if (!may_make(fs, at, S_IFDIR | (mode & 01777), &host_mode))
		return -SB_ELOOK;
	sb_commit_begin(fs);
	sb_dircache_making(fs->tree);
	err = sys_mkdirat(at->dirfd, at->name, host_mode);
	sb_dircache_made(fs->tree);
	return settle(fs, err, -EEXIST);
}

int sb_pure_symlink(struct sb_fs *fs, const struct sb_pure_name *at, const char *target)
{
	uint32_t host_mode;

	if ((at->pure == SB_PURE_UPPER && sb_is_mark(fs->tree, target, strlen(target))) ||
	    !may_make(fs, at, S_IFLNK | 0777, &host_mode))
		return -SB_ELOOK;
	sb_commit_begin(fs);
	return settle(fs, sys_symlinkat(target, at->dirfd, at->name), -EEXIST);
}

int sb_pure_link(struct sb_fs *fs, const struct sb_pure_name *from, const struct sb_pure_name *to)
{
	if (from->pure != to->pure || !may_change(fs, to))
		return -SB_ELOOK;
	sb_commit_begin(fs);
	return settle(fs, sys_linkat(from->dirfd, from->name, to->dirfd, to->name, 0), -EEXIST);
}

int sb_pure_unlink(struct sb_fs *fs, const struct sb_pure_name *at)
{
	if (!may_change(fs, at))
		return -SB_ELOOK;
	sb_commit_begin(fs);
	return settle(fs, sys_unlinkat(at->dirfd, at->name, 0), -ENOENT);
}

int sb_pure_rmdir(struct sb_fs *fs, const struct sb_pure_name *at)
{
	const uint32_t len = (uint32_t)strlen(at->name);
	const bool is_upper = at->pure == SB_PURE_UPPER;
	long err;

	if (!may_change(fs, at))
		return -SB_ELOOK;
	sb_commit_begin(fs);
	if (is_upper)
		sb_dircache_ending(fs->tree, at->name, len);
	err = sys_unlinkat(at->dirfd, at->name, AT_REMOVEDIR);
	if (is_upper)
		sb_dircache_ended(fs->tree, at->name, len, err == 0);
	return settle(fs, err == -EEXIST ? -ENOTEMPTY : err, -ENOTEMPTY);
}

/* Every process must forget a directory of the upper that moves, and nobody looks what it is. */
int sb_pure_rename(struct sb_fs *fs, const struct sb_pure_name *from, const struct sb_pure_name *to,
		   unsigned flags)
{
	if (from->pure != to->pure || from->pure == SB_PURE_UPPER || !may_change(fs, to))
		return -SB_ELOOK;
	sb_commit_begin(fs);
	return settle(fs, sys_renameat2(from->dirfd, from->name, to->dirfd, to->name, flags),
		      -ENOENT);
}
