/* SPDX-License-Identifier: MIT */
/*
 * on_xattr.c - get, set, list and remove extended attributes.
 *
 * Values pass through call->path2. Larger values pass through fresh memory, which is unmapped in
 * the same commit section.
 */
#include <errno.h>
#include <linux/mman.h>

#include "change/change.h"
#include "guest/handlers.h"
#include "guest/paths/call_file.h"
#include "guest/paths/near.h"

#define SMALL (2 * SB_PATH_MAX)
#define VALUE_MAX 65536

struct request {
	char name[256];
	char *value;
	size_t len;
	bool mapped;
};

static int read_name(uint64_t addr, char name[256])
{
	long len = sb_guest_string(name, addr, 256);

	if (len == -ENAMETOOLONG || len == 0)
		return -ERANGE;
	return len < 0 ? (int)len : 0;
}

/* Make room for len bytes; drop() gives it back. */
static int take(struct sb_call *call, struct request *q, size_t len)
{
	long memory;

	q->len = len;
	q->value = call->path2;
	q->mapped = len > SMALL;
	sb_commit_begin(call->fs);
	if (!q->mapped)
		return 0;
	memory = sys_mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory < 0) {
		sb_commit_end(call->fs);
		return -ENOMEM;
	}
	q->value = (char *)(uintptr_t)memory;
	return 0;
}

static void drop(struct sb_call *call, const struct request *q)
{
	if (q->mapped)
		sys_munmap(q->value, q->len);
	sb_commit_end(call->fs);
}

/* ---- by path (flags) or by descriptor (path 0) ------------------------------- */

struct by {
	bool fd;
	int flags; /* AT_SYMLINK_NOFOLLOW */
};

static const struct by by_path = {false, 0};
static const struct by by_link = {false, AT_SYMLINK_NOFOLLOW};
static const struct by by_fd = {true, 0};

static int find(struct sb_call *call, const struct by *by, int *fd)
{
	struct sb_at *at = &call->work->a;

	if (!by->fd)
		return sb_call_file_find(call, AT_FDCWD, sb_arg(call, 0), by->flags, at, fd);
	*fd = (int)(uint32_t)sb_arg(call, 0);
	return sb_call_file_of_open_fd(call, *fd, at);
}

/* Look at the file of a path in a pure directory. */
static int look_near(struct sb_call *call, const struct by *by, struct sb_near *near)
{
	const unsigned flags = by->flags == AT_SYMLINK_NOFOLLOW ? 0 : SB_FOLLOW;
	const long len = by->fd ? 0 : sb_guest_string(call->path, sb_arg(call, 0), SB_PATH_MAX);
	int err;

	near->is_inside = false;
	if (len <= 0 || !sb_near_pin(call, AT_FDCWD, call->path, (uint32_t)len, near))
		return -SB_ELOOK;
	err = sb_near_look(call, near, flags, &call->work->a);
	if (err < 0)
		(void)sb_near_leave(call, near);
	return err;
}

/* Find the file. sb_near_leave() follows. */
static int find_entry(struct sb_call *call, const struct by *by, int *fd, struct sb_near *near)
{
	const int err = look_near(call, by, near);

	if (err == 0)
		return SB_FILE_BY_PATH;
	near->is_inside = false;
	near->is_remembered = false;
	near->has_base = false;
	return err == -SB_ELOOK ? find(call, by, fd) : err;
}

static long set(struct sb_call *call, const struct by *by)
{
	struct sb_at *at = &call->work->a;
	struct sb_near near;
	struct request q;
	int flags = (int)sb_arg(call, 4);
	int fd = -1;
	long err = read_name(sb_arg(call, 1), q.name);

	if ((flags & ~3) != 0)
		return -EINVAL;
	if (err < 0)
		return err;
	if (sb_arg(call, 3) > VALUE_MAX)
		return -E2BIG;
	err = take(call, &q, sb_arg(call, 3));
	if (err < 0)
		return err;
	if (q.len > 0)
		err = sb_guest_read(q.value, sb_arg(call, 2), q.len);
	if (err < 0) {
		drop(call, &q);
		return err;
	}
	err = find_entry(call, by, &fd, &near);
	if (err == SB_FILE_BY_PATH)
		err = sb_change_setxattr(call->fs, at, q.name, q.value, q.len, flags);
	else if (err == SB_FILE_BY_FD)
		err = sb_change_fsetxattr(call->fs, fd, q.name, q.value, q.len, flags);
	(void)sb_near_leave(call, &near);
	drop(call, &q);
	return err;
}

static long get(struct sb_call *call, const struct by *by)
{
	struct sb_at *at = &call->work->a;
	struct sb_near near;
	struct request q;
	int fd = -1;
	long len = read_name(sb_arg(call, 1), q.name);

	if (len == 0)
		len = take(call, &q, SB_MIN(sb_arg(call, 3), (uint64_t)VALUE_MAX));
	if (len < 0)
		return len;
	len = find_entry(call, by, &fd, &near);
	if (len == SB_FILE_BY_PATH)
		len = sb_change_getxattr(call->fs, at, q.name, q.value, q.len);
	else if (len == SB_FILE_BY_FD)
		len = sb_change_fgetxattr(call->fs, fd, q.name, q.value, q.len);
	(void)sb_near_leave(call, &near);
	if (len > 0 && q.len > 0 && sb_guest_write(sb_arg(call, 2), q.value, (size_t)len) < 0)
		len = -EFAULT;
	drop(call, &q);
	return len;
}

static long list(struct sb_call *call, const struct by *by)
{
	struct sb_at *at = &call->work->a;
	struct sb_near near;
	struct request q;
	int fd = -1;
	long len = take(call, &q, SB_MIN(sb_arg(call, 2), (uint64_t)VALUE_MAX));

	if (len < 0)
		return len;
	len = find_entry(call, by, &fd, &near);
	if (len == SB_FILE_BY_PATH)
		len = sb_change_listxattr(call->fs, at, q.value, q.len);
	else if (len == SB_FILE_BY_FD)
		len = sb_change_flistxattr(call->fs, fd, q.value, q.len);
	(void)sb_near_leave(call, &near);
	if (len > 0 && q.len > 0 && sb_guest_write(sb_arg(call, 1), q.value, (size_t)len) < 0)
		len = -EFAULT;
	drop(call, &q);
	return len;
}

static long take_away(struct sb_call *call, const struct by *by)
{
	struct sb_near near;
	char name[256];
	int fd = -1;
	int err = read_name(sb_arg(call, 1), name);

	if (err < 0)
		return err;
	err = find_entry(call, by, &fd, &near);
	if (err == SB_FILE_BY_PATH)
		err = sb_change_removexattr(call->fs, &call->work->a, name);
	else if (err == SB_FILE_BY_FD)
		err = sb_change_fremovexattr(call->fs, fd, name);
	(void)sb_near_leave(call, &near);
	return err;
}

long on_setxattr(struct sb_call *call)
{
	return set(call, &by_path);
}

long on_lsetxattr(struct sb_call *call)
{
	return set(call, &by_link);
}

long on_fsetxattr(struct sb_call *call)
{
	return set(call, &by_fd);
}

long on_getxattr(struct sb_call *call)
{
	return get(call, &by_path);
}

long on_lgetxattr(struct sb_call *call)
{
	return get(call, &by_link);
}

long on_fgetxattr(struct sb_call *call)
{
	return get(call, &by_fd);
}

long on_listxattr(struct sb_call *call)
{
	return list(call, &by_path);
}

long on_llistxattr(struct sb_call *call)
{
	return list(call, &by_link);
}

long on_flistxattr(struct sb_call *call)
{
	return list(call, &by_fd);
}

long on_removexattr(struct sb_call *call)
{
	return take_away(call, &by_path);
}

long on_lremovexattr(struct sb_call *call)
{
	return take_away(call, &by_link);
}

long on_fremovexattr(struct sb_call *call)
{
	return take_away(call, &by_fd);
}
