/* SPDX-License-Identifier: MIT */
/*
 * whiteout.c - the marks of the upper directory: whiteouts and opaque directories.
 *
 * How it works
 *   A whiteout is a symlink with the target control->whiteout. A directory is opaque when it
 *   holds an entry named control->opaque. Both texts hold a random number that only this
 *   container uses.
 * Rules
 *   Signal-safe.
 */
#include "tree/whiteout.h"

#include <errno.h>

#include "base/stat.h"

#define MARK_SIZE 64

bool sb_is_whiteout(const struct sb_tree *tree, int dirfd, const char *name)
{
	const char *mark = tree->control->whiteout;
	char target[MARK_SIZE];
	long len = sys_readlinkat(dirfd, name, target, sizeof(target));

	return len > 0 && sb_same(target, (size_t)len, mark, strlen(mark));
}

bool sb_is_opaque(const struct sb_fs *fs, const char *host_dir, uint32_t len)
{
	const struct sb_tree *tree = fs->tree;
	const char *opaque = tree->control->opaque;
	size_t mark_len = strlen(opaque);
	char path[3072];

	if (len + mark_len + 2 > sizeof(path)) {
		bool is;
		int dir;

		sb_commit_begin(fs);
		dir = (int)sys_openat(AT_FDCWD, host_dir,
				      O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
		if (dir < 0)
			return false;
		is = sb_is_whiteout(tree, dir, opaque);
		sys_close(dir);
		return is;
	}
	memcpy(path, host_dir, len);
	path[len] = '/';
	memcpy(path + len + 1, opaque, mark_len + 1);
	return sb_is_whiteout(tree, AT_FDCWD, path);
}

/* Is the name equal to mark, which ends with a NUL? For most names the first byte says no. */
static bool is_named(const char *name, size_t len, const char *mark)
{
	for (size_t i = 0; i < len; i++) {
		if (mark[i] == '\0' || mark[i] != name[i])
			return false;
	}
	return mark[len] == '\0';
}

bool sb_is_mark(const struct sb_tree *tree, const char *name, size_t len)
{
	const struct sb_control *control = tree->control;

	return is_named(name, len, control->opaque) || is_named(name, len, control->whiteout);
}

int sb_make_whiteout(const struct sb_tree *tree, const char *host)
{
	return (int)sys_symlinkat(tree->control->whiteout, AT_FDCWD, host);
}

int sb_make_opaque(const struct sb_fs *fs, const struct sb_path *host)
{
	const char *opaque = fs->tree->control->opaque;
	struct sb_path *mark = &fs->work->host;
	struct statx sx;
	int err = sb_host_stat(host->buf, &sx);

	if (err == 0)
		err = sb_path_set(mark, host->buf, host->len);
	if (err == 0)
		err = sb_path_join(mark, opaque, strlen(opaque));
	if (err == 0)
		err = sb_make_whiteout(fs->tree, mark->buf);
	if (err < 0)
		return err == -EEXIST ? 0 : err;
	sb_host_restore_times(host->buf, &sx);
	return 0;
}
