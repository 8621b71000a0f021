/* SPDX-License-Identifier: MIT */
/*
 * pure.c - names in pure directories, which the kernel alone finds.
 *
 * How it works
 *   A name in a pure directory (tree.h) is the same name for the kernel. So one call of the kernel
 *   takes the place of a look-up: its ENOENT is the answer, too. A whiteout may lie in such a
 *   directory where it hides nothing. It is a symlink, and leaves the name to the look-up, like a
 *   symlink that must be followed.
 * Rules
 *   Signal-safe. The caller has found out that the directory is pure.
 */
#include <errno.h>

#include "tree/mounts.h"
#include "tree/whiteout.h"
#include "view/internal.h"

uint32_t sb_spot_pure(const struct sb_tree *tree, const struct sb_spot *spot, const char *guest,
		      uint32_t len)
{
	if (spot->type != S_IFDIR)
		return 0;
	if (spot->place == SB_PLACE_MOUNT)
		return sb_mount_is_pure(tree, spot->mount) ? SB_PURE_MOUNT + spot->mount : 0;
	/* a live lower may get a directory of that name */
	if (spot->place != SB_PLACE_UPPER || spot->lower_below || tree->index == NULL ||
	    sb_tree_has_mounts(tree, guest, len))
		return 0;
	return SB_PURE_UPPER;
}

/* May this be a whiteout? */
static bool may_be_whiteout(const struct sb_tree *tree, uint32_t pure, uint32_t mode, uint64_t size)
{
	return pure == SB_PURE_UPPER && (mode & S_IFMT) == S_IFLNK &&
	       size == strlen(tree->control->whiteout);
}

/* Must the look-up answer for an entry with this mode and size? */
static bool needs_look(const struct sb_tree *tree, uint32_t pure, unsigned flags, uint32_t mode,
		       uint64_t size)
{
	return ((mode & S_IFMT) == S_IFLNK && (flags & SB_FOLLOW) != 0) ||
	       may_be_whiteout(tree, pure, mode, size);
}

int sb_pure_stat(const struct sb_fs *fs, const struct sb_pure_name *at, unsigned flags,
		 struct stat *out)
{
	const long err = sb_syscall(__NR_newfstatat, at->dirfd, SB_P(at->name), SB_P(out),
				    AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 0, 0);

	if (err < 0)
		return err == -ENOENT ? -ENOENT : -SB_ELOOK;
	if (needs_look(fs->tree, at->pure, flags, out->st_mode, (uint64_t)out->st_size))
		return -SB_ELOOK;
	return sb_stat_show(fs, sb_pure_mount(at->pure), out) ? 0 : -SB_ERECORD;
}

int sb_pure_look(const struct sb_fs *fs, const struct sb_pure_name *at, unsigned flags,
		 struct statx *out)
{
	const long err = sys_statx(at->dirfd, at->name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
				   SB_STATX_MASK, out);

	if (err < 0)
		return err == -ENOENT ? -ENOENT : -SB_ELOOK;
	return needs_look(fs->tree, at->pure, flags, out->stx_mode, out->stx_size) ? -SB_ELOOK : 0;
}

int sb_pure_statx(const struct sb_fs *fs, const struct sb_pure_name *at, unsigned flags,
		  struct sb_stat *out)
{
	struct statx sx;
	const int err = sb_pure_look(fs, at, flags, &sx);

	if (err == 0)
		sb_tree_virtual_stat(fs, &sx, sb_pure_mount(at->pure), out);
	return err;
}

long sb_pure_readlink(const struct sb_fs *fs, const struct sb_pure_name *at, char buf[SB_PATH_MAX],
		      size_t len)
{
	const char *mark = fs->tree->control->whiteout;
	long count = sys_readlinkat(at->dirfd, at->name, buf, SB_PATH_MAX);

	if (count < 0)
		return count == -ENOENT || count == -EINVAL ? count : -SB_ELOOK;
	if (at->pure == SB_PURE_UPPER && sb_same(buf, (size_t)count, mark, strlen(mark)))
		return -ENOENT;
	return SB_MIN(count, (long)len);
}
