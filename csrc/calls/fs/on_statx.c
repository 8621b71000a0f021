/* SPDX-License-Identifier: MIT */
/*
 * on_statx.c - statx(2).
 *
 * How it works
 *   As in on_stat.c, in another layout, with the birth time and the mount where they are known.
 */
#include <errno.h>
#include <linux/stat.h>

#include "base/mem.h"
#include "calls/fs/on_stat.h"
#include "guest/handlers.h"
#include "guest/paths/lookup.h"
#include "guest/paths/near.h"
#include "guest/paths/proc_entry.h"
#include "procfs/proc_mounts.h"
#include "tree/mounts.h"

/* Of newer headers than some build hosts have. */
#define MNT_ID 0x1000U
#define MNT_ID_UNIQUE 0x4000U
#define ATTR_MOUNT_ROOT 0x2000U

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

/* Find the mount of what sb_stat_find() found. */
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

/* Answer for an entry of a pure directory. -SB_ELOOK: look the path up. */
static long stat_pure(struct sb_call *call, int dirfd, uint32_t len, unsigned flags,
		      struct sb_stat *st, struct held *held)
{
	struct sb_near near;
	long err;

	if (!sb_near_enter(call, dirfd, call->path, len, &near))
		return -SB_ELOOK;
	err = sb_pure_statx(call->fs, &near.at, flags, st);
	if (held != NULL)
		hold(call->fs->tree, sb_pure_mount(near.at.pure), 0, held);
	return sb_near_leave(call, &near) ? err : -SB_ELOOK;
}

/* Answer for call->path. */
static long stat_path(struct sb_call *call, int dirfd, unsigned flags, struct sb_stat *st,
		      struct held *held)
{
	struct sb_at *at = &call->work->a;
	long err;

	if (sb_stat_nearby(call, dirfd, flags, st)) {
		if (held != NULL)
			hold(call->fs->tree, SB_NO_MOUNT, 0, held);
		return 0;
	}
	err = sb_stat_find(call, dirfd, flags, at);
	if (err == 0)
		*st = at->st;
	if (err == 0 && held != NULL)
		held_at(call, at, held);
	return err;
}

/* Fill *st, and where held is not NULL, the mount. */
static long stat_at(struct sb_call *call, int dirfd, uint64_t path, unsigned at_flags,
		    struct sb_stat *st, struct held *held)
{
	const unsigned flags = sb_stat_follow(at_flags);
	long err = sb_stat_asks_descriptor(path, at_flags);
	long len;

	if (err < 0)
		return err;
	if (err == 1 && held != NULL)
		held_fd(call, dirfd, held);
	if (err == 1)
		return sb_tree_fstat(call->fs, dirfd, st, NULL);
	len = sb_guest_string(call->path, path, SB_PATH_MAX);
	if (len < 0)
		return len;
	err = stat_pure(call, dirfd, (uint32_t)len, flags, st, held);
	return err != -SB_ELOOK ? err : stat_path(call, dirfd, flags, st, held);
}

long on_statx(struct sb_call *call)
{
	unsigned flags = (unsigned)sb_arg(call, 2);
	unsigned mask = (unsigned)sb_arg(call, 3);
	struct held held = {0};
	struct sb_stat st;
	long err;

	if ((flags & ~(unsigned)SB_STAT_FLAGS) != 0 ||
	    (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE || (mask & STATX__RESERVED) != 0)
		return -EINVAL;
	err = stat_at(call, (int)(uint32_t)sb_arg(call, 0), sb_arg(call, 1), flags, &st,
		      (mask & (MNT_ID | MNT_ID_UNIQUE)) != 0 ? &held : NULL);
	return err < 0 ? err : write_statx(sb_arg(call, 4), &st, &held, mask);
}
