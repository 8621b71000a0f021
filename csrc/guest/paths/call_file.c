/* SPDX-License-Identifier: MIT */
/*
 * call_file.c - the file that a call is about, named by a path, a descriptor or both.
 *
 * How it works
 *   The index finds layer files by inode, so a descriptor of one leads to its path. With a live
 *   lower the descriptor's own path is asked. Files of the upper and of mounts, and objects without
 *   a name, are changed by descriptor.
 */
#include "guest/paths/call_file.h"

#include <errno.h>

#include "base/stat.h"
#include "guest/paths/lookup.h"
#include "guest/paths/proc_entry.h"
#include "tree/descriptors.h"
#include "tree/host_path.h"
#include "tree/index.h"
#include "tree/owner.h"

int sb_call_file_is_empty(uint64_t addr)
{
	char first;
	int err = sb_guest_read(&first, addr, 1);

	return err < 0 ? err : first == '\0';
}

/* Look up a canonical path of the container, whatever the root directory is. */
static int find_again(struct sb_call *call, struct sb_path *path, struct sb_at *at)
{
	char name[256];
	uint32_t at_name = sb_path_name(path);
	uint32_t len = path->len - at_name;

	if (path->len == 1)
		return sb_tree_lookup(call->fs, "/", 1, ".", SB_WANT_STAT | SB_SEARCHED, at);
	if (len >= sizeof(name))
		return -ENAMETOOLONG;
	memcpy(name, path->buf + at_name, len);
	name[len] = '\0';
	sb_path_pop(path);
	return sb_tree_lookup(call->fs, path->buf, path->len, name, SB_WANT_STAT | SB_SEARCHED, at);
}

/* Is at still the file with this inode number, or the copy of that file? */
static bool is_same(struct sb_call *call, const struct sb_at *at, uint64_t ino)
{
	struct statx sx;

	if (at->st.ino == ino)
		return true;
	if (at->spot.place != SB_PLACE_UPPER ||
	    sys_statx(AT_FDCWD, at->host.buf, AT_SYMLINK_NOFOLLOW, SB_STATX_MASK, &sx) < 0)
		return false;
	return sb_owner_is_copy(call->fs->tree, &sx, ino);
}

/* A file of the live lower must be reached by its path; other files are used by descriptor. */
static int of_live_fd(struct sb_call *call, int fd, const struct sb_stat *st, struct sb_at *at)
{
	struct sb_path *path = &call->work->base;
	uint32_t type = st->mode & S_IFMT;
	int err;

	if (sb_upper_owns_fd(call->fs, fd) || (type != S_IFREG && type != S_IFDIR))
		return SB_FILE_BY_FD;
	err = sb_guest_fd_path(call, fd, path);
	if (err == 0)
		err = find_again(call, path, at);
	if (err < 0)
		return st->nlink == 0 ? SB_FILE_BY_FD : -EROFS;
	if (at->spot.place == SB_PLACE_MOUNT)
		return SB_FILE_BY_FD;
	return is_same(call, at, st->ino) ? SB_FILE_BY_PATH : -EROFS;
}

int sb_call_file_of_fd(struct sb_call *call, int fd, struct sb_at *at)
{
	const struct sb_tree *tree = call->fs->tree;
	struct sb_path *path = &call->work->base;
	struct sb_stat st;
	uint32_t node;
	int err;

	if (sb_fds_home(call->fs, fd) != 0)
		return SB_FILE_BY_FD;
	err = fd < 0 ? -EBADF : sb_tree_fstat(call->fs, fd, &st, &node);
	if (err < 0)
		return err;
	if (!tree->index)
		return of_live_fd(call, fd, &st, at);
	if (node == SB_NO_NODE)
		return SB_FILE_BY_FD;
	err = sb_index_guest_path(tree, node, path);
	if (err == 0)
		err = find_again(call, path, at);
	if (err < 0 || !is_same(call, at, st.ino))
		return -EROFS;
	return SB_FILE_BY_PATH;
}

int sb_call_file_of_open_fd(struct sb_call *call, int fd, struct sb_at *at)
{
	long flags;

	if (sb_fds_is_in(call->fs, fd))
		return SB_FILE_BY_FD;
	flags = sb_syscall(__NR_fcntl, fd, F_GETFL, 0, 0, 0, 0);
	if (flags < 0)
		return (int)flags;
	return (flags & O_PATH) != 0 ? -EBADF : sb_call_file_of_fd(call, fd, at);
}

/* The descriptor only names the file (O_PATH is allowed): prefer its path. */
static int of_name_fd(struct sb_call *call, int dirfd, struct sb_at *at, int *fd)
{
	struct sb_path *path = &call->work->base;
	int found;
	int err;

	*fd = dirfd;
	if (dirfd != AT_FDCWD) {
		found = sb_call_file_of_fd(call, dirfd, at);
		if (found != SB_FILE_BY_FD)
			return found;
		err = sb_guest_fd_path(call, dirfd, path);
		if (err == 0)
			err = find_again(call, path, at);
		return err == 0 ? SB_FILE_BY_PATH : SB_FILE_BY_FD;
	}
	err = sb_guest_base(call, AT_FDCWD, path);
	return err < 0 ? err : find_again(call, path, at);
}

int sb_call_file_find(struct sb_call *call, int dirfd, uint64_t addr, int flags, struct sb_at *at,
		      int *fd)
{
	int err = (flags & AT_EMPTY_PATH) != 0 ? sb_call_file_is_empty(addr) : 0;

	if (err < 0)
		return err;
	if (err == 1)
		return of_name_fd(call, dirfd, at, fd);
	err = sb_guest_lookup(call, dirfd, addr, (flags & AT_SYMLINK_NOFOLLOW) != 0 ? 0 : SB_FOLLOW,
			      at);
	if (err < 0 || !sb_proc_is_object(call->fs, at))
		return err;
	*fd = sb_proc_object_fd(call, at);
	return *fd < 0 ? -EPERM : SB_FILE_BY_FD;
}
