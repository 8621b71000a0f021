/* SPDX-License-Identifier: MIT */
/*
 * owner.h - what the guest believes of a host file and the host cannot hold.
 *
 * A record has owner, mode, device numbers, original inode number and extended attributes.
 * Rules
 *   The key of a record is (volume, inode, birth time), so a reused inode number inherits none. A
 *   record is whole before one atomic store publishes it: a kill leaves the old or the new one.
 *   Readers get copies.
 */
#ifndef SB_OWNER_H
#define SB_OWNER_H

#include "tree/tree.h"

/* Key of a host file. */
struct sb_owner_key {
	uint64_t ino;
	uint64_t btime;
	uint32_t volume;
};

/* Size of a table file; write the first bytes of a new, zero-filled one. */
uint64_t sb_owner_size(void);
int sb_owner_init(void *map, uint64_t size, const unsigned char *nonce) SB_MUST_CHECK;
/* Does this mapping hold a table of this version? 0 or -EINVAL. */
int sb_owner_check(const struct sb_owner_table *table, uint64_t size) SB_MUST_CHECK;

/* The volume of a device number as struct stat holds it. */
uint32_t sb_owner_volume(const struct sb_tree *tree, uint64_t dev);
void sb_owner_key(const struct sb_tree *tree, const struct statx *sx, struct sb_owner_key *key);
/* Copy the current record. False when there is none. */
bool sb_owner_find(const struct sb_tree *tree, const struct sb_owner_key *key,
		   struct sb_owner *out) SB_MUST_CHECK;
/* Fill key, and next with the current record, or with zeros. True when there is one. */
bool sb_owner_load(const struct sb_tree *tree, const struct statx *sx, struct sb_owner_key *key,
		   struct sb_owner *next);
/* The type of a host file that has this record. Only an empty file can stand for something else,
 * a device. */
uint32_t sb_owner_type(const struct statx *sx, const struct sb_owner *owner);
/* Is this the copy of the lower file with that inode number? */
bool sb_owner_is_copy(const struct sb_tree *tree, const struct statx *sx, uint64_t ino);
/* Was anything ever recorded? */
bool sb_owner_any(const struct sb_tree *tree);
/* Has any record ever had this trait (SB_OWNER_TRAIT_*)? */
bool sb_owner_any_has(const struct sb_tree *tree, uint32_t trait);
/* How many records were published: while it is the same, no file has got one. */
uint32_t sb_owner_writings(const struct sb_tree *tree);
/* Can a new file find the record of an earlier one? */
bool sb_owner_may_be_stale(const struct sb_tree *tree);
/* Note that a file without a name gets a record. Nothing drops that record when the file is
 * gone, so from now on a new file may find it: birth times tick about 250 times a second, and
 * the inode number can be used again within one tick. */
void sb_owner_note_nameless(const struct sb_tree *tree);
/* Is there a record of this inode, of any birth time? A cheap test. */
bool sb_owner_maybe(const struct sb_tree *tree, uint32_t volume, uint64_t ino);
/* The same for a record that gives the inode another number or type. */
bool sb_owner_maybe_other(const struct sb_tree *tree, uint32_t volume, uint64_t ino);
/* Does the copy still match the current record? Then the attributes, which are not part of the
 * copy, were whole when they were read. */
bool sb_owner_is_current(const struct sb_tree *tree, const struct sb_owner_key *key,
			 const struct sb_owner *copy) SB_MUST_CHECK;
/* Publish next for key, which gives ino, btime and volume. With SB_OWNER_XATTRS the attributes
 * of the current record stay. -ENOSPC when the table is full; a file that has had two records
 * needs no more room. */
int sb_owner_put(const struct sb_tree *tree, const struct sb_owner_key *key,
		 const struct sb_owner *next) SB_MUST_CHECK;
/* The same with this list of attributes, in packed form. */
int sb_owner_put_list(const struct sb_tree *tree, const struct sb_owner_key *key,
		      const struct sb_owner *next, const char *bytes, uint32_t len) SB_MUST_CHECK;
void sb_owner_drop(const struct sb_tree *tree, const struct sb_owner_key *key);
/* Packed extended attributes of a record, len bytes; NULL when there are none. */
const char *sb_owner_blob(const struct sb_tree *tree, const struct sb_owner *owner, uint32_t *len);
/* Reserve len bytes. The caller fills them before it publishes a record. */
int sb_owner_alloc_blob(const struct sb_tree *tree, uint32_t len, uint32_t *off,
			char **room) SB_MUST_CHECK;

#endif
