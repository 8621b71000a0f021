/* SPDX-License-Identifier: MIT */
/*
 * test_owner.c - the owner table: one record for each inode, also with many writers, and none for
 * an inode that was reused.
 */
#include "tree/owner.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/stat.h"
#include "check.h"
#include "change/internal.h"
#include "tree/xattr.h"

static struct sb_control control;
static struct sb_tree tree = {.control = &control};

static void make_table(void)
{
	static const unsigned char nonce[16] = "0123456789abcde";
	size_t size = sb_owner_size();
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	CHECK(map != MAP_FAILED);
	CHECK_INT(sb_owner_init(map, 4096, nonce), -EINVAL);
	CHECK_INT(sb_owner_check(map, size), -EINVAL);
	CHECK_INT(sb_owner_init(map, size, nonce), 0);
	CHECK_INT(sb_owner_check(map, size), 0);
	CHECK_INT(sb_owner_check(map, size - 1), -EINVAL);
	tree.owners = map;
}

static void drop_table(void)
{
	munmap(tree.owners, sb_owner_size());
}

static struct sb_owner_key key_of(uint64_t ino, uint64_t btime)
{
	return (struct sb_owner_key){.ino = ino, .btime = btime};
}

static void put(uint64_t ino, uint64_t btime, uint32_t uid)
{
	struct sb_owner_key key = key_of(ino, btime);
	struct sb_owner record = {.flags = SB_OWNER_IDS, .uid = uid};

	CHECK_INT(sb_owner_put(&tree, &key, &record), 0);
}

/* Return the uid of the inode's record, or -1. */
static long uid_of(uint64_t ino, uint64_t btime)
{
	struct sb_owner_key key = key_of(ino, btime);
	struct sb_owner found;

	return sb_owner_find(&tree, &key, &found) ? (long)found.uid : -1;
}

static void drop(uint64_t ino, uint64_t btime)
{
	struct sb_owner_key key = key_of(ino, btime);

	sb_owner_drop(&tree, &key);
}

static void test_a_record_is_only_found_by_its_whole_key(void)
{
	make_table();
	CHECK(!sb_owner_any(&tree));
	CHECK_INT(uid_of(7, 1), -1);
	CHECK(!sb_owner_maybe(&tree, 0, 7));
	put(7, 1, 100);
	CHECK(sb_owner_any(&tree));
	CHECK_INT(uid_of(7, 1), 100);
	CHECK(sb_owner_maybe(&tree, 0, 7));
	CHECK(!sb_owner_maybe(&tree, 1, 7));
	CHECK_INT(uid_of(7, 2), -1);
	drop_table();
}

static void test_a_reused_inode_replaces_the_old_record(void)
{
	make_table();
	put(7, 1, 100);
	put(7, 2, 200);
	CHECK_INT(uid_of(7, 1), -1);
	drop(7, 1); /* the record belongs to the new file */
	CHECK_INT(uid_of(7, 2), 200);
	drop(7, 2);
	CHECK_INT(uid_of(7, 2), -1);
	CHECK(!sb_owner_maybe(&tree, 0, 7));
	put(7, 2, 300);
	CHECK_INT(uid_of(7, 2), 300);
	drop_table();
}

static void put_mode(uint64_t ino, uint32_t mode)
{
	struct sb_owner_key key = key_of(ino, 1);
	struct sb_owner record = {.flags = SB_OWNER_MODE, .mode = mode};

	CHECK_INT(sb_owner_put(&tree, &key, &record), 0);
}

static void test_the_table_knows_what_its_records_have_ever_said(void)
{
	const uint32_t before = SB_OWNER_TRAIT_KNOWN;
	uint32_t writings;

	make_table();
	CHECK(!sb_owner_any_has(&tree, SB_OWNER_TRAIT_DEVICE));
	writings = sb_owner_writings(&tree);
	put_mode(7, S_IFREG | 0444);
	CHECK(sb_owner_writings(&tree) != writings);
	CHECK(!sb_owner_any_has(&tree, SB_OWNER_TRAIT_DEVICE | SB_OWNER_TRAIT_RIGHTS));
	CHECK(!sb_owner_maybe_other(&tree, 0, 7));
	put_mode(7, S_IFCHR | 0600);
	CHECK(sb_owner_any_has(&tree, SB_OWNER_TRAIT_DEVICE));
	CHECK(!sb_owner_any_has(&tree, SB_OWNER_TRAIT_RIGHTS));
	CHECK(sb_owner_maybe_other(&tree, 0, 7));
	put_mode(8, S_IFDIR | 02755);
	CHECK(sb_owner_any_has(&tree, SB_OWNER_TRAIT_RIGHTS));
	CHECK(!sb_owner_maybe_other(&tree, 0, 8));
	drop(7, 1);
	CHECK(!sb_owner_maybe_other(&tree, 0, 7));
	CHECK(sb_owner_any_has(&tree, SB_OWNER_TRAIT_DEVICE));
	tree.owners->traits &= ~before; /* a table of an older version */
	CHECK(sb_owner_any_has(&tree, SB_OWNER_TRAIT_RIGHTS));
	drop_table();
}

static void test_a_file_may_change_more_often_than_the_table_has_records(void)
{
	make_table();
	for (uint32_t i = 0; i <= SB_OWNER_RECORDS; i++) {
		put(7, i, i);
		if (i % 3 == 0)
			drop(7, i);
	}
	CHECK_INT(uid_of(7, SB_OWNER_RECORDS), SB_OWNER_RECORDS % 3 ? SB_OWNER_RECORDS : -1);
	CHECK_INT(tree.owners->record_next, 3);
	drop_table();
}

static void test_a_full_table_gives_enospc(void)
{
	struct sb_owner_key key = key_of(1, 1);
	struct sb_owner record = {0};
	uint32_t off;
	char *room;

	make_table();
	tree.owners->record_next = SB_OWNER_RECORDS;
	CHECK_INT(sb_owner_put(&tree, &key, &record), -ENOSPC);
	CHECK_INT(tree.owners->record_next, SB_OWNER_RECORDS);
	tree.owners->blob_next = SB_OWNER_BLOB_SIZE - 3;
	CHECK_INT(sb_owner_alloc_blob(&tree, 4, &off, &room), -ENOSPC);
	CHECK_INT(sb_owner_alloc_blob(&tree, 3, &off, &room), 0);
	CHECK_INT(off, SB_OWNER_BLOB_SIZE - 3);
	drop_table();
}

#define WRITERS 4
#define FILES 50
#define ROUNDS 400

/* The uid of a record names the writer and the round. The gid must always be the same number. */
static void write_often(uint32_t who)
{
	for (uint32_t round = 1; round <= ROUNDS; round++) {
		for (uint64_t ino = 1; ino <= FILES; ino++) {
			struct sb_owner_key key = key_of(ino, 1);
			struct sb_owner record = {.uid = who << 16 | round,
						  .gid = who << 16 | round};
			struct sb_owner found;

			if (sb_owner_put(&tree, &key, &record) != 0)
				_exit(1);
			if (!sb_owner_find(&tree, &key, &found) || found.uid != found.gid)
				_exit(2);
			if ((found.uid >> 16) == who && (found.uid & 0xffff) != round)
				_exit(3); /* an older record of this writer came back */
		}
	}
	_exit(0);
}

static void test_writers_in_several_processes_leave_one_record_each(void)
{
	const uint32_t *buckets;
	uint32_t used = 0;
	int status;

	make_table();
	for (uint32_t who = 1; who <= WRITERS; who++) {
		if (fork() == 0)
			write_often(who);
	}
	for (uint32_t who = 1; who <= WRITERS; who++) {
		CHECK(wait(&status) > 0);
		CHECK_INT(status, 0);
	}
	/* two records for each file, and one for each writer that was interrupted while writing */
	CHECK(tree.owners->record_next < WRITERS * FILES * ROUNDS / 4);
	buckets = (const uint32_t *)(const void *)((const char *)tree.owners +
						   tree.owners->buckets_off);
	for (uint32_t i = 0; i < SB_OWNER_BUCKETS; i++)
		used += buckets[i] != 0;
	CHECK_INT(used, FILES);
	for (uint64_t ino = 1; ino <= FILES; ino++)
		CHECK_INT(uid_of(ino, 1) & 0xffff, ROUNDS);
	drop_table();
}

static void test_the_device_determines_the_volume(void)
{
	struct statx sx = {.stx_dev_major = 8, .stx_dev_minor = 1, .stx_ino = 5};
	struct sb_owner_key key;

	control.upper_dev = sb_make_dev(8, 1);
	control.mount_count = 1;
	control.mounts[0].dev = sb_make_dev(0, 300);
	sb_owner_key(&tree, &sx, &key);
	CHECK_INT(key.volume, 0);
	CHECK_INT(key.btime, 0);
	sx.stx_dev_major = 0;
	sx.stx_dev_minor = 300;
	sx.stx_mask = STATX_BTIME;
	sx.stx_btime.tv_sec = 2;
	sx.stx_btime.tv_nsec = 3;
	sb_owner_key(&tree, &sx, &key);
	CHECK_INT(key.volume, 1);
	CHECK_INT(key.btime, 2000000003);
	sx.stx_dev_minor = 77;
	sb_owner_key(&tree, &sx, &key);
	CHECK(key.volume > SB_MAX_MOUNTS);
}

/* ---- attributes ---- */

static struct sb_work work;
static struct sb_fs fs = {.tree = &tree, .work = &work};

/* Set an attribute of inode 7, or remove it if value is NULL. */
static int set(const char *name, const char *value)
{
	struct sb_owner_key key = key_of(7, 1);
	struct sb_owner record = {0};

	return sb_xattr_put(&fs, &key, &record, name, value, value ? (uint32_t)strlen(value) : 0);
}

/* Whether the attribute of inode 7 has this value. */
static bool has(const char *name, const char *value)
{
	struct sb_owner_key key = key_of(7, 1);
	struct sb_owner record;
	struct sb_xattr one;
	const char *packed;
	uint32_t len;

	if (!sb_owner_find(&tree, &key, &record))
		return false;
	packed = sb_owner_blob(&tree, &record, &len);
	return sb_xattr_find(packed, len, name, &one) &&
	       sb_same(one.value, one.value_len, value, strlen(value));
}

static void test_attributes_are_set_replaced_and_removed(void)
{
	struct sb_owner_key key = key_of(7, 1);
	struct sb_owner record = {.flags = SB_OWNER_XATTRS | SB_OWNER_IDS, .uid = 5};
	struct sb_xattr one;
	const char *packed;
	uint32_t len;
	uint32_t pos = 0;

	make_table();
	CHECK_INT(set("user.a", "1"), 0);
	CHECK_INT(set("user.b", ""), 0);
	CHECK_INT(set("user.a", "22"), 0);
	CHECK(has("user.a", "22") && has("user.b", "") && !has("user.", ""));
	CHECK_INT(sb_owner_put(&tree, &key, &record), 0); /* a new owner keeps the attributes */
	CHECK(has("user.a", "22") && has("user.b", ""));
	CHECK(sb_owner_find(&tree, &key, &record));
	CHECK_INT(record.uid, 5);
	packed = sb_owner_blob(&tree, &record, &len);
	CHECK(!sb_xattr_next(packed, len - 1, &pos, &one) ||
	      !sb_xattr_next(packed, len - 1, &pos, &one));
	CHECK_INT(set("user.a", NULL), 0);
	CHECK(!has("user.a", "22") && has("user.b", ""));
	CHECK_INT(set("user.b", NULL), 0);
	CHECK(!has("user.b", ""));
	put(7, 2, 9); /* another file with this inode number has no attributes */
	put(7, 1, 9);
	CHECK(!has("user.a", "22"));
	drop_table();
}

static void test_attributes_may_change_more_often_than_the_table_has_room_for(void)
{
	static char value[4000];

	make_table();
	memset(value, 'v', sizeof(value) - 1);
	for (uint32_t i = 0; i < SB_OWNER_BLOB_SIZE / sizeof(value) * 2; i++) {
		CHECK_INT(set("user.a", value), 0);
		put(7 + i % 3, 1, i); /* owners of this and other files change in between */
		if (i % 3 != 0)
			CHECK(has("user.a", value));
	}
	CHECK(tree.owners->blob_next < 100000);
	drop_table();
}

#define READS 5000

/* Each value repeats one letter, so a mixture of two values is noticed. */
static void test_attributes_are_read_whole_while_other_processes_change_them(void)
{
	struct sb_owner_key key = key_of(7, 1);
	uint32_t whole = 0;
	int status;
	pid_t writers[2];

	make_table();
	for (int who = 0; who < 2; who++) {
		writers[who] = fork();
		if (writers[who] == 0)
			prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (unsigned i = 0; writers[who] == 0; i++) {
			char value[2001];

			memset(value, 'a' + (int)(i % 26), sizeof(value));
			value[100 + (i * 37) % 1900] = '\0';
			if (set("user.a", value) != 0)
				_exit(1);
		}
	}
	while (whole < READS) {
		struct sb_owner record;
		struct sb_xattr one;
		const char *packed;
		uint32_t len;
		char copy[2001];

		if (!sb_owner_find(&tree, &key, &record))
			continue;
		packed = sb_owner_blob(&tree, &record, &len);
		if (!sb_xattr_find(packed, len, "user.a", &one) || one.value_len > sizeof(copy))
			continue; /* changed while it was read; other rounds check it */
		memcpy(copy, one.value, one.value_len);
		if (!sb_owner_is_current(&tree, &key, &record))
			continue;
		for (uint32_t i = 1; i < one.value_len; i++)
			CHECK_INT(copy[i], copy[0]);
		whole++;
	}
	for (int who = 0; who < 2; who++) {
		kill(writers[who], SIGKILL);
		CHECK_INT(waitpid(writers[who], &status, 0), writers[who]);
		CHECK(WIFSIGNALED(status)); /* no call failed */
	}
	drop_table();
}

int main(void)
{
	test_a_record_is_only_found_by_its_whole_key();
	test_a_reused_inode_replaces_the_old_record();
	test_the_table_knows_what_its_records_have_ever_said();
	test_a_file_may_change_more_often_than_the_table_has_records();
	test_a_full_table_gives_enospc();
	test_writers_in_several_processes_leave_one_record_each();
	test_the_device_determines_the_volume();
	test_attributes_are_set_replaced_and_removed();
	test_attributes_may_change_more_often_than_the_table_has_room_for();
	test_attributes_are_read_whole_while_other_processes_change_them();
	return 0;
}
