/* SPDX-License-Identifier: MIT */
/*
 * owner.c - the table of what the host cannot hold for a file.
 *
 * How it works
 *   Every process maps one file. It has buckets (record numbers, open addressing by volume and
 *   inode), records, and bytes of extended attributes. A writer takes a record, fills it, and
 *   swaps its number into the bucket. An inode has at most one bucket: when an inode number is
 *   used again, the new record takes the place of the old one, and look-ups compare the birth
 *   time. The new record keeps the one that it replaced as its spare, and the next writer fills
 *   that. So a record belongs to one inode for ever, and an inode needs two, however often it
 *   changes. A reader copies a record, and copies again when a writer replaced it meanwhile: then
 *   the bucket differs, or the count of writings above the record's flags. A record has its own
 *   room for attributes, which is written with it: after reading them, a reader asks whether its
 *   copy is still current.
 * Rules
 *   Lock-free in all processes. The process that takes a record's number, by an exchange of the
 *   bucket or of a spare, owns the record; if it is killed then, that one record is lost.
 */
#include "tree/owner.h"

#include <errno.h>

#include "base/stat.h"

/* Where the parts of a table lie. The file says so, too, but a guest can write there. */
#define BUCKETS_OFF 4096U
#define RECORDS_OFF (BUCKETS_OFF + SB_OWNER_BUCKETS * sizeof(uint32_t))
#define BLOBS_OFF (RECORDS_OFF + SB_OWNER_RECORDS * sizeof(struct sb_owner))
#define TABLE_SIZE (BLOBS_OFF + (uint64_t)SB_OWNER_BLOB_SIZE)
#define FLAGS 0xfU /* the bits of sb_owner.flags that a reader gets */
#define ROOM_SHIFT \
	4 /* above them the size of the room for attributes: 0, or SMALLEST_ROOM << n - 1 bytes */
#define ROOM_MASK 0x1f0U
#define SMALLEST_ROOM 64U
#define WRITING 0x200U /* the lowest bit of the count of writings: odd during one */
#define DROPPED \
	0x80000000U /* in a bucket: the inode keeps the bucket, and has no record any more */
#define TAKEN                                                                              \
	UINT32_MAX /* in spare: a writer has taken it, and is about to replace this record \
		    */
#define PATIENCE 10000 /* how often to look again while another process writes */

static const char MAGIC[8] = "SBOWNER";

uint64_t sb_owner_size(void)
{
	return TABLE_SIZE;
}

int sb_owner_init(void *map, uint64_t size, const unsigned char *nonce)
{
	struct sb_owner_table *table = map;

	if (size < TABLE_SIZE)
		return -EINVAL;
	memcpy(table->magic, MAGIC, sizeof(MAGIC));
	table->version = SB_OWNER_VERSION;
	table->record_next = 1;
	table->blob_next = 0;
	memcpy(table->nonce, nonce, sizeof(table->nonce));
	table->buckets_off = BUCKETS_OFF;
	table->records_off = RECORDS_OFF;
	table->blobs_off = BLOBS_OFF;
	table->size = TABLE_SIZE;
	table->traits = SB_OWNER_TRAIT_KNOWN;
	return 0;
}

int sb_owner_check(const struct sb_owner_table *table, uint64_t size)
{
	if (size < TABLE_SIZE || memcmp(table->magic, MAGIC, sizeof(MAGIC)) != 0 ||
	    table->version != SB_OWNER_VERSION || table->size != TABLE_SIZE)
		return -EINVAL;
	return 0;
}

static uint32_t *buckets(const struct sb_tree *tree)
{
	return (uint32_t *)(void *)((char *)tree->owners + BUCKETS_OFF);
}

static struct sb_owner *record_at(const struct sb_tree *tree, uint32_t number)
{
	char *records = (char *)tree->owners + RECORDS_OFF;

	return (struct sb_owner *)(void *)records + number;
}

static uint32_t first_bucket(uint32_t volume, uint64_t ino)
{
	uint64_t words[2] = {ino, volume};

	return (uint32_t)sb_hash((const char *)words, sizeof(words)) & (SB_OWNER_BUCKETS - 1);
}

/* The bucket of this inode, or the free one for it; NULL when the table is full. */
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
		if ((n & ~DROPPED) < SB_OWNER_RECORDS) {
			const struct sb_owner *record = record_at(tree, n & ~DROPPED);

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
	key->volume = sb_owner_volume(tree, sb_make_dev(sx->stx_dev_major, sx->stx_dev_minor));
}

bool sb_owner_any(const struct sb_tree *tree)
{
	return tree->owners && __atomic_load_n(&tree->owners->record_next, __ATOMIC_ACQUIRE) > 1;
}

bool sb_owner_any_has(const struct sb_tree *tree, uint32_t trait)
{
	uint32_t traits;

	if (!sb_owner_any(tree))
		return false;
	traits = __atomic_load_n(&tree->owners->traits, __ATOMIC_ACQUIRE);
	return (traits & SB_OWNER_TRAIT_KNOWN) == 0 || (traits & trait) != 0;
}

static bool is_device(const struct sb_owner *record)
{
	const uint32_t type = record->mode & S_IFMT;

	return (record->flags & SB_OWNER_MODE) != 0 && (type == S_IFCHR || type == S_IFBLK);
}

/* Note what a record will say, before it is published. */
static void note_traits(const struct sb_tree *tree, const struct sb_owner *next, uint32_t len)
{
	uint32_t traits = is_device(next) ? SB_OWNER_TRAIT_DEVICE : 0;

	if (len > 0 ||
	    ((next->flags & SB_OWNER_MODE) != 0 && (next->mode & (S_ISUID | S_ISGID)) != 0))
		traits |= SB_OWNER_TRAIT_RIGHTS;
	if ((__atomic_load_n(&tree->owners->traits, __ATOMIC_RELAXED) & traits) != traits)
		__atomic_fetch_or(&tree->owners->traits, traits, __ATOMIC_SEQ_CST);
}

/* Record 0 is no record: its flags say whether files without a name have had records. */
static uint32_t *nameless(const struct sb_tree *tree)
{
	return &record_at(tree, 0)->flags;
}

bool sb_owner_may_be_stale(const struct sb_tree *tree)
{
	return sb_owner_any(tree) && ((tree->control->flags & SB_CONTROL_BIRTH_TIMES) == 0 ||
				      __atomic_load_n(nameless(tree), __ATOMIC_RELAXED) != 0);
}

void sb_owner_note_nameless(const struct sb_tree *tree)
{
	if (tree->owners)
		__atomic_store_n(nameless(tree), 1, __ATOMIC_RELAXED);
}

/* Copy a record. False when the bucket has another one by now. */
static bool copy_record(const uint32_t *bucket, uint32_t number, const struct sb_owner *record,
			struct sb_owner *out)
{
	uint32_t before = __atomic_load_n(&record->flags, __ATOMIC_ACQUIRE);

	*out = *record;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	out->flags = before & FLAGS;
	out->spare = number | before / (2 * WRITING) * SB_OWNER_RECORDS;
	return (before & WRITING) == 0 &&
	       __atomic_load_n(&record->flags, __ATOMIC_RELAXED) == before &&
	       __atomic_load_n(bucket, __ATOMIC_RELAXED) == number;
}

bool sb_owner_find(const struct sb_tree *tree, const struct sb_owner_key *key, struct sb_owner *out)
{
	const uint32_t *bucket;
	uint32_t number;

	if (!sb_owner_any(tree))
		return false;
	for (uint32_t looks = 0; looks < PATIENCE; looks++) {
		bucket = bucket_of(tree, key->volume, key->ino, &number);
		if (!bucket || number == 0 || (number & DROPPED) != 0)
			return false;
		if (copy_record(bucket, number, record_at(tree, number), out))
			return out->btime == key->btime;
	}
	return false; /* only in a damaged table */
}

bool sb_owner_maybe(const struct sb_tree *tree, uint32_t volume, uint64_t ino)
{
	uint32_t number;

	return sb_owner_any(tree) && bucket_of(tree, volume, ino, &number) && number != 0 &&
	       (number & DROPPED) == 0;
}

uint32_t sb_owner_writings(const struct sb_tree *tree)
{
	return tree->owners ? __atomic_load_n(&tree->owners->writings, __ATOMIC_SEQ_CST) : 0;
}

bool sb_owner_maybe_other(const struct sb_tree *tree, uint32_t volume, uint64_t ino)
{
	const struct sb_owner *record;
	uint32_t number;

	if (!sb_owner_any(tree) || !bucket_of(tree, volume, ino, &number) || number == 0 ||
	    number >= SB_OWNER_RECORDS)
		return false;
	record = record_at(tree, number);
	return (record->flags & (SB_OWNER_ORIGIN | WRITING)) != 0 || is_device(record);
}

bool sb_owner_is_current(const struct sb_tree *tree, const struct sb_owner_key *key,
			 const struct sb_owner *copy)
{
	struct sb_owner now;

	return sb_owner_find(tree, key, &now) && now.spare == copy->spare;
}

bool sb_owner_load(const struct sb_tree *tree, const struct statx *sx, struct sb_owner_key *key,
		   struct sb_owner *next)
{
	sb_owner_key(tree, sx, key);
	if (sb_owner_find(tree, key, next))
		return true;
	memset(next, 0, sizeof(*next));
	return false;
}

uint32_t sb_owner_type(const struct statx *sx, const struct sb_owner *owner)
{
	const uint32_t host = sx->stx_mode & S_IFMT;
	const uint32_t type = owner->mode & S_IFMT;

	if ((owner->flags & SB_OWNER_MODE) == 0 || host != S_IFREG || sx->stx_size != 0)
		return host;
	return type == S_IFCHR || type == S_IFBLK ? type : host;
}

bool sb_owner_is_copy(const struct sb_tree *tree, const struct statx *sx, uint64_t ino)
{
	struct sb_owner_key key;
	struct sb_owner record;

	return sb_owner_load(tree, sx, &key, &record) && record.origin == ino;
}

/* The number of a record that was never used, or 0. */
static uint32_t new_record(struct sb_owner_table *table)
{
	uint32_t n = __atomic_load_n(&table->record_next, __ATOMIC_RELAXED);

	do {
		if (n >= SB_OWNER_RECORDS)
			return 0;
	} while (!__atomic_compare_exchange_n(&table->record_next, &n, n + 1, false,
					      __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	return n;
}

/* Take a record to write in: the spare of the current one. When another writer has taken that,
 * wait: it publishes it soon, with a spare of its own. */
static uint32_t take_record(const struct sb_tree *tree, const uint32_t *bucket)
{
	for (uint32_t looks = 0; looks < PATIENCE; looks++) {
		uint32_t current = __atomic_load_n(bucket, __ATOMIC_ACQUIRE) & ~DROPPED;
		uint32_t spare;

		if (current >= SB_OWNER_RECORDS) /* a guest has changed the bucket meanwhile */
			break;
		spare = __atomic_exchange_n(&record_at(tree, current)->spare, TAKEN,
					    __ATOMIC_ACQ_REL);
		if (spare == 0)
			break;
		if (spare < SB_OWNER_RECORDS)
			return spare;
	}
	return new_record(tree->owners);
}

/* What to write into a record. bytes are its attributes, or NULL to keep those of the record
 * that it replaces. */
struct filling {
	const struct sb_owner_key *key;
	const struct sb_owner *next;
	const char *bytes;
	uint32_t len;
};

/* Is there room for len bytes at off? A guest can write a record, so each value is read once. */
static bool is_room(uint32_t off, uint32_t len)
{
	return len <= SB_OWNER_BLOB_SIZE && off <= SB_OWNER_BLOB_SIZE - len;
}

/* Give a record that we own room for len bytes, and say where that is. */
static int make_room(const struct sb_tree *tree, struct sb_owner *record, uint32_t len, char **room)
{
	uint32_t flags = __atomic_load_n(&record->flags, __ATOMIC_RELAXED);
	uint32_t off = __atomic_load_n(&record->blob_off, __ATOMIC_RELAXED);
	uint32_t n = (flags & ROOM_MASK) >> ROOM_SHIFT;
	uint64_t size = SMALLEST_ROOM;
	int err;

	*room = (char *)tree->owners + BLOBS_OFF + off;
	if (len == 0 || (n > 0 && len <= (uint64_t)SMALLEST_ROOM << (n - 1) && is_room(off, len)))
		return 0;
	for (n = 1; size < len; n++)
		size *= 2;
	if (size > SB_OWNER_BLOB_SIZE)
		return -ENOSPC;
	err = sb_owner_alloc_blob(tree, (uint32_t)size, &off, room);
	if (err < 0)
		return err;
	record->blob_off = off;
	record->flags = (flags & ~ROOM_MASK) | n << ROOM_SHIFT;
	return 0;
}

/* Take the attributes of the current record over. */
static void take_list(const struct sb_tree *tree, const struct sb_owner *current, struct filling *f)
{
	f->len = 0;
	f->bytes = "";
	if (current->btime == f->key->btime && (current->flags & SB_OWNER_XATTRS) != 0 &&
	    (f->next->flags & SB_OWNER_XATTRS) != 0)
		f->bytes = sb_owner_blob(tree, current, &f->len) ?: "";
}

/* Fill a record that we own. */
static int write_record(const struct sb_tree *tree, struct sb_owner *record,
			const struct filling *f, uint32_t spare)
{
	const struct sb_owner *next = f->next;
	uint32_t count;
	char *room;
	int err = make_room(tree, record, f->len, &room);

	if (err < 0)
		return err;
	count = (record->flags & ~FLAGS) | WRITING;
	__atomic_store_n(&record->flags, count, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	record->ino = f->key->ino;
	record->btime = f->key->btime;
	record->volume = f->key->volume;
	record->rdev = next->rdev;
	record->origin = next->origin;
	record->uid = next->uid;
	record->gid = next->gid;
	record->mode = next->mode;
	record->blob_len = f->len;
	memcpy(room, f->bytes, f->len);
	__atomic_store_n(&record->spare, spare, __ATOMIC_RELAXED);
	__atomic_store_n(&record->flags, (count + WRITING) | (next->flags & FLAGS),
			 __ATOMIC_RELEASE);
	return 0;
}

/* Publish the record *mine, or when it is 0 one that is taken now. 0, or -EAGAIN when another
 * writer was faster: go on with *mine. */
static int publish(const struct sb_tree *tree, struct filling f, uint32_t *mine)
{
	struct sb_owner current = {0};
	struct sb_owner again;
	uint32_t old;
	uint32_t *bucket = bucket_of(tree, f.key->volume, f.key->ino, &old);
	uint32_t number = old & ~DROPPED;
	int err;

	if (bucket && *mine == 0)
		*mine = old != 0 ? take_record(tree, bucket) : new_record(tree->owners);
	if (!bucket || *mine == 0)
		return -ENOSPC;
	if (!f.bytes && old != 0 && old == number &&
	    !copy_record(bucket, old, record_at(tree, old), &current))
		return -EAGAIN;
	if (!f.bytes)
		take_list(tree, &current, &f);
	err = write_record(tree, record_at(tree, *mine), &f, old != 0 ? TAKEN : 0);
	if (err < 0)
		return err;
	if (f.len > 0 && current.spare != 0 &&
	    (!copy_record(bucket, old, record_at(tree, old), &again) ||
	     again.spare != current.spare))
		return -EAGAIN;
	if (!__atomic_compare_exchange_n(bucket, &old, *mine, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_RELAXED))
		return -EAGAIN;
	if (number != 0)
		__atomic_store_n(&record_at(tree, *mine)->spare, number, __ATOMIC_RELEASE);
	return 0;
}

static int put(const struct sb_tree *tree, struct filling f)
{
	uint32_t mine = 0;
	int err = tree->owners ? -EAGAIN : -ENOSPC;

	if (tree->owners) {
		note_traits(tree, f.next, f.len);
		__atomic_fetch_add(&tree->owners->writings, 1, __ATOMIC_SEQ_CST);
	}
	for (uint32_t tries = 0; err == -EAGAIN && tries < PATIENCE; tries++)
		err = publish(tree, f, &mine);
	return err == -EAGAIN ? -ENOSPC : err; /* only in a damaged table */
}

int sb_owner_put(const struct sb_tree *tree, const struct sb_owner_key *key,
		 const struct sb_owner *next)
{
	return put(tree, (struct filling){.key = key, .next = next});
}

int sb_owner_put_list(const struct sb_tree *tree, const struct sb_owner_key *key,
		      const struct sb_owner *next, const char *bytes, uint32_t len)
{
	return put(tree, (struct filling){key, next, bytes, len});
}

void sb_owner_drop(const struct sb_tree *tree, const struct sb_owner_key *key)
{
	uint32_t *bucket;
	uint32_t old;

	if (!sb_owner_any(tree))
		return;
	bucket = bucket_of(tree, key->volume, key->ino, &old);
	if (!bucket || old == 0 || record_at(tree, old & ~DROPPED)->btime != key->btime)
		return;
	__atomic_compare_exchange_n(bucket, &old, old | DROPPED, false, __ATOMIC_RELEASE,
				    __ATOMIC_RELAXED);
}

const char *sb_owner_blob(const struct sb_tree *tree, const struct sb_owner *owner, uint32_t *len)
{
	*len = (owner->flags & SB_OWNER_XATTRS) != 0 ? owner->blob_len : 0;
	if (!is_room(owner->blob_off, *len))
		*len = 0; /* the table is damaged */
	return *len > 0 ? (const char *)tree->owners + BLOBS_OFF + owner->blob_off : NULL;
}

int sb_owner_alloc_blob(const struct sb_tree *tree, uint32_t len, uint32_t *off, char **room)
{
	struct sb_owner_table *table = tree->owners;
	uint64_t at;

	if (!table)
		return -ENOSPC;
	at = __atomic_load_n(&table->blob_next, __ATOMIC_RELAXED);
	do {
		if (len > SB_OWNER_BLOB_SIZE || at > SB_OWNER_BLOB_SIZE - len)
			return -ENOSPC;
	} while (!__atomic_compare_exchange_n(&table->blob_next, &at, at + len, false,
					      __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	*off = (uint32_t)at;
	*room = (char *)table + BLOBS_OFF + at;
	return 0;
}
