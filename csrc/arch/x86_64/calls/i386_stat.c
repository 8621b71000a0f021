/* SPDX-License-Identifier: MIT */
/*
 * i386_stat.c - stat, statfs and directories in the layouts of 32-bit programs.
 *
 * A 64-bit handler fills a structure of the runtime, which is then written in the layout of the
 * call. A value that does not fit is EOVERFLOW, as in the kernel.
 */
#include <errno.h>
#include <sys/stat.h>

#include "guest/handlers.h"
#include "i386_call.h"

#define OVERFLOW_ID 65534
#define MAX_SMALL_FILE 0x7fffffffLL /* of programs without large files */

struct stat32 {
	uint32_t dev;
	uint32_t ino;
	uint16_t mode;
	uint16_t nlink;
	uint16_t uid;
	uint16_t gid;
	uint32_t rdev;
	uint32_t size;
	uint32_t blksize;
	uint32_t blocks;
	uint32_t atime, atime_nsec;
	uint32_t mtime, mtime_nsec;
	uint32_t ctime, ctime_nsec;
	uint32_t unused[2];
};

struct stat64_32 {
	uint64_t dev;
	uint32_t pad;
	uint32_t short_ino;
	uint32_t mode;
	uint32_t nlink;
	uint32_t uid;
	uint32_t gid;
	uint64_t rdev;
	uint32_t pad3;
	uint64_t size;
	uint32_t blksize;
	uint64_t blocks;
	uint32_t atime, atime_nsec;
	uint32_t mtime, mtime_nsec;
	uint32_t ctime, ctime_nsec;
	uint64_t ino;
} __attribute__((packed));

static uint16_t to16(uint32_t id)
{
	return id > 0xffff ? OVERFLOW_ID : (uint16_t)id;
}

static long write_old(uint64_t at, const struct stat *st)
{
	const struct stat32 out = {
		.dev = (uint32_t)st->st_dev,
		.ino = (uint32_t)st->st_ino,
		.mode = (uint16_t)st->st_mode,
		.nlink = (uint16_t)st->st_nlink,
		.uid = to16(st->st_uid),
		.gid = to16(st->st_gid),
		.rdev = (uint32_t)st->st_rdev,
		.size = (uint32_t)st->st_size,
		.blksize = (uint32_t)st->st_blksize,
		.blocks = (uint32_t)st->st_blocks,
		.atime = (uint32_t)st->st_atim.tv_sec,
		.atime_nsec = (uint32_t)st->st_atim.tv_nsec,
		.mtime = (uint32_t)st->st_mtim.tv_sec,
		.mtime_nsec = (uint32_t)st->st_mtim.tv_nsec,
		.ctime = (uint32_t)st->st_ctim.tv_sec,
		.ctime_nsec = (uint32_t)st->st_ctim.tv_nsec,
	};

	if (st->st_size > MAX_SMALL_FILE || out.ino != st->st_ino || out.nlink != st->st_nlink)
		return -EOVERFLOW;
	return sb_guest_write(at, &out, sizeof(out));
}

static long write_new(uint64_t at, const struct stat *st)
{
	const struct stat64_32 out = {
		.dev = st->st_dev,
		.short_ino = (uint32_t)st->st_ino,
		.mode = st->st_mode,
		.nlink = (uint32_t)st->st_nlink,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.rdev = st->st_rdev,
		.size = (uint64_t)st->st_size,
		.blksize = (uint32_t)st->st_blksize,
		.blocks = (uint64_t)st->st_blocks,
		.atime = (uint32_t)st->st_atim.tv_sec,
		.atime_nsec = (uint32_t)st->st_atim.tv_nsec,
		.mtime = (uint32_t)st->st_mtim.tv_sec,
		.mtime_nsec = (uint32_t)st->st_mtim.tv_nsec,
		.ctime = (uint32_t)st->st_ctim.tv_sec,
		.ctime_nsec = (uint32_t)st->st_ctim.tv_nsec,
		.ino = st->st_ino,
	};

	return sb_guest_write(at, &out, sizeof(out));
}

typedef long write_stat(uint64_t at, const struct stat *st);

/* Run a handler of the stat family. *argument is the address of the program's structure. */
static long stat_by(struct sb_call *call, sb_handler *handler, uint64_t *argument,
		    write_stat *write)
{
	const uint64_t to = *argument;
	struct stat st;
	long ret;

	*argument = (uint64_t)(uintptr_t)&st;
	ret = handler(call);
	return ret < 0 ? ret : write(to, &st);
}

long sb_i386_stat(struct sb_call *call)
{
	return stat_by(call, on_stat, &call->regs->args[1], write_old);
}

long sb_i386_lstat(struct sb_call *call)
{
	return stat_by(call, on_lstat, &call->regs->args[1], write_old);
}

long sb_i386_fstat(struct sb_call *call)
{
	return stat_by(call, on_fstat, &call->regs->args[1], write_old);
}

long sb_i386_stat64(struct sb_call *call)
{
	return stat_by(call, on_stat, &call->regs->args[1], write_new);
}

long sb_i386_lstat64(struct sb_call *call)
{
	return stat_by(call, on_lstat, &call->regs->args[1], write_new);
}

long sb_i386_fstat64(struct sb_call *call)
{
	return stat_by(call, on_fstat, &call->regs->args[1], write_new);
}

long sb_i386_fstatat64(struct sb_call *call)
{
	return stat_by(call, on_newfstatat, &call->regs->args[2], write_new);
}

/* ---- statfs ----------------------------------------------------------------- */

struct wide_statfs { /* as in on_stat.c */
	int64_t type;
	int64_t bsize;
	uint64_t counts[5]; /* blocks, bfree, bavail, files, ffree */
	int32_t fsid[2];
	int64_t namelen;
	int64_t frsize;
	int64_t flags;
	int64_t spare[4];
};

struct statfs32 {
	uint32_t type;
	uint32_t bsize;
	uint32_t counts[5];
	int32_t fsid[2];
	uint32_t namelen;
	uint32_t frsize;
	uint32_t flags;
	uint32_t spare[4];
};

struct statfs64_32 {
	uint32_t type;
	uint32_t bsize;
	uint64_t counts[5];
	int32_t fsid[2];
	uint32_t namelen;
	uint32_t frsize;
	uint32_t flags;
	uint32_t spare[4];
} __attribute__((packed));

static long write_statfs(uint64_t at, const struct wide_statfs *fs)
{
	struct statfs32 out = {
		.type = (uint32_t)fs->type,
		.bsize = (uint32_t)fs->bsize,
		.fsid = {fs->fsid[0], fs->fsid[1]},
		.namelen = (uint32_t)fs->namelen,
		.frsize = (uint32_t)fs->frsize,
		.flags = (uint32_t)fs->flags,
	};

	for (int i = 0; i < 5; i++) {
		out.counts[i] = (uint32_t)fs->counts[i];
		if (out.counts[i] != fs->counts[i] && (i < 3 || fs->counts[i] != UINT64_MAX))
			return -EOVERFLOW;
	}
	return sb_guest_write(at, &out, sizeof(out));
}

static long write_statfs64(uint64_t at, const struct wide_statfs *fs)
{
	struct statfs64_32 out = {
		.type = (uint32_t)fs->type,
		.bsize = (uint32_t)fs->bsize,
		.fsid = {fs->fsid[0], fs->fsid[1]},
		.namelen = (uint32_t)fs->namelen,
		.frsize = (uint32_t)fs->frsize,
		.flags = (uint32_t)fs->flags,
	};

	memcpy(out.counts, fs->counts, sizeof(out.counts));
	return sb_guest_write(at, &out, sizeof(out));
}

static long ask_statfs(struct sb_call *call, sb_handler *handler, struct wide_statfs *fs)
{
	call->regs->args[1] = (uint64_t)(uintptr_t)fs;
	return handler(call);
}

static long small_statfs(struct sb_call *call, sb_handler *handler)
{
	const uint64_t to = call->regs->args[1];
	struct wide_statfs fs;
	long ret = ask_statfs(call, handler, &fs);

	return ret < 0 ? ret : write_statfs(to, &fs);
}

static long large_statfs(struct sb_call *call, sb_handler *handler)
{
	const uint64_t to = call->regs->args[2];
	struct wide_statfs fs;
	long ret;

	if (call->regs->args[1] != sizeof(struct statfs64_32))
		return -EINVAL;
	ret = ask_statfs(call, handler, &fs);
	return ret < 0 ? ret : write_statfs64(to, &fs);
}

long sb_i386_statfs(struct sb_call *call)
{
	return small_statfs(call, on_statfs);
}

long sb_i386_fstatfs(struct sb_call *call)
{
	return small_statfs(call, on_fstatfs);
}

long sb_i386_statfs64(struct sb_call *call)
{
	return large_statfs(call, on_statfs);
}

long sb_i386_fstatfs64(struct sb_call *call)
{
	return large_statfs(call, on_fstatfs);
}

/* ---- lengths ---------------------------------------------------------------- */

long sb_i386_truncate(struct sb_call *call)
{
	call->regs->args[1] = (uint64_t)(int64_t)(int32_t)call->regs->args[1];
	return on_truncate(call);
}

long sb_i386_truncate64(struct sb_call *call)
{
	call->regs->args[1] |= call->regs->args[2] << 32;
	return on_truncate(call);
}

/* ---- directories ------------------------------------------------------------ */

struct entry64 {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	unsigned char type;
	char name[];
};

struct entry32 {
	uint32_t ino;
	uint32_t off;
	uint16_t reclen;
	char name[]; /* and the type in the last byte */
};

/* Write an entry in the 32-bit layout, which is shorter, so to may be from. Returns its length. */
static uint32_t narrow(char *to, const struct entry64 *from)
{
	struct entry32 *entry = (struct entry32 *)(void *)to;
	const uint32_t name = (uint32_t)strlen(from->name);
	const uint32_t len = (uint32_t)(offsetof(struct entry32, name) + name + 2 + 3) & ~3U;
	const struct entry64 copy = *from;

	memmove(entry->name, from->name, name + 1);
	entry->ino = (uint32_t)copy.ino;
	entry->off = (uint32_t)copy.off;
	entry->reclen = (uint16_t)len;
	to[len - 1] = (char)copy.type;
	return len;
}

long sb_i386_getdents(struct sb_call *call)
{
	char *room = call->thread->scratch.compat.room;
	const uint64_t to = call->regs->args[1];
	uint32_t used = 0;
	long len;

	call->regs->args[1] = (uint64_t)(uintptr_t)room;
	call->regs->args[2] = SB_MIN((uint32_t)call->regs->args[2], (uint32_t)SB_COMPAT_ROOM);
	len = on_getdents64(call);
	for (long at = 0; at < len;) {
		const struct entry64 *entry = (const struct entry64 *)(const void *)(room + at);

		at += entry->reclen;
		used += narrow(room + used, entry);
	}
	if (len <= 0)
		return len;
	return sb_guest_write(to, room, used) < 0 ? -EFAULT : (long)used;
}
