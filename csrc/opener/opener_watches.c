/* SPDX-License-Identifier: MIT */
/*
 * opener_watches.c - watches of inotify(7), for a container.
 */
#include "opener/opener_watches.h"

#include <errno.h>

#include "base/mem.h"
#include "opener/grants.h"
#include "tree/host_path.h"

#define MOST 1024 /* mounts, layers and files of the run directory; others are not watched */
#define DEEPEST (SB_PATH_MAX / 2)
#define TRIES 3
#define IN_NO_FOLLOW 0x02000000u /* IN_DONT_FOLLOW */

struct file_id {
	uint64_t inode;
	uint32_t major;
	uint32_t minor;
};

static struct file_id granted[MOST];
static size_t count;

static struct file_id id_of(const struct statx *sx)
{
	return (struct file_id){sx->stx_ino, sx->stx_dev_major, sx->stx_dev_minor};
}

static bool is_same(const struct file_id *a, const struct file_id *b)
{
	return a->inode == b->inode && a->major == b->major && a->minor == b->minor;
}

static bool is_granted(const struct file_id *id)
{
	for (size_t i = 0; i < count; i++) {
		if (is_same(&granted[i], id))
			return true;
	}
	return false;
}

static int note(void *data, const struct sb_grant *grant)
{
	const long fd = sb_grant_open(grant);
	struct statx sx;

	(void)data;
	if (fd < 0)
		return 0;
	if ((grant->access & SB_FS_READ) != 0 && count < MOST &&
	    sys_statx((int)fd, "", AT_EMPTY_PATH, STATX_INO, &sx) == 0)
		granted[count++] = id_of(&sx);
	sys_close((int)fd);
	return 0;
}

void sb_opener_note_grants(const struct sb_tree *tree)
{
	if (sb_grants_visit(tree, SB_FS_READ, note, NULL) < 0)
		count = 0;
}

/* Is a directory below a place that is granted? Closes dir. */
static bool lies_within(int dir)
{
	struct file_id before = {0, 0, 0};
	struct file_id id;
	struct statx sx;
	bool is_within = false;

	for (unsigned i = 0; i < DEEPEST && dir >= 0; i++) {
		long up;

		if (sys_statx(dir, "", AT_EMPTY_PATH, STATX_INO, &sx) < 0)
			break;
		id = id_of(&sx);
		is_within = is_granted(&id);
		if (is_within || is_same(&id, &before)) /* the root is above itself */
			break;
		before = id;
		up = sys_openat(dir, "..", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
		sys_close(dir);
		dir = (int)up;
	}
	if (dir >= 0)
		sys_close(dir);
	return is_within;
}

/* Does the directory that the kernel names for this file lie within, and hold it? */
static bool parent_lies_within(int named, const struct file_id *id)
{
	static char path[SB_PATH_MAX];
	char name[32];
	struct file_id found;
	struct statx sx;
	size_t slash;
	long parent;
	long len;

	sb_fd_name(named, name);
	len = sys_readlinkat(AT_FDCWD, name, path, sizeof(path) - 1);
	if (len <= 0 || path[0] != '/')
		return false;
	path[len] = '\0';
	for (slash = (size_t)len - 1; path[slash] != '/';)
		slash--;
	path[slash] = '\0';
	parent = sys_openat(AT_FDCWD, slash == 0 ? "/" : path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (parent < 0)
		return false;
	if (sys_statx((int)parent, path + slash + 1, AT_SYMLINK_NOFOLLOW, STATX_INO, &sx) < 0) {
		sys_close((int)parent);
		return false;
	}
	found = id_of(&sx);
	return is_same(&found, id) ? lies_within((int)parent) : (sys_close((int)parent), false);
}

static bool may_watch(int named)
{
	struct file_id id;
	struct statx sx;

	if (sys_statx(named, "", AT_EMPTY_PATH, STATX_TYPE | STATX_INO, &sx) < 0)
		return false;
	id = id_of(&sx);
	if (is_granted(&id))
		return true;
	if ((sx.stx_mode & S_IFMT) == S_IFDIR)
		return lies_within((int)sys_openat(named, ".", O_PATH | O_CLOEXEC, 0));
	for (unsigned i = 0; i < TRIES; i++) { /* it may be renamed meanwhile */
		if (parent_lies_within(named, &id))
			return true;
	}
	return false;
}

long sb_opener_add_watch(int inotify, int named, uint32_t mask)
{
	char name[32];

	if (!may_watch(named))
		return -EACCES;
	sb_fd_name(named, name);
	return sb_syscall(__NR_inotify_add_watch, inotify, SB_P(name), mask & ~IN_NO_FOLLOW, 0, 0,
			  0);
}
