/* SPDX-License-Identifier: MIT */
/*
 * on_stat.c - stat, access, readlink and statfs.
 *
 * How it works
 *   Look the path up, get what the guest shall see from view.h, and write it in the layout of the
 *   call. fstat, also in its newfstatat spelling, goes by the descriptor's inode and needs no path.
 * Does not know
 *   Where an entry comes from; only statfs tells the tree from mounts.
 */
#include <errno.h>
#include <linux/stat.h>

#include "base/mem.h"
#include "guest/handlers.h"
#include "guest/paths/call_file.h"
#include "guest/paths/lookup.h"
#include "guest/paths/magic_link.h"
#include "guest/paths/proc_entry.h"
#include "guest/trace.h"
#include "procfs/proc_mounts.h"
#include "tree/file_acl.h"
#include "tree/mounts.h"
#include "view/view.h"

#define STAT_FLAGS (AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE)
#define ACCESS_FLAGS (AT_SYMLINK_NOFOLLOW | AT_EACCESS | AT_EMPTY_PATH)
#define OVERLAY_MAGIC 0x794c7630
#define TMPFS_MAGIC_NUMBER 0x01021994
#define ST_READ_ONLY 1
/* Of newer headers than some build hosts have. */
#define MNT_ID 0x1000U
#define MNT_ID_UNIQUE 0x4000U
#define ATTR_MOUNT_ROOT 0x2000U

static int fd_of(uint64_t arg)
{
	return (int)(uint32_t)arg;
}

/* ---- stat ---------------------------------------------------------------- */

static long write_stat(uint64_t addr, const struct sb_stat *st)
{
	struct stat out;

	memset(&out, 0, sizeof(out));
	out.st_dev = st->dev;
	out.st_ino = st->ino;
	out.st_nlink = st->nlink;
	out.st_mode = st->mode;
	out.st_uid = st->uid;
	out.st_gid = st->gid;
	out.st_rdev = st->rdev;
	out.st_size = (int64_t)st->size;
	out.st_blksize = st->blksize;
	out.st_blocks = (int64_t)st->blocks;
	out.st_atim.tv_sec = st->atime.sec;
	out.st_atim.tv_nsec = st->atime.nsec;
	out.st_mtim.tv_sec = st->mtime.sec;
	out.st_mtim.tv_nsec = st->mtime.nsec;
	out.st_ctim.tv_sec = st->ctime.sec;
	out.st_ctim.tv_nsec = st->ctime.nsec;
	return sb_guest_write(addr, &out, sizeof(out));
}

static struct statx_timestamp statx_time(struct sb_timespec t)
{
	return (struct statx_timestamp){.tv_sec = t.sec, .tv_nsec = (uint32_t)t.nsec};
}

static uint32_t major_of(uint64_t dev)
{
	return (uint32_t)((dev >> 8 & 0xfff) | (dev >> 32 & ~0xfffULL));
}

static uint32_t minor_of(uint64_t dev)
{
	return (uint32_t)((dev & 0xff) | (dev >> 12 & ~0xffULL));
}

/* The mount that holds a file, as /proc/self/mountinfo numbers it. */
struct held {
	uint32_t id; /* 0: not known */
	bool is_root; /* the file is the mount's root */
};

static void hold(const struct sb_tree *tree, uint32_t mount, uint32_t len, struct held *out)
{
	out->id = sb_proc_mount_id(mount == SB_NO_MOUNT ? -1 : (int)mount);
	out->is_root =
		mount == SB_NO_MOUNT ? len == 1 : tree->control->mounts[mount].guest.len == len;
}

static void put_mount(struct statx *out, const struct held *held, unsigned asked)
{
	if (held->id == 0)
		return;
	out->stx_mask |= (asked & MNT_ID_UNIQUE) != 0 ? MNT_ID_UNIQUE : MNT_ID;
	out->stx_mnt_id = held->id + ((asked & MNT_ID_UNIQUE) != 0 ? 1ULL << 31 : 0);
	out->stx_attributes_mask |= ATTR_MOUNT_ROOT;
	out->stx_attributes |= held->is_root ? ATTR_MOUNT_ROOT : 0;
}

/* The mask has only what is known: an image file has no birth time. */
static long write_statx(uint64_t addr, const struct sb_stat *st, const struct held *held,
			unsigned asked)
{
	struct statx out;

	memset(&out, 0, sizeof(out));
	out.stx_mask = STATX_BASIC_STATS | (st->has_btime ? STATX_BTIME : 0U);
	out.stx_blksize = st->blksize;
	out.stx_nlink = st->nlink;
	out.stx_uid = st->uid;
	out.stx_gid = st->gid;
	out.stx_mode = (uint16_t)st->mode;
	out.stx_ino = st->ino;
	out.stx_size = st->size;
	out.stx_blocks = st->blocks;
	out.stx_atime = statx_time(st->atime);
	out.stx_mtime = statx_time(st->mtime);
	out.stx_ctime = statx_time(st->ctime);
	if (st->has_btime)
		out.stx_btime = statx_time(st->btime);
	out.stx_rdev_major = major_of(st->rdev);
	out.stx_rdev_minor = minor_of(st->rdev);
	out.stx_dev_major = major_of(st->dev);
	out.stx_dev_minor = minor_of(st->dev);
	put_mount(&out, held, asked);
	return sb_guest_write(addr, &out, sizeof(out));
}

/* Look up call->path and fill at->st. */
static long find_stat(struct sb_call *call, int dirfd, unsigned flags, struct sb_at *at)
{
	long err = sb_guest_find(call, dirfd, call->path, flags | SB_WANT_STAT, at);

	if (err == 0 && !at->has_stat)
		err = sb_tree_stat(call->fs, at);
	return err;
}

/* Is the descriptor itself asked for? 1, 0 or -errno. */
static int asks_descriptor(uint64_t path, unsigned at_flags)
{
	if ((at_flags & AT_EMPTY_PATH) == 0)
		return 0;
	return path == 0 ? 1 : sb_call_file_is_empty(path);
}

/* Answer for an entry of an open directory of the image without making its path. */
static bool stat_nearby(struct sb_call *call, int dirfd, unsigned flags, struct sb_stat *st)
{
	struct sb_spot spot = {.place = SB_PLACE_LOWER, .mount = SB_NO_MOUNT};
	const struct sb_tree *tree = call->fs->tree;

	if (dirfd < 0 || sb_trace_is_on(call))
		return false;
	spot.node = sb_tree_child_of_fd(call->fs, dirfd, call->path);
	if (spot.node == SB_NO_NODE ||
	    ((flags & SB_FOLLOW) != 0 && (tree->nodes[spot.node].mode & S_IFMT) == S_IFLNK))
		return false;
	return sb_spot_stat(call->fs, &spot, NULL, NULL, st) == 0;
}

/* Find the mount of what find_stat() found. */
static void held_at(const struct sb_call *call, const struct sb_at *at, struct held *out)
{
	if (!sb_proc_is_object(call->fs, at))
		hold(call->fs->tree,
		     at->spot.place == SB_PLACE_LINK ? at->dir.mount : at->spot.mount,
		     at->guest.len, out);
}

/* Find the mount of a descriptor's file. */
static void held_fd(struct sb_call *call, int fd, struct held *out)
{
	struct sb_path *path = &call->work->a.guest;

	if (sb_guest_fd_path(call, fd, path) == 0)
		hold(call->fs->tree, sb_tree_mount_of(call->fs->tree, path->buf, path->len),
		     path->len, out);
}

/* Answer every call of the stat family, in *st, and where held is not NULL, the mount. */
static long stat_at(struct sb_call *call, int dirfd, uint64_t path, unsigned at_flags,
		    struct sb_stat *st, struct held *held)
{
	const unsigned flags = (at_flags & AT_SYMLINK_NOFOLLOW) != 0 ? 0 : SB_FOLLOW;
	struct sb_at *at = &call->work->a;
	long err = asks_descriptor(path, at_flags);

	if (err < 0)
		return err;
	if (err == 1 && held != NULL)
		held_fd(call, dirfd, held);
	if (err == 1)
		return sb_tree_fstat(call->fs, dirfd, st, NULL);
	err = sb_guest_string(call->path, path, SB_PATH_MAX);
	if (err < 0)
		return err;
	if (stat_nearby(call, dirfd, flags, st)) {
		if (held != NULL)
			hold(call->fs->tree, SB_NO_MOUNT, 0, held);
		return 0;
	}
	err = find_stat(call, dirfd, flags, at);
	if (err == 0)
		*st = at->st;
	if (err == 0 && held != NULL)
		held_at(call, at, held);
	return err;
}

static long do_fstat(struct sb_call *call, int fd, uint64_t out)
{
	struct sb_stat st;
	struct stat plain;
	long err = sb_tree_fstat_plain(call->fs, fd, &plain);

	if (err == 1)
		return sb_guest_write(out, &plain, sizeof(plain));
	if (err == 0)
		err = sb_tree_fstat(call->fs, fd, &st, NULL);
	return err < 0 ? err : write_stat(out, &st);
}

static long do_stat(struct sb_call *call, int dirfd, uint64_t path, unsigned flags, uint64_t out)
{
	struct sb_stat st;
	long err = asks_descriptor(path, flags);

	if (err == 1 && dirfd >= 0)
		return do_fstat(call, dirfd, out);
	if (err == 0 || err == 1)
		err = stat_at(call, dirfd, path, flags, &st, NULL);
	return err < 0 ? err : write_stat(out, &st);
}

long on_stat(struct sb_call *call)
{
	return do_stat(call, AT_FDCWD, sb_arg(call, 0), 0, sb_arg(call, 1));
}

long on_lstat(struct sb_call *call)
{
	return do_stat(call, AT_FDCWD, sb_arg(call, 0), AT_SYMLINK_NOFOLLOW, sb_arg(call, 1));
}

long on_fstat(struct sb_call *call)
{
	int fd = fd_of(sb_arg(call, 0));

	return fd < 0 ? -EBADF : do_fstat(call, fd, sb_arg(call, 1));
}

long on_newfstatat(struct sb_call *call)
{
	unsigned flags = (unsigned)sb_arg(call, 3);

	if ((flags & ~(unsigned)STAT_FLAGS) != 0)
		return -EINVAL;
	return do_stat(call, fd_of(sb_arg(call, 0)), sb_arg(call, 1), flags, sb_arg(call, 2));
}

long on_statx(struct sb_call *call)
{
	unsigned flags = (unsigned)sb_arg(call, 2);
	unsigned mask = (unsigned)sb_arg(call, 3);
	struct held held = {0};
	struct sb_stat st;
	long err;

	if ((flags & ~(unsigned)STAT_FLAGS) != 0 ||
	    (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE || (mask & STATX__RESERVED) != 0)
		return -EINVAL;
	err = stat_at(call, fd_of(sb_arg(call, 0)), sb_arg(call, 1), flags, &st,
		      (mask & (MNT_ID | MNT_ID_UNIQUE)) != 0 ? &held : NULL);
	return err < 0 ? err : write_statx(sb_arg(call, 4), &st, &held, mask);
}

/* ---- access -------------------------------------------------------------- */

/* Check access(2) for a descriptor's file. */
static long access_fd(struct sb_call *call, int fd, unsigned want)
{
	struct sb_stat st;
	long err = sb_tree_fstat(call->fs, fd, &st, NULL);

	if (err < 0)
		return err;
	return sb_file_acl_permit(call->fs, &st, want);
}

static long do_access(struct sb_call *call, int dirfd, uint64_t path, unsigned want, unsigned flags)
{
	struct sb_at *at = &call->work->a;
	long err;

	if ((want & ~7U) != 0 || (flags & ~(unsigned)ACCESS_FLAGS) != 0)
		return -EINVAL;
	call->fs->real_ids = (flags & AT_EACCESS) == 0;
	err = asks_descriptor(path, flags);
	if (err < 0)
		return err;
	if (err == 1)
		return access_fd(call, dirfd, want);
	err = sb_guest_lookup(call, dirfd, path, (flags & AT_SYMLINK_NOFOLLOW) != 0 ? 0 : SB_FOLLOW,
			      at);
	if (err < 0 || want == 0)
		return err;
	return sb_tree_permit(call->fs, at, want);
}

long on_access(struct sb_call *call)
{
	return do_access(call, AT_FDCWD, sb_arg(call, 0), (unsigned)sb_arg(call, 1), 0);
}

long on_faccessat(struct sb_call *call)
{
	return do_access(call, fd_of(sb_arg(call, 0)), sb_arg(call, 1), (unsigned)sb_arg(call, 2),
			 0);
}

long on_faccessat2(struct sb_call *call)
{
	return do_access(call, fd_of(sb_arg(call, 0)), sb_arg(call, 1), (unsigned)sb_arg(call, 2),
			 (unsigned)sb_arg(call, 3));
}

/* ---- readlink ------------------------------------------------------------- */

/* Read the symlink of a descriptor (O_PATH | O_NOFOLLOW); its text is the guest's. */
static long readlink_fd(struct sb_call *call, int fd, size_t len)
{
	long count = fd < 0 ? -EBADF : sys_readlinkat(fd, "", call->path2, len);

	return count == -EINVAL ? -ENOENT : count;
}

static long readlink_path(struct sb_call *call, int dirfd, uint64_t path, size_t len)
{
	struct sb_at *at = &call->work->a;
	long ret = sb_guest_lookup(call, dirfd, path, 0, at);

	if (ret < 0)
		return ret;
	if (at->spot.type != S_IFLNK)
		return -EINVAL;
	ret = sb_magic_link_read(call, at, call->path2, len);
	if (ret == -SB_EMAGIC)
		ret = sb_tree_readlink(call->fs, at, call->path2, len);
	return ret;
}

static long do_readlink(struct sb_call *call, int dirfd, uint64_t path, uint64_t out, int size)
{
	char first;
	size_t len;
	long ret;

	if (size <= 0)
		return -EINVAL;
	len = SB_MIN((size_t)size, (size_t)SB_PATH_MAX);
	ret = sb_guest_read(&first, path, 1);
	if (ret < 0)
		return ret;
	if (first == '\0' && dirfd != AT_FDCWD)
		ret = readlink_fd(call, dirfd, len);
	else
		ret = readlink_path(call, dirfd, path, len);
	if (ret > 0) {
		int err = sb_guest_write(out, call->path2, (size_t)ret);

		if (err < 0)
			return err;
	}
	return ret;
}

long on_readlink(struct sb_call *call)
{
	return do_readlink(call, AT_FDCWD, sb_arg(call, 0), sb_arg(call, 1), (int)sb_arg(call, 2));
}

long on_readlinkat(struct sb_call *call)
{
	return do_readlink(call, fd_of(sb_arg(call, 0)), sb_arg(call, 1), sb_arg(call, 2),
			   (int)sb_arg(call, 3));
}

/* ---- statfs ---------------------------------------------------------------- */

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
	int fd = fd_of(sb_arg(call, 0));
	long err = sb_syscall(__NR_fstatfs, fd, SB_P(&out), 0, 0, 0, 0);

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
