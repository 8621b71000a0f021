/* SPDX-License-Identifier: MIT */
/*
 * layer_quick.c - make the plain members of a layer's tar, many with one call.
 *
 * How it works
 *   A member is plain when its ustar or GNU header says everything about a new file, directory or
 *   symlink: numbers in octal, a name without "..", in a directory that exists. All others are
 *   left to layers/unpack.py, which knows every dialect. For a plain member both do the same.
 * Rules
 *   Hosted build only. No symlink is followed: a parent is opened component by component.
 */
#include "layers/layer_quick.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sys.h"
#include "layers/layer_rows.h"

#define BLOCK 512
#define HOLE (64 * 1024)
#define PATH_ROOM 4096
#define PLAIN 1       /* 0: not plain */

struct sb_quick {
	struct sb_table *table;
	int top;
	uint32_t umask;
	int dir;           /* the directory of the last member, or -1 */
	uint32_t dir_len;
	char dir_path[PATH_ROOM];
};

struct member {
	char path[BLOCK];  /* normalised */
	uint32_t len;
	uint32_t name_at;  /* where the last component starts */
	char link[128];
	struct sb_record row;
	const char *data;
};

struct sb_quick *sb_quick_open(struct sb_table *table, int top, uint32_t taken_bits)
{
	struct sb_quick *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return NULL;
	q->table = table;
	q->top = top;
	q->umask = taken_bits;
	q->dir = -1;
	return q;
}

void sb_quick_forget(struct sb_quick *q)
{
	if (q->dir >= 0)
		sys_close(q->dir);
	q->dir = -1;
}

void sb_quick_close(struct sb_quick *q)
{
	if (q != NULL)
		sb_quick_forget(q);
	free(q);
}

/* ---- headers ---------------------------------------------------------------- */

/* Read octal digits up to a NUL or a space; false for anything else. */
static bool read_octal(const char *field, size_t len, uint64_t *value)
{
	size_t i = 0;

	*value = 0;
	for (; i < len && field[i] >= '0' && field[i] <= '7'; i++)
		*value = *value << 3 | (uint64_t)(field[i] - '0');
	for (size_t rest = i; rest < len; rest++) {
		if (field[rest] != '\0' && field[rest] != ' ')
			return false;
	}
	return i > 0;
}

static bool is_intact(const unsigned char *block)
{
	uint64_t wanted;
	uint32_t sum = 8 * ' ';

	for (size_t i = 0; i < BLOCK; i++)
		sum += block[i];
	for (size_t i = 148; i < 156; i++)
		sum -= block[i];
	return read_octal((const char *)block + 148, 8, &wanted) && wanted == sum;
}

/* Take the components of a name, if they are ordinary ones. */
static bool put_name(struct member *m, const char *name, size_t len)
{
	for (size_t from = 0; from < len;) {
		const char *slash = memchr(name + from, '/', len - from);
		size_t part = slash != NULL ? (size_t)(slash - name) - from : len - from;
		bool is_dot = part == 1 && name[from] == '.';

		if (part == 2 && name[from] == '.' && name[from + 1] == '.')
			return false;
		if (part != 0 && !is_dot) {
			if (m->len > 0)
				m->path[m->len++] = '/';
			m->name_at = m->len;
			memcpy(m->path + m->len, name + from, part);
			m->len += (uint32_t)part;
		}
		from += part + 1;
	}
	return true;
}

static bool read_name(struct member *m, const char *block)
{
	size_t prefix_len = strnlen(block + 345, 155);
	size_t len = strnlen(block, 100);
	bool is_ustar = memcmp(block + 257, "ustar\0", 6) == 0;

	if (!is_ustar && memcmp(block + 257, "ustar ", 6) != 0)
		return false;
	if (len == 0 || (m->row.kind != 'd' && block[len - 1] == '/'))
		return false;
	if (is_ustar && !put_name(m, block + 345, prefix_len))
		return false;
	if (!put_name(m, block, len) || m->len == 0)
		return false;
	m->path[m->len] = '\0';
	return strncmp(m->path + m->name_at, ".wh.", 4) != 0;
}

/* PLAIN and the member, or 0 when it is not plain. */
static int read_member(struct member *m, const char *block)
{
	static const char kinds[] = {'0', 'f', '5', 'd', '2', 'l'};
	uint64_t mode, uid, gid, size, mtime;

	m->len = m->name_at = 0;
	m->row = (struct sb_record){0};
	for (size_t i = 0; i < sizeof(kinds); i += 2) {
		if (block[156] == kinds[i])
			m->row.kind = (uint8_t)kinds[i + 1];
	}
	if (m->row.kind == 0 || !is_intact((const unsigned char *)block))
		return 0;
	if (!read_octal(block + 100, 8, &mode) || !read_octal(block + 108, 8, &uid) ||
	    !read_octal(block + 116, 8, &gid) || !read_octal(block + 124, 12, &size) ||
	    !read_octal(block + 136, 12, &mtime) || mtime > (uint64_t)(INT64_MAX / 1000000000) ||
	    uid > UINT32_MAX - 1 || gid > UINT32_MAX - 1)
		return 0;
	m->row.mode = (uint32_t)mode & 07777;
	m->row.uid = (uint32_t)uid;
	m->row.gid = (uint32_t)gid;
	m->row.mtime = (int64_t)mtime * 1000000000;
	m->row.size = m->row.kind == 'f' ? size : 0;
	if (m->row.kind == 'l') {
		m->row.link_len = (uint32_t)strnlen(block + 157, 100);
		memcpy(m->link, block + 157, m->row.link_len);
		m->link[m->row.link_len] = '\0';
		if (m->row.link_len == 0)
			return 0;
	}
	return read_name(m, block) ? PLAIN : 0;
}

/* ---- directories ----------------------------------------------------------------- */

static int open_below(int top, const char *path, uint32_t len)
{
	const int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	long fd = sys_openat(top, ".", flags, 0);
	char name[256];

	for (uint32_t from = 0; from < len && fd >= 0;) {
		const char *slash = memchr(path + from, '/', len - from);
		uint32_t part = slash != NULL ? (uint32_t)(slash - path) - from : len - from;
		long deeper;

		if (part >= sizeof(name)) {
			sys_close((int)fd);
			return -ENAMETOOLONG;
		}
		memcpy(name, path + from, part);
		name[part] = '\0';
		deeper = sys_openat((int)fd, name, flags, 0);
		sys_close((int)fd);
		fd = deeper;
		from += part + 1;
	}
	return (int)fd;
}

/* Open the member's directory. PLAIN, 0 when it is no directory, or -errno. */
static int open_parent(struct sb_quick *q, const struct member *m)
{
	uint32_t len = m->name_at > 0 ? m->name_at - 1 : 0;
	struct sb_record record;
	int64_t at;
	int err;

	if (q->dir >= 0 && sb_same(q->dir_path, q->dir_len, m->path, len))
		return PLAIN;
	if (len > 0) {
		at = sb_table_find(q->table, m->path, len);
		if (at < 0)
			return at == -ENOENT ? 0 : (int)at;
		err = sb_table_read(q->table, (uint64_t)at, &record, NULL, 0);
		if (err < 0 || record.kind != 'd')
			return err;
	}
	sb_quick_forget(q);
	q->dir = open_below(q->top, m->path, len);
	memcpy(q->dir_path, m->path, len);
	q->dir_len = len;
	return q->dir < 0 ? q->dir : PLAIN;
}

/* ---- files ------------------------------------------------------------------------ */

static bool is_zero(const char *bytes, size_t len)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0;
}

/* Write a file's bytes; stretches of zeros become holes. */
static int fill_file(int fd, const char *bytes, uint64_t size)
{
	uint64_t end = 0;
	uint64_t from = 0;

	for (uint64_t at = 0; at < size;) {
		uint64_t part = SB_MIN(size - at, (uint64_t)HOLE);
		bool is_hole = is_zero(bytes + at, part);

		at += part;
		if (!is_hole && at < size)
			continue;
		end = is_hole ? at - part : at;
		if (end > from) {
			int err = sb_write_all(fd, bytes + from, end - from, (int64_t)from);

			if (err < 0)
				return err;
		}
		from = at;
	}
	return end == size ? 0 : (int)sys_ftruncate(fd, (int64_t)size);
}

static int make_file(const struct sb_quick *q, const struct member *m)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	uint32_t mode = 0600 | (m->row.mode & 0777);
	long fd = sys_openat(q->dir, m->path + m->name_at, flags, mode);
	struct sb_timespec times[2];
	long err;

	if (fd < 0)
		return (int)fd;
	err = fill_file((int)fd, m->data, m->row.size);
	if (err == 0 && (mode & q->umask) != 0)
		err = sys_fchmod((int)fd, mode);
	sb_rows_times(m->row.mtime, times);
	if (err == 0)
		err = sys_utimensat((int)fd, NULL, times, 0);
	sys_close((int)fd);
	return (int)err;
}

static int make_directory(const struct sb_quick *q, const struct member *m)
{
	uint32_t mode = 0700 | (m->row.mode & 0777);
	const char *name = m->path + m->name_at;
	long err = sys_mkdirat(q->dir, name, mode);

	if (err == 0 && (mode & q->umask) != 0)
		err = sys_fchmodat(q->dir, name, mode);
	return (int)err;
}

static int make_symlink(const struct sb_quick *q, const struct member *m)
{
	const char *name = m->path + m->name_at;
	struct sb_timespec times[2];
	long err = sys_symlinkat(m->link, q->dir, name);

	sb_rows_times(m->row.mtime, times);
	if (err == 0)
		err = sys_utimensat(q->dir, name, times, AT_SYMLINK_NOFOLLOW);
	return (int)err;
}

/* Make a member. PLAIN, 0 when it is left to others, or -errno. */
static int make_member(struct sb_quick *q, const struct member *m)
{
	int err = open_parent(q, m);
	int64_t at;

	if (err != PLAIN)
		return err;
	at = sb_table_find(q->table, m->path, m->len);
	if (at != -ENOENT)
		return at < 0 ? (int)at : 0;
	if (m->row.kind == 'd')
		err = make_directory(q, m);
	else if (m->row.kind == 'l')
		err = make_symlink(q, m);
	else
		err = make_file(q, m);
	if (err == 0)
		err = sb_table_put(q->table, m->path, m->len, &m->row, m->link, "", 0);
	return err < 0 ? err : PLAIN;
}

int64_t sb_quick_run(struct sb_quick *q, const char *bytes, uint64_t len, uint32_t *members,
		     int *error)
{
	uint64_t at = 0;

	*error = 0;
	*members = 0;
	while (len - at >= BLOCK) {
		struct member m;
		uint64_t left = len - at - BLOCK;
		uint64_t stored;
		int made;

		if (read_member(&m, bytes + at) != PLAIN)
			break;
		stored = (m.row.size + BLOCK - 1) / BLOCK * BLOCK;
		if (stored > left)
			break;
		m.data = bytes + at + BLOCK;
		made = make_member(q, &m);
		if (made < 0)
			*error = made;
		if (made != PLAIN)
			break;
		at += BLOCK + stored;
		++*members;
	}
	return (int64_t)at;
}
