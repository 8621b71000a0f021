/* SPDX-License-Identifier: MIT */
/*
 * layer_table.c - the entries of a layer that is being unpacked, by path.
 *
 * How it works
 *   A record of the draft, which is a file, describes an entry. Memory holds only a hash table:
 *   half of a path's hash, and the offset of its record. The record is read to compare the path.
 *   A hard link is a record that refers to the file's; the record of a removed name stays, marked
 *   dead.
 * Rules
 *   Hosted build only. Marks (whiteouts, opaque directories) have their path and a NUL as a key,
 *   which no name has.
 */
#include "layers/layer_table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/mem.h"
#include "layers/layer_rows.h"

#define FIRST_ROOM 4096
#define GONE 1        /* no record has this offset (SB_DRAFT_FIRST is behind it) */
#define MOST_STEPS 4096
#define PATH_ROOM 4096

struct slot {
	uint32_t hash;
	uint32_t at;      /* offset / 8; 0 free */
};

struct sb_table {
	struct slot *slots;
	uint32_t mask;
	uint32_t taken;   /* slots that are not free */
	uint64_t seed;
	char name[PATH_ROOM];
	char key[PATH_ROOM];
	struct sb_rows rows;
};

static uint32_t hash_of(const struct sb_table *t, const char *path, uint32_t len)
{
	uint64_t hash = (sb_hash(path, len) ^ t->seed) * 0x9e3779b97f4a7c15ULL;

	return (uint32_t)(hash >> 32);
}

struct sb_table *sb_table_open(int fd, int *error)
{
	struct sb_table *t = calloc(1, sizeof(*t));
	static const char head[2 * SB_DRAFT_FIRST] = "SBDRAFT";

	*error = -ENOMEM;
	if (t == NULL)
		return NULL;
	t->rows.draft.fd = fd;
	t->mask = FIRST_ROOM - 1;
	t->slots = calloc(FIRST_ROOM, sizeof(*t->slots));
	if (getrandom(&t->seed, sizeof(t->seed), GRND_NONBLOCK) < 0)
		t->seed = (uint64_t)(uintptr_t)t;
	if (t->slots == NULL) {
		free(t);
		return NULL;
	}
	*error = sb_draft_append(&t->rows.draft, head, sizeof(head));
	return t;
}

void sb_table_close(struct sb_table *t)
{
	if (t != NULL)
		free(t->slots);
	free(t);
}

/* ---- the hash table --------------------------------------------------------- */

static int grow(struct sb_table *t)
{
	uint32_t mask = t->mask * 2 + 1;
	struct slot *slots = calloc((size_t)mask + 1, sizeof(*slots));

	if (slots == NULL)
		return -ENOMEM;
	t->taken = 0;
	for (uint32_t i = 0; i <= t->mask; i++) {
		uint32_t to = t->slots[i].hash & mask;

		if (t->slots[i].at == 0 || t->slots[i].at == GONE)
			continue;
		while (slots[to].at != 0)
			to = (to + 1) & mask;
		slots[to] = t->slots[i];
		t->taken++;
	}
	free(t->slots);
	t->slots = slots;
	t->mask = mask;
	return 0;
}

static int insert(struct sb_table *t, const char *path, uint32_t len, uint64_t at)
{
	uint32_t hash = hash_of(t, path, len);
	uint32_t slot = hash;

	if (at / 8 > UINT32_MAX)
		return -EFBIG;
	if (t->taken >= t->mask - t->mask / 4 && grow(t) < 0)
		return -ENOMEM;
	while (t->slots[slot & t->mask].at != 0)
		slot++;
	t->slots[slot & t->mask] = (struct slot){.hash = hash, .at = (uint32_t)(at / 8)};
	t->taken++;
	return 0;
}

static int is_named(struct sb_table *t, uint64_t at, const char *path, uint32_t len)
{
	struct sb_record record;
	int err = sb_draft_read(&t->rows.draft, at, &record, sizeof(record));

	if (err < 0 || record.path_len != len)
		return err;
	err = sb_draft_read(&t->rows.draft, at + sizeof(record), t->name, len);
	return err < 0 ? err : memcmp(t->name, path, len) == 0;
}

/* Find the record of a name, and its slot. */
static int64_t find_name(struct sb_table *t, const char *path, uint32_t len, struct slot **slot)
{
	uint32_t hash = hash_of(t, path, len);

	if (len >= PATH_ROOM)
		return -ENAMETOOLONG;
	for (uint32_t step = 0; step < MOST_STEPS; step++) {
		struct slot *one = &t->slots[(hash + step) & t->mask];
		int same;

		if (one->at == 0)
			return -ENOENT;
		if (one->at == GONE || one->hash != hash)
			continue;
		same = is_named(t, (uint64_t)one->at * 8, path, len);
		if (same < 0)
			return same;
		if (same > 0) {
			*slot = one;
			return (int64_t)one->at * 8;
		}
	}
	return -ELOOP;
}

/* ---- entries ----------------------------------------------------------------- */

static int read_record(const struct sb_table *t, uint64_t at, struct sb_record *record)
{
	return sb_draft_read(&t->rows.draft, at, record, sizeof(*record));
}

static int rewrite(struct sb_table *t, uint64_t at, const struct sb_record *record)
{
	return sb_draft_rewrite(&t->rows.draft, at, record, sizeof(*record));
}

/* Append record, path and link; returns the offset. */
static int64_t append(struct sb_table *t, struct sb_record *record, const char *path,
		      const char *link)
{
	uint64_t at = sb_draft_end(&t->rows.draft);
	size_t len = sizeof(*record) + record->path_len + record->link_len;
	static const char zeros[8];
	int err;

	record->length = (uint32_t)((len + 7) & ~(size_t)7);
	if (record->inode == 0)
		record->inode = at;
	err = sb_draft_append(&t->rows.draft, record, sizeof(*record));
	if (err == 0)
		err = sb_draft_append(&t->rows.draft, path, record->path_len);
	if (err == 0 && record->link_len > 0)
		err = sb_draft_append(&t->rows.draft, link, record->link_len);
	if (err == 0)
		err = sb_draft_append(&t->rows.draft, zeros, record->length - len);
	return err < 0 ? err : (int64_t)at;
}

static int append_name(struct sb_table *t, struct sb_record *record, const char *path,
		       const char *link)
{
	int64_t at;

	if (record->path_len >= PATH_ROOM)
		return -ENAMETOOLONG;
	at = append(t, record, path, link);
	return at < 0 ? (int)at : insert(t, path, record->path_len, (uint64_t)at);
}

int64_t sb_table_find(struct sb_table *t, const char *path, uint32_t len)
{
	struct sb_record record;
	struct slot *slot;
	int64_t at = find_name(t, path, len, &slot);
	int err;

	if (at < 0)
		return at;
	err = read_record(t, (uint64_t)at, &record);
	return err < 0 ? err : (int64_t)record.inode;
}

int sb_table_read(struct sb_table *t, uint64_t at, struct sb_record *record, char *link,
		  uint32_t room)
{
	int err = read_record(t, at, record);

	if (err < 0)
		return err;
	return sb_draft_read(&t->rows.draft, at + sizeof(*record) + record->path_len, link,
			     SB_MIN(room, record->link_len));
}

static int64_t put_xattrs(struct sb_table *t, const char *xattrs, uint32_t len)
{
	struct sb_record record = {.kind = 'X', .link_len = len};

	return len == 0 ? 0 : append(t, &record, "", xattrs);
}

int sb_table_put(struct sb_table *t, const char *path, uint32_t len, const struct sb_record *row,
		 const char *link, const char *xattrs, uint32_t xattrs_len)
{
	struct sb_record record = *row;
	struct sb_record old;
	struct slot *slot;
	int64_t at = find_name(t, path, len, &slot);
	int64_t packed;
	int err;

	if (at < 0 && at != -ENOENT)
		return (int)at;
	packed = put_xattrs(t, xattrs, xattrs_len);
	if (packed < 0)
		return (int)packed;
	record.xattrs = (uint64_t)packed;
	record.path_len = (uint16_t)len;
	record.names = 1;
	record.inode = 0;
	if (at == -ENOENT) {
		err = append_name(t, &record, path, link);
		t->rows.size += err < 0 ? 0 : record.size;
		return err;
	}
	err = read_record(t, (uint64_t)at, &old);
	if (err < 0)
		return err;
	if (old.kind != 'd' || record.kind != 'd')
		return -EEXIST;
	record.inode = old.inode;
	record.length = old.length;
	record.link_len = 0;
	return rewrite(t, (uint64_t)at, &record);
}

int sb_table_link(struct sb_table *t, const char *path, uint32_t len, const char *target,
		  uint32_t target_len)
{
	int64_t inode = sb_table_find(t, target, target_len);
	struct sb_record file;
	struct sb_record record;
	int err;

	if (inode < 0)
		return (int)inode;
	err = read_record(t, (uint64_t)inode, &file);
	if (err < 0)
		return err;
	file.names++;
	err = rewrite(t, (uint64_t)inode, &file);
	if (err < 0)
		return err;
	record = (struct sb_record){
		.inode = (uint64_t)inode,
		.kind = file.kind,
		.path_len = (uint16_t)len,
	};
	return append_name(t, &record, path, "");
}

int sb_table_remove(struct sb_table *t, const char *path, uint32_t len)
{
	struct slot *slot;
	int64_t at = find_name(t, path, len, &slot);
	struct sb_record record;
	struct sb_record file;
	int err = at < 0 ? (int)at : read_record(t, (uint64_t)at, &record);

	if (err < 0)
		return err;
	record.dead = 1;
	err = rewrite(t, (uint64_t)at, &record);
	if (err == 0)
		err = read_record(t, record.inode, &file);
	if (err < 0)
		return err;
	file.names--;
	if (file.names == 0)
		t->rows.size -= file.size;
	slot->at = GONE;
	return rewrite(t, record.inode, &file);
}

/* ---- marks -------------------------------------------------------------------- */

int sb_table_mark(struct sb_table *t, const char *path, uint32_t len, uint8_t kind)
{
	struct sb_record record = {.kind = kind, .path_len = (uint16_t)(len + 1)};
	char *key = t->key;
	struct slot *slot;
	int64_t at;

	if (len + 1 >= sizeof(t->key))
		return -ENAMETOOLONG;
	memcpy(key, path, len);
	key[len] = '\0';
	at = find_name(t, key, len + 1, &slot);
	t->rows.has_marks = true;
	if (at == -ENOENT)
		return append_name(t, &record, key, "");
	if (at < 0 || kind == 'w')
		return at < 0 ? (int)at : 0;
	if (read_record(t, (uint64_t)at, &record) < 0)
		return -EIO;
	record.kind = kind;
	return rewrite(t, (uint64_t)at, &record);
}

/* Is there a directory at the path? 1, 0 or -errno; -ENOENT when there is nothing. */
static int is_directory(void *table, const char *path, uint32_t len)
{
	struct sb_table *t = table;
	int64_t at = sb_table_find(t, path, len);
	struct sb_record record;
	int err = at < 0 ? (int)at : read_record(t, (uint64_t)at, &record);

	return err < 0 ? err : record.kind == 'd';
}

/* ---- the result ------------------------------------------------------------------ */

uint64_t sb_table_size(const struct sb_table *t)
{
	return t->rows.size;
}

int64_t sb_table_write(struct sb_table *t, int fd)
{
	return sb_rows_write(&t->rows, fd, is_directory, t);
}

int sb_table_set_times(struct sb_table *t, int top, char *problem)
{
	return sb_rows_set_times(&t->rows, top, problem);
}
