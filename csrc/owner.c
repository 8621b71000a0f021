/* SPDX-License-Identifier: MIT */
/*
 * owner.c - the table of what the host cannot hold for a file.
 *
 * How it works
 *   A file mapped by every process: buckets (record numbers, open addressing
 *   by volume and inode), records, and bytes of extended attributes. A writer
 *   takes the next record, fills it, and swaps its number into the bucket.
 *   An inode has at most one bucket: the record of a reused inode number
 *   takes the place of the old one, and a lookup compares the birth time.
 * Rules
 *   Lock-free in all processes; readers never wait. Records and bytes that
 *   were replaced are not reused, so a pointer to one stays valid.
 */
#include "owner.h"

#include <errno.h>

#include "mem.h"

#define BUCKETS_OFF 4096
#define DELETED UINT32_MAX

static const char MAGIC[8] = "SBOWNER";

uint64_t sb_owner_size(void)
{
	return BUCKETS_OFF + (uint64_t)SB_OWNER_BUCKETS * sizeof(uint32_t) +
	       (uint64_t)SB_OWNER_RECORDS * sizeof(struct sb_owner) + SB_OWNER_BLOB_SIZE;
}

int sb_owner_init(void *map, uint64_t size, const unsigned char *nonce)
{
	struct sb_owner_table *table = map;

	if (size < sb_owner_size())
		return -EINVAL;
	memcpy(table->magic, MAGIC, sizeof(MAGIC));
	table->version = SB_OWNER_VERSION;
	table->record_next = 1;
	table->blob_next = 0;
	memcpy(table->nonce, nonce, sizeof(table->nonce));
	table->buckets_off = BUCKETS_OFF;
	table->records_off = table->buckets_off + (uint64_t)SB_OWNER_BUCKETS * sizeof(uint32_t);
	table->blobs_off =
		table->records_off + (uint64_t)SB_OWNER_RECORDS * sizeof(struct sb_owner);
	table->size = sb_owner_size();
	return 0;
}

int sb_owner_check(const struct sb_owner_table *table, uint64_t size)
{
	if (size < sb_owner_size() || memcmp(table->magic, MAGIC, sizeof(MAGIC)) != 0 ||
	    table->version != SB_OWNER_VERSION || table->size != sb_owner_size() ||
	    table->buckets_off != BUCKETS_OFF)
		return -EINVAL;
	return 0;
}

static uint32_t *buckets(const struct sb_tree *tree)
{
	return (uint32_t *)(void *)((char *)tree->owners + tree->owners->buckets_off);
}

static struct sb_owner *record_at(const struct sb_tree *tree, uint32_t number)
{
	char *records = (char *)tree->owners + tree->owners->records_off;

	return (struct sb_owner *)(void *)records + number;
}

static uint32_t first_bucket(uint32_t volume, uint64_t ino)
{
	uint64_t words[2] = {ino, volume};

	return (uint32_t)sb_hash((const char *)words, sizeof(words)) & (SB_OWNER_BUCKETS - 1);
}

/* The bucket of this inode, or the free one where it would go; NULL when full. */
static uint32_t *bucket_of(const struct sb_tree *tree, uint32_t volume, uint64_t ino,
			   uint32_t *number)
{
	uint32_t *all = buckets(tree);
	uint32_t at = first_bucket(volume, ino);

	for (uint32_t tries = 0; tries < SB_OWNER_BUCKETS; tries++) {
		uint32_t n = __atomic_load_n(&all[at], __ATOMIC_ACQUIRE);

		*number = n;
		if (n == 0)
			return &all[at];
		if (n < SB_OWNER_RECORDS) {
			const struct sb_owner *record = record_at(tree, n);

			if (record->ino == ino && record->volume == volume)
				return &all[at];
		}
		at = (at + 1) & (SB_OWNER_BUCKETS - 1);
	}
	return NULL;
}

uint32_t sb_owner_volume(const struct sb_tree *tree, uint64_t dev)
{
	const struct sb_control *control = tree->control;

	if (dev == control->upper_dev || dev == control->upper_file_dev)
		return 0;
	for (uint32_t i = 0; i < control->mount_count && i < SB_MAX_MOUNTS; i++) {
		if (control->mounts[i].dev == dev)
			return i + 1;
	}
	return 0x80000000U | (uint32_t)sb_hash((const char *)&dev, sizeof(dev));
}

void sb_owner_key(const struct sb_tree *tree, const struct statx *sx, struct sb_owner_key *key)
{
	key->ino = sx->stx_ino;
	key->btime = 0;
	if (sx->stx_mask & STATX_BTIME)
		key->btime = (uint64_t)sx->stx_btime.tv_sec * 1000000000U + sx->stx_btime.tv_nsec;
	key->volume = sb_owner_volume(tree, sb_device(sx->stx_dev_major, sx->stx_dev_minor));
}

bool sb_owner_any(const struct sb_tree *tree)
{
	return tree->owners && __atomic_load_n(&tree->owners->record_next, __ATOMIC_ACQUIRE) > 1;
}

bool sb_owner_may_be_stale(const struct sb_tree *tree)
{
	return (tree->control->flags & SB_CONTROL_BIRTH_TIMES) == 0 && sb_owner_any(tree);
}

const struct sb_owner *sb_owner_find(const struct sb_tree *tree, const struct sb_owner_key *key)
{
	const struct sb_owner *record;
	uint32_t number;

	if (!sb_owner_any(tree))
		return NULL;
	if (!bucket_of(tree, key->volume, key->ino, &number) || number == 0)
		return NULL;
	record = record_at(tree, number);
	return record->btime == key->btime ? record : NULL;
}

bool sb_owner_maybe(const struct sb_tree *tree, uint32_t volume, uint64_t ino)
{
	uint32_t number;

	return sb_owner_any(tree) && bucket_of(tree, volume, ino, &number) && number != 0;
}

bool sb_owner_load(const struct sb_tree *tree, const struct statx *sx, struct sb_owner_key *key,
		   struct sb_owner *next)
{
	const struct sb_owner *now;

	sb_owner_key(tree, sx, key);
	now = sb_owner_find(tree, key);
	if (now)
		*next = *now;
	else
		memset(next, 0, sizeof(*next));
	return now != NULL;
}

bool sb_owner_is_copy(const struct sb_tree *tree, const struct statx *sx, uint64_t ino)
{
	struct sb_owner_key key;
	struct sb_owner record;

	return sb_owner_load(tree, sx, &key, &record) && record.origin == ino;
}

/* A number of a record nobody else has, or -ENOSPC. */
static long take_record(struct sb_owner_table *table)
{
	uint32_t n = __atomic_load_n(&table->record_next, __ATOMIC_RELAXED);

	do {
		if (n >= SB_OWNER_RECORDS)
			return -ENOSPC;
	} while (!__atomic_compare_exchange_n(&table->record_next, &n, n + 1, false,
					      __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	return (long)n;
}

int sb_owner_put(const struct sb_tree *tree, const struct sb_owner_key *key,
		 const struct sb_owner *next)
{
	struct sb_owner *record;
	uint32_t *bucket;
	uint32_t old;
	long number;

	if (!tree->owners)
		return -ENOSPC;
	number = take_record(tree->owners);
	if (number < 0)
		return (int)number;
	record = record_at(tree, (uint32_t)number);
	*record = *next;
	record->ino = key->ino;
	record->btime = key->btime;
	record->volume = key->volume;
	do {
		bucket = bucket_of(tree, key->volume, key->ino, &old);
		if (!bucket)
			return -ENOSPC;
	} while (!__atomic_compare_exchange_n(bucket, &old, (uint32_t)number, false,
					      __ATOMIC_RELEASE, __ATOMIC_RELAXED));
	return 0;
}

void sb_owner_drop(const struct sb_tree *tree, const struct sb_owner_key *key)
{
	uint32_t *bucket;
	uint32_t old;

	if (!sb_owner_any(tree))
		return;
	bucket = bucket_of(tree, key->volume, key->ino, &old);
	if (!bucket || old == 0 || record_at(tree, old)->btime != key->btime)
		return;
	__atomic_compare_exchange_n(bucket, &old, DELETED, false, __ATOMIC_RELEASE,
				    __ATOMIC_RELAXED);
}

const char *sb_owner_blob(const struct sb_tree *tree, const struct sb_owner *owner)
{
	return (const char *)tree->owners + tree->owners->blobs_off + owner->blob_off;
}

int sb_owner_alloc_blob(const struct sb_tree *tree, uint32_t len, uint64_t *off, char **room)
{
	struct sb_owner_table *table = tree->owners;
	uint64_t at;

	if (!table)
		return -ENOSPC;
	at = __atomic_load_n(&table->blob_next, __ATOMIC_RELAXED);
	do {
		if (at + len > SB_OWNER_BLOB_SIZE)
			return -ENOSPC;
	} while (!__atomic_compare_exchange_n(&table->blob_next, &at, at + len, false,
					      __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	*off = at;
	*room = (char *)table + table->blobs_off + at;
	return 0;
}

int sb_owner_put_blob(const struct sb_tree *tree, const char *bytes, uint32_t len, uint64_t *off)
{
	char *room;
	int err = sb_owner_alloc_blob(tree, len, off, &room);

	if (err == 0)
		memcpy(room, bytes, len);
	return err;
}
