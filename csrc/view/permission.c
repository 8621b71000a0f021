/* SPDX-License-Identifier: MIT */
/*
 * permission.c - may the guest do this to an entry?
 *
 * How it works
 *   The guest's ids are compared with the owner and the mode that the guest sees. For files of
 *   the machine (a live lower, a mount) the host may refuse, too.
 * Rules
 *   Signal-safe.
 */
#include <errno.h>

#include "tree/descriptors.h"
#include "tree/file_acl.h"
#include "tree/host_path.h"
#include "tree/loosen.h"
#include "tree/mounts.h"
#include "tree/tasks.h"
#include "tree/whiteout.h"
#include "view/view.h"

int sb_tree_may_write(const struct sb_fs *fs, const struct sb_spot *spot)
{
	const struct sb_control *control = fs->tree->control;

	if (spot->mount != SB_NO_MOUNT)
		return (control->mounts[spot->mount].flags & SB_MOUNT_READ_ONLY) != 0 ? -EROFS : 0;
	if (fs->makes_places != 0)
		return 0;
	return (control->flags & SB_CONTROL_READ_ONLY) != 0 ? -EROFS : 0;
}

bool sb_pure_may_write(const struct sb_fs *fs, uint32_t pure)
{
	const struct sb_spot spot = {
		.mount = sb_pure_mount(pure),
	};

	return sb_tree_may_write(fs, &spot) == 0;
}

int sb_tree_may_write_fd(const struct sb_fs *fs, int fd)
{
	const struct sb_control *control = fs->tree->control;
	struct sb_path *host = &fs->work->host;
	struct sb_path *guest = &fs->work->guest;
	uint32_t mount;

	if (sb_fds_home(fs, fd) != 0)
		return sb_pure_may_write(fs, sb_fds_home(fs, fd)) ? 0 : -EROFS;
	if (sb_upper_owns_fd(fs, fd))
		return (control->flags & SB_CONTROL_READ_ONLY) != 0 ? -EROFS : 0;
	if (sb_fd_path(fd, host) < 0 || host->buf[0] != '/' ||
	    sb_tree_guest_path(fs, host->buf, host->len, guest) < 0)
		return 0; /* a pipe, a socket, a file without a name */
	mount = sb_tree_mount_of(fs->tree, guest->buf, guest->len);
	if (mount == SB_NO_MOUNT)
		return 0;
	return (control->mounts[mount].flags & SB_MOUNT_READ_ONLY) != 0 ? -EROFS : 0;
}

int sb_host_permit(int dirfd, const char *host, unsigned want)
{
	int err = (int)sys_faccessat2(dirfd, host, (int)want, AT_EACCESS | AT_SYMLINK_NOFOLLOW);

	/* Old kernels and filters have no faccessat2. Our real and effective ids are equal. */
	if (err == -ENOSYS || err == -EPERM)
		err = (int)sys_faccessat(dirfd, host, (int)want);
	return err;
}

/* What the host's kernel allows with a file that is not only ours. */
static int permit_host(struct sb_fs *fs, const struct sb_at *at, unsigned want)
{
	struct sb_path *other = &fs->work->host;
	struct statx sx;
	int err;

	if (at->spot.place == SB_PLACE_LIVE && (want & 2) != 0)
		want = (want & ~2U) | 4; /* a write copies it up: that reads it */
	if (at->spot.place != SB_PLACE_LIVE && at->spot.place != SB_PLACE_MOUNT)
		return 0;
	if (want == 0 || at->spot.type == S_IFLNK)
		return 0;
	err = sb_host_permit(AT_FDCWD, at->host.buf, want);
	if (err == -EACCES && at->spot.place == SB_PLACE_MOUNT &&
	    sb_may_loosen(fs, at->spot.mount, at->host.buf))
		return 0;
	if (err == -EACCES && at->spot.place == SB_PLACE_LIVE &&
	    sb_find_stand_in(fs->tree, at->host.buf, other, &sx))
		return 0;
	return err;
}

int sb_tree_permit_ids(struct sb_fs *fs, struct sb_at *at, unsigned want)
{
	uint32_t type = at->spot.type;
	int err = 0;

	if ((want & 2) != 0 && (type == S_IFREG || type == S_IFDIR || type == S_IFLNK) &&
	    sb_tree_may_write(fs, &at->spot) < 0)
		return -EROFS;
	if (sb_tree_is_proc(fs->tree, &at->spot) &&
	    !sb_tasks_guards(fs->tree, &at->spot, &at->host))
		return 0;
	if ((want & 1) == 0 && fs->real_ids == 0 && sb_ids_has_cap(fs->ids, SB_CAP_DAC_OVERRIDE))
		return 0;
	if (!at->has_stat)
		err = sb_tree_stat(fs, at);
	if (err < 0)
		return err;
	return sb_file_acl_permit(fs, &at->st, want);
}

int sb_tree_permit(struct sb_fs *fs, struct sb_at *at, unsigned want)
{
	int err = sb_tree_permit_ids(fs, at, want);

	return err < 0 ? err : permit_host(fs, at, want);
}

int sb_tree_may_delete(struct sb_fs *fs, struct sb_at *at)
{
	struct sb_stat dir;
	int err = sb_tree_stat_parent(fs, at, &dir);

	if (err == 0)
		err = sb_file_acl_permit(fs, &dir, 3);
	if (err < 0 || (dir.mode & S_ISVTX) == 0)
		return err;
	if (!at->has_stat)
		err = sb_tree_stat(fs, at);
	return err < 0 ? err : sb_ids_may_delete(fs->ids, dir.mode, dir.uid, at->st.uid);
}

int sb_tree_may_make(struct sb_fs *fs, const struct sb_at *at, bool is_dir, struct sb_stat *dir)
{
	const char *name = at->guest.buf + at->name;
	int err;

	if (at->spot.place != SB_PLACE_ABSENT || at->dots)
		return -EEXIST;
	if (at->slash && !is_dir)
		return -ENOENT;
	err = sb_tree_may_write(fs, &at->dir);
	if (err == 0)
		err = sb_tree_stat_parent(fs, at, dir);
	if (err == 0)
		err = sb_file_acl_permit(fs, dir, 3);
	if (err == 0 && at->dir.mount == SB_NO_MOUNT &&
	    sb_is_mark(fs->tree, name, at->guest.len - at->name))
		err = -EPERM;
	return err;
}
