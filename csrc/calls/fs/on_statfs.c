/* SPDX-License-Identifier: MIT */
/*
 * on_statfs.c - statfs and fstatfs.
 *
 * How it works
 *   The merged tree is one file system with the space of the upper; a mount is its own.
 */
#include <errno.h>

#include "base/mem.h"
#include "guest/handlers.h"
#include "guest/paths/lookup.h"
#include "tree/descriptors.h"
#include "tree/mounts.h"
#include "view/view.h"

#define OVERLAY_MAGIC 0x794c7630
#define TMPFS_MAGIC_NUMBER 0x01021994
#define ST_READ_ONLY 1

struct host_statfs { /* asm-generic/statfs.h, all words of 64 bits */
	int64_t type;
	int64_t bsize;
	uint64_t blocks;
	uint64_t bfree;
	uint64_t bavail;
	uint64_t files;
	uint64_t ffree;
	int32_t fsid[2];
	int64_t namelen;
	int64_t frsize;
	int64_t flags;
	int64_t spare[4];
};

/* The tree is one file system with the space of the upper. */
static long statfs_tree(const struct sb_tree *tree, struct host_statfs *out)
{
	const struct sb_control *control = tree->control;
	long err = sb_syscall(__NR_statfs, SB_P(sb_text_at(control, control->upper)), SB_P(out), 0,
			      0, 0, 0);

	out->type = OVERLAY_MAGIC;
	if ((control->flags & SB_CONTROL_READ_ONLY) != 0)
		out->flags |= ST_READ_ONLY;
	return err;
}

static void adjust_mount(const struct sb_mount *mount, struct host_statfs *out)
{
	if (mount->kind == SB_MOUNT_TMPFS)
		out->type = TMPFS_MAGIC_NUMBER;
	if ((mount->flags & SB_MOUNT_READ_ONLY) != 0)
		out->flags |= ST_READ_ONLY;
}

long on_statfs(struct sb_call *call)
{
	const struct sb_tree *tree = call->fs->tree;
	struct sb_at *at = &call->work->a;
	struct host_statfs out;
	long err = sb_guest_lookup(call, AT_FDCWD, sb_arg(call, 0), SB_FOLLOW, at);

	if (err < 0)
		return err;
	if (at->spot.place == SB_PLACE_MOUNT)
		err = sb_syscall(__NR_statfs, SB_P(at->host.buf), SB_P(&out), 0, 0, 0, 0);
	else
		err = statfs_tree(tree, &out);
	if (err < 0)
		return err;
	if (at->spot.place == SB_PLACE_MOUNT)
		adjust_mount(&tree->control->mounts[at->spot.mount], &out);
	return sb_guest_write(sb_arg(call, 1), &out, sizeof(out));
}

long on_fstatfs(struct sb_call *call)
{
	const struct sb_tree *tree = call->fs->tree;
	struct sb_path *path = &call->work->a.guest;
	struct host_statfs out;
	int fd = (int)(uint32_t)sb_arg(call, 0);
	long err;

	if (sb_fds_home(call->fs, fd) == SB_PURE_UPPER) {
		err = statfs_tree(tree, &out);
		return err < 0 ? err : sb_guest_write(sb_arg(call, 1), &out, sizeof(out));
	}
	err = sb_syscall(__NR_fstatfs, fd, SB_P(&out), 0, 0, 0, 0);
	if (err < 0)
		return err;
	if (sb_guest_fd_path(call, fd, path) == 0) {
		uint32_t mount = sb_tree_mount_of(tree, path->buf, path->len);

		if (mount != SB_NO_MOUNT)
			adjust_mount(&tree->control->mounts[mount], &out);
		else
			err = statfs_tree(tree, &out);
	}
	return err < 0 ? err : sb_guest_write(sb_arg(call, 1), &out, sizeof(out));
}
