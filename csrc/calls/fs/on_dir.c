/* SPDX-License-Identifier: MIT */
/*
 * on_dir.c - getdents64 and getdents.
 *
 * How it works
 *   The index lists a directory of the image that the container has not changed. The kernel lists a
 *   directory that one host directory holds completely; of one in the upper, dirlist_pure.c takes
 *   the marks out. dirlist.c lists the others. Entries that
 *   the kernel does not write itself go through work->buffer to the guest. If a lower directory has
 *   an upper part by now and was not read yet, its descriptor is replaced by one of the upper part.
 */
#include <errno.h>

#include "base/mem.h"
#include "guest/handlers.h"
#include "guest/paths/lookup.h"
#include "guest/trace.h"
#include "tree/descriptors.h"
#include "view/view.h"

#define HALF (sizeof(((struct sb_work *)0)->buffer) / 2)

/* Head of struct linux_dirent64. In struct linux_dirent the name is one byte earlier and the type
 * is in the last byte; the length is the same. */
struct head64 {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	unsigned char type;
	char name[];
};

static void to_legacy(char *buf, long len)
{
	for (long at = 0; at < len;) {
		struct head64 *entry = (struct head64 *)(void *)(buf + at);
		unsigned char type = entry->type;
		size_t room = entry->reclen - offsetof(struct head64, name);

		memmove(&entry->type, entry->name, room);
		buf[at + entry->reclen - 1] = (char)type;
		at += entry->reclen;
	}
}

/* Replace what fd has open by the upper directory. */
static void reopen(struct sb_call *call, int fd, const struct sb_at *at)
{
	const char *host = sb_dirlist_reopen(call->fs, fd, at);
	long flags;
	int upper;

	if (!host)
		return;
	sb_commit_begin(call->fs);
	upper = (int)sys_openat(AT_FDCWD, host, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	if (upper >= 0) {
		sb_fds_forget(call->fs, (uint32_t)fd, (uint32_t)fd);
		flags = sb_syscall(__NR_fcntl, fd, F_GETFD, 0, 0, 0, 0);
		sb_syscall(__NR_dup3, upper, fd, flags == 1 ? O_CLOEXEC : 0, 0, 0, 0);
		sys_close(upper);
	}
	sb_commit_end(call->fs);
}

/* Find the directory of fd; 1: the kernel can list it. */
static int find(struct sb_call *call, int fd, struct sb_at *at)
{
	struct sb_path *path = &call->work->base;
	uint32_t node;
	int err = sb_guest_fd_path(call, fd, path);

	if (err == -ENOENT && sb_tree_fd_dir(call->fs, fd, &node) == 1 && node != SB_NO_NODE)
		return err; /* deleted; only the layer still has it */
	if (err < 0)
		return 1; /* deleted, or no directory: the kernel knows */
	err = sb_tree_lookup(call->fs, path->buf, path->len, ".", SB_SEARCHED, at);
	if (err < 0)
		return err == -ENOTDIR ? 1 : err;
	return sb_dirlist_is_native(call->fs, at) ? 1 : 0;
}

/* Positions in directories are shorter for 32-bit programs. */
static long read_natively(struct sb_call *call, long nr, int fd, uint32_t count)
{
	const long to = (long)sb_arg(call, 1);

	if (sb_proc_is_32(call->proc) && to < (long)SB_COMPAT_END) {
		sb_commit_begin(call->fs); /* the position moves */
		return sb_compat_getdents64(fd, (uint64_t)to, count);
	}
	return sb_guest_block(call, nr, fd, to, count, 0, 0, 0);
}

/* Copy as many entries as the guest's memory takes; the next call begins behind them. */
static long give_some(struct sb_call *call, int fd, long pos, long len)
{
	const char *buf = call->work->buffer;
	long done = 0;

	while (done < len) {
		const struct head64 *entry = (const void *)(buf + done);

		if (sb_guest_write(sb_arg(call, 1) + (uint64_t)done, entry, entry->reclen) < 0)
			break;
		done += entry->reclen;
		pos = entry->off;
	}
	if (pos >= 0)
		sys_lseek(fd, pos, SEEK_SET);
	return done > 0 ? done : -EFAULT;
}

/* Copy the entries to the guest; they were read from position pos on. */
static long give(struct sb_call *call, long nr, int fd, long pos, long len)
{
	char *buf = call->work->buffer;

	if (len <= 0)
		return len;
	if (nr == __NR_getdents)
		to_legacy(buf, len);
	if (sb_guest_write(sb_arg(call, 1), buf, (size_t)len) == 0)
		return len;
	return give_some(call, fd, pos, len);
}

/* The inode number of the directory above a pure one, when the dots are listed next. 0: the kernel
 * knows it. */
static uint64_t number_above(struct sb_call *call, int fd)
{
	struct sb_at *at = &call->work->a;
	struct sb_stat st;

	if (sb_fds_is_deep(call->fs, fd) || sys_lseek(fd, 0, SEEK_CUR) != 0 ||
	    find(call, fd, at) < 0 || at->guest.len == 1 ||
	    sb_tree_stat_parent(call->fs, at, &st) < 0)
		return 0;
	return st.ino;
}

#define LONGEST (sizeof(struct head64) + 256 + 7)

static bool is_writable(uint64_t addr)
{
	char byte;

	return sb_guest_read(&byte, addr, 1) == 0 && sb_guest_rewrite(addr, &byte, 1) == 0;
}

/* Can the guest's memory take an entry? The position must not move when none is given. */
static bool has_room(const struct sb_call *call, uint32_t count)
{
	const uint64_t to = sb_arg(call, 1);

	return count > 0 && is_writable(to) && is_writable(to + SB_MIN(count, LONGEST) - 1);
}

/* List a pure directory. -SB_ELIST: it is none, as far as is known. */
static long read_pure(struct sb_call *call, long nr, int fd, uint32_t count)
{
	const uint32_t pure = sb_fds_pure(call->fs, fd);
	char *buf = call->work->buffer;
	long pos;

	if (pure == 0 || call->fs->narrow_positions || sb_trace_is_on(call))
		return -SB_ELIST;
	if (pure != SB_PURE_UPPER)
		return read_natively(call, nr, fd, count);
	pos = has_room(call, count) ? -1 : sys_lseek(fd, 0, SEEK_CUR);
	return give(call, nr, fd, pos,
		    sb_dirlist_read_pure(call->fs, fd, number_above(call, fd), buf,
					 SB_MIN((size_t)count, sizeof(call->work->buffer))));
}

static long read_entries(struct sb_call *call, long nr)
{
	struct sb_at *at = &call->work->a;
	char *buf = call->work->buffer;
	int fd = (int)(uint32_t)sb_arg(call, 0);
	const uint32_t asked = (uint32_t)sb_arg(call, 2);
	const uint32_t count = asked > INT32_MAX ? 0 : asked; /* the kernel's count is signed */
	long flags;
	long pos = 0;
	long len;
	int native;

	len = read_pure(call, nr, fd, count);
	if (len != -SB_ELIST)
		return len;
	len = sb_dirlist_read_untouched(call->fs, fd, buf,
					SB_MIN((size_t)count, sizeof(call->work->buffer)), &pos);
	if (len != -SB_ELIST)
		return give(call, nr, fd, pos, len);
	flags = sb_syscall(__NR_fcntl, fd, F_GETFL, 0, 0, 0, 0);
	if (flags < 0 || (flags & O_PATH) != 0)
		return -EBADF;
	native = find(call, fd, at);
	if (native < 0)
		return native;
	if (native == 1)
		return read_natively(call, nr, fd, asked);
	reopen(call, fd, at);
	pos = sys_lseek(fd, 0, SEEK_CUR);
	len = sb_dirlist_read(call->fs, fd, at, buf, SB_MIN((size_t)count, HALF));
	return give(call, nr, fd, pos, len);
}

long on_getdents64(struct sb_call *call)
{
	return read_entries(call, __NR_getdents64);
}

long on_getdents(struct sb_call *call)
{
	return read_entries(call, __NR_getdents);
}
