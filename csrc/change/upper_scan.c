/* SPDX-License-Identifier: MIT */
/*
 * upper_scan.c - set the state bytes of a container from what its upper holds.
 *
 * How it works
 *   Walks the upper without recursion: after the walk below a subdirectory, a directory is read
 *   again from the position where it stopped. The first half of work->buffer keeps the positions.
 *   The walk goes only into directories that still show a lower one: below others no node is
 *   visible.
 * Rules
 *   No process uses the container yet. Uses work->upper and guest.
 */
#include <errno.h>
#include <linux/stat.h>

#include "base/dirent.h"
#include "base/stat.h"
#include "change/internal.h"
#include "tree/index.h"
#include "tree/whiteout.h"

#define MAX_DEPTH 2048

/* Set the state byte for the upper entry host at the guest path. 1: go into it. */
static int note(struct sb_fs *fs, const struct sb_path *host, const struct sb_path *guest)
{
	const struct sb_tree *tree = fs->tree;
	uint32_t node = sb_index_find_path(tree, guest->buf, guest->len);
	struct statx sx;
	bool merged;
	int err;

	err = sb_host_stat(host->buf, &sx);
	if (err < 0)
		return err;
	if (node == SB_NO_NODE) { /* only the upper has it; the state of its directory says so */
		if ((sx.stx_mode & S_IFMT) != S_IFREG)
			tree->control->strays =
				1; /* there may be whiteouts at this place or below */
		return 0;
	}
	merged = (sx.stx_mode & S_IFMT) == S_IFDIR &&
		 (tree->nodes[node].mode & S_IFMT) == S_IFDIR &&
		 !sb_is_opaque(fs, host->buf, host->len);
	if (!merged && (sx.stx_mode & S_IFMT) == S_IFDIR)
		tree->control->strays = 1;
	sb_upper_touch(tree, node, merged ? SB_STATE_MERGED : SB_STATE_ASK);
	return merged;
}

/* Note the entries of the directory host from *pos on. 1: host is now a directory to go into. */
static int scan_entries(struct sb_fs *fs, int dir, int64_t *pos)
{
	struct sb_path *host = &fs->work->upper;
	struct sb_path *guest = &fs->work->guest;
	_Alignas(8) char buf[2048];
	long len = sys_lseek(dir, *pos, SEEK_SET);

	if (len < 0)
		return (int)len;
	while ((len = sys_getdents64(dir, buf, sizeof(buf))) > 0) {
		for (long at = 0; at < len;) {
			const struct sb_dirent *entry = (const void *)(buf + at);
			size_t name_len = strlen(entry->name);
			int err;

			at += entry->reclen;
			*pos = entry->off;
			if (sb_is_dots(entry->name))
				continue;
			sb_upper_touch(fs->tree, 0, SB_STATE_MERGED);
			err = sb_path_join(host, entry->name, name_len);
			if (err == 0)
				err = sb_path_join(guest, entry->name, name_len);
			if (err == 0)
				err = note(fs, host, guest);
			if (err != 0)
				return err;
			sb_path_pop(host);
			sb_path_pop(guest);
		}
	}
	return (int)len;
}

static int scan_tree(struct sb_fs *fs)
{
	struct sb_path *host = &fs->work->upper;
	struct sb_path *guest = &fs->work->guest;
	int64_t *pos = (int64_t *)(void *)fs->work->buffer;
	uint32_t depth = 0;

	pos[0] = 0;
	for (;;) {
		int dir = (int)sys_openat(AT_FDCWD, host->buf,
					  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
		int more;

		if (dir < 0)
			return dir;
		more = scan_entries(fs, dir, &pos[depth]);
		sys_close(dir);
		if (more < 0)
			return more;
		if (more == 1) {
			if (++depth == MAX_DEPTH)
				return -ENAMETOOLONG;
			pos[depth] = 0;
			continue;
		}
		if (depth-- == 0)
			return 0;
		sb_path_pop(host);
		sb_path_pop(guest);
	}
}

/* Was the upper of a live lower ever used? Then it has an entry, or a record. */
static int scan_live(struct sb_fs *fs, const char *upper)
{
	_Alignas(8) char buf[1024];
	int dir = (int)sys_openat(AT_FDCWD, upper, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
				  0);
	long len;

	if (dir < 0)
		return dir;
	while ((len = sys_getdents64(dir, buf, sizeof(buf))) > 0) {
		for (long at = 0; at < len;) {
			const struct sb_dirent *entry = (const void *)(buf + at);

			at += entry->reclen;
			if (!sb_is_dots(entry->name))
				sb_upper_touch(fs->tree, SB_NO_NODE, SB_STATE_MERGED);
		}
	}
	sys_close(dir);
	return (int)len;
}

int sb_upper_scan(struct sb_fs *fs)
{
	const struct sb_control *control = fs->tree->control;
	const char *upper = sb_text_at(control, control->upper);
	struct sb_owner_key key;
	struct sb_owner record;
	struct statx sx;
	int err = sb_host_stat(upper, &sx);

	if (err < 0)
		return err;
	sb_owner_key(fs->tree, &sx, &key);
	if (sb_owner_find(fs->tree, &key, &record))
		sb_upper_touch(fs->tree, 0, SB_STATE_MERGED);
	if (!fs->tree->index)
		return scan_live(fs, upper);
	err = sb_path_set(&fs->work->upper, upper, control->upper.len);
	if (err == 0)
		err = sb_path_set(&fs->work->guest, "/", 1);
	return err < 0 ? err : scan_tree(fs);
}
