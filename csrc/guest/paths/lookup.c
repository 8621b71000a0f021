/* SPDX-License-Identifier: MIT */
/*
 * lookup.c - find what a path argument names, and the guest path of a descriptor.
 */
#include "guest/paths/lookup.h"

#include <errno.h>

#include "guest/paths/cwd.h"
#include "guest/paths/magic_link.h"
#include "tree/descriptors.h"
#include "tree/host_path.h"
#include "tree/index.h"
#include "tree/mounts.h"

/* The path of a layer's directory: does that directory still stand there, changed or not? It may
 * have been removed, and another may have its name. Uses work->host. */
static int check_alive(struct sb_call *call, uint32_t node, const struct sb_path *path)
{
	struct sb_spot spot;
	int err;

	if (sb_spot_is_plain(call->fs->tree, node))
		return 0;
	err = sb_spot_of_dir(call->fs, path->buf, path->len, &call->work->host, &spot);
	if (err < 0)
		return err == -ENOTDIR ? -ENOENT : err;
	return spot.node == node && spot.lower_below ? 0 : -ENOENT;
}

/* Find out whether the directory with this host and guest path is a pure one. Uses work->host,
 * where host may be. */
static uint32_t pure_of(struct sb_call *call, const struct sb_path *host,
			const struct sb_path *guest, uint32_t generation)
{
	const struct sb_control *control = call->fs->tree->control;
	const bool in_upper = sb_path_within(
		host->buf, host->len, sb_text_at(control, control->upper), control->upper.len);
	struct sb_spot spot;
	uint32_t pure;

	if (call->fs->tree->index == NULL &&
	    sb_tree_mount_of(call->fs->tree, guest->buf, guest->len) == SB_NO_MOUNT)
		return 0;
	if (sb_spot_of_dir(call->fs, guest->buf, guest->len, &call->work->host, &spot) < 0)
		return 0;
	pure = sb_spot_pure(call->fs->tree, &spot, guest->buf, guest->len);
	if ((pure == SB_PURE_UPPER) != in_upper ||
	    generation != sb_dircache_generation(call->fs->tree))
		return 0;
	return pure;
}

/* An index node gives the path of a layer's directory, which costs less than asking /proc. */
static int fd_path(struct sb_call *call, int fd, bool is_dir, uint32_t node, struct sb_path *out)
{
	const struct sb_fds_mark mark = sb_fds_mark(call->fs, fd);
	const uint32_t generation = sb_dircache_generation(call->fs->tree);
	struct sb_path *host = &call->work->host;
	int err;

	if (node != SB_NO_NODE) {
		err = sb_index_guest_path(call->fs->tree, node, out);
		return err < 0 ? err : check_alive(call, node, out);
	}
	err = sb_fd_path(fd, host);
	if (err < 0)
		return err == -ENOENT ? -EBADF : err;
	if (host->buf[0] != '/')
		return -ENOENT;
	err = sb_tree_guest_path(call->fs, host->buf, host->len, out);
	if (err == 0 && is_dir && call->fs->fds != NULL && sb_fds_what(call->fs, fd) == 0)
		sb_fds_learn_pure(call->fs, fd, mark, pure_of(call, host, out, generation));
	return err;
}

int sb_guest_fd_path(struct sb_call *call, int fd, struct sb_path *out)
{
	uint32_t node;
	int ret = fd < 0 ? -EBADF : sb_tree_fd_dir(call->fs, fd, &node);

	return ret < 0 ? ret : fd_path(call, fd, ret == 1, node, out);
}

/* Find the node of a directory whose host path is in a layer, or SB_NO_NODE. */
static uint32_t node_of_layer(const struct sb_tree *tree, const struct sb_path *host,
			      const struct sb_path *guest)
{
	const struct sb_control *control = tree->control;

	if (tree->index == NULL ||
	    !sb_path_within(host->buf, host->len, sb_text_at(control, control->store),
			    control->store.len) ||
	    sb_path_within(host->buf, host->len, sb_text_at(control, control->upper),
			   control->upper.len) ||
	    sb_tree_mount_of(tree, guest->buf, guest->len) != SB_NO_MOUNT)
		return SB_NO_NODE;
	return sb_index_find_path(tree, guest->buf, guest->len);
}

static int cwd_path(struct sb_call *call, struct sb_path *out)
{
	const struct sb_tree *tree = call->fs->tree;
	struct sb_path *host = &call->work->host;
	struct sb_cwd_mark mark;
	uint32_t node;
	long len;
	int err;

	if (sb_cwd_find(call, out))
		return 0;
	mark = sb_cwd_mark(call);
	len = sys_getcwd(host->buf, sizeof(host->buf));
	if (len < 0)
		return (int)len;
	host->len = (uint32_t)len - 1;
	if (host->buf[0] != '/')
		return -ENOENT;
	err = sb_tree_guest_path(call->fs, host->buf, host->len, out);
	if (err < 0)
		return err;
	node = node_of_layer(tree, host, out);
	if (node != SB_NO_NODE)
		err = check_alive(call, node, out);
	if (err < 0)
		return err;
	sb_cwd_put(call, &mark, out->buf, out->len);
	if (node == SB_NO_NODE)
		sb_cwd_learn_pure(call, &mark, pure_of(call, host, out, mark.generation));
	return 0;
}

int sb_guest_base(struct sb_call *call, int dirfd, struct sb_path *out)
{
	uint32_t node;
	int ret;

	if (dirfd == AT_FDCWD)
		return cwd_path(call, out);
	if (dirfd < 0)
		return -EBADF;
	ret = sb_tree_fd_dir(call->fs, dirfd, &node);
	if (ret < 0)
		return ret;
	return ret == 0 ? -ENOTDIR : fd_path(call, dirfd, true, node, out);
}

int sb_guest_lookup(struct sb_call *call, int dirfd, uint64_t addr, unsigned flags,
		    struct sb_at *out)
{
	long len = sb_guest_string(call->path, addr, SB_PATH_MAX);

	return len < 0 ? (int)len : sb_guest_find(call, dirfd, call->path, flags, out);
}

int sb_guest_find(struct sb_call *call, int dirfd, const char *path, unsigned flags,
		  struct sb_at *out)
{
	struct sb_path *base = &call->work->base;
	int ret;

	if (path[0] == '\0')
		return -ENOENT;
	base->len = 1;
	memcpy(base->buf, "/", 2);
	if (path[0] != '/') {
		ret = sb_guest_base(call, dirfd, base);
		if (ret < 0)
			return ret;
	}
	ret = sb_tree_lookup(call->fs, base->buf, base->len, path, flags, out);
	if (ret == -SB_EMAGIC)
		ret = sb_magic_link_follow(call, flags, out);
	return ret;
}

const char *sb_guest_whole(struct sb_call *call, int dirfd, const char *path, struct sb_path *room)
{
	if (path[0] == '/' || dirfd != AT_FDCWD || !sb_cwd_find(call, room) ||
	    sb_path_go(room, path, strlen(path)) < 0)
		return path;
	return room->buf;
}
