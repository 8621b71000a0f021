/* SPDX-License-Identifier: MIT */
/*
 * dircache.c - remember directories that exist in the upper, or in a live lower alone.
 */
#include "tree/dircache.h"

#include "base/shared_abi.h"

static struct sb_dir_slot *slot_of(const struct sb_fs *fs, uint64_t hash)
{
	return &fs->dirs->slots[hash % SB_ARRAY_LEN(fs->dirs->slots)];
}

uint32_t sb_dircache_generation(const struct sb_tree *tree)
{
	return __atomic_load_n(&tree->shared->generation, __ATOMIC_ACQUIRE);
}

uint32_t sb_dircache_moved(const struct sb_tree *tree)
{
	return __atomic_load_n(&tree->shared->moved, __ATOMIC_SEQ_CST);
}

void sb_dircache_changed(const struct sb_tree *tree)
{
	__atomic_fetch_add(&tree->shared->moved, 1, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&tree->shared->generation, 1, __ATOMIC_SEQ_CST);
}

/* ---- ages ----------------------------------------------------------------- */

/* The lower bits of an age count changes that have begun and not ended, the others those that were
 * done: a change that fails leaves it as it was. */
#define UNDER_WAY 0xfffU
#define DONE (UNDER_WAY + 1)

static uint32_t *age_of(const struct sb_tree *tree, const char *path, uint32_t len)
{
	uint32_t name = len;

	while (name > 0 && path[name - 1] != '/')
		name--;
	return &tree->shared->ages[sb_hash(path + name, len - name) % SB_DIR_AGES];
}

void sb_dircache_ending(const struct sb_tree *tree, const char *path, uint32_t len)
{
	__atomic_fetch_add(age_of(tree, path, len), 1, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&tree->shared->generation, 1, __ATOMIC_SEQ_CST);
}

void sb_dircache_ended(const struct sb_tree *tree, const char *path, uint32_t len, bool done)
{
	__atomic_fetch_add(age_of(tree, path, len), done ? DONE - 1 : -1U, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&tree->shared->generation, 1, __ATOMIC_SEQ_CST);
}

bool sb_dircache_age(const struct sb_tree *tree, const char *guest, uint32_t len,
		     uint32_t generation, struct sb_dir_age *age)
{
	age->moved = sb_dircache_moved(tree);
	age->named = __atomic_load_n(age_of(tree, guest, len), __ATOMIC_SEQ_CST);
	return (age->named & UNDER_WAY) == 0 && sb_dircache_generation(tree) == generation;
}

bool sb_dircache_has_age(const struct sb_tree *tree, const char *guest, uint32_t len,
			 const struct sb_dir_age *age)
{
	return age->named == __atomic_load_n(age_of(tree, guest, len), __ATOMIC_SEQ_CST) &&
	       age->moved == sb_dircache_moved(tree);
}

bool sb_dircache_has_strays(const struct sb_tree *tree)
{
	return __atomic_load_n(&tree->shared->strays, __ATOMIC_SEQ_CST) != 0;
}

/* ---- directories being made ---------------------------------------------- */

void sb_dircache_making(const struct sb_tree *tree)
{
	__atomic_fetch_add(&tree->shared->dirs_making, 1, __ATOMIC_SEQ_CST);
}

void sb_dircache_made(const struct sb_tree *tree)
{
	__atomic_fetch_add(&tree->shared->dirs_made, 1, __ATOMIC_SEQ_CST);
	__atomic_fetch_sub(&tree->shared->dirs_making, 1, __ATOMIC_SEQ_CST);
}

bool sb_dircache_is_quiet(const struct sb_tree *tree, uint32_t made)
{
	return __atomic_load_n(&tree->shared->dirs_making, __ATOMIC_SEQ_CST) == 0 &&
	       __atomic_load_n(&tree->shared->dirs_made, __ATOMIC_SEQ_CST) == made;
}

uint32_t sb_dircache_count(const struct sb_tree *tree)
{
	return __atomic_load_n(&tree->shared->dirs_made, __ATOMIC_SEQ_CST);
}

/* ---- the slots ------------------------------------------------------------ */

/* A slot is whole when this is its sum: everything in it goes into the sum. */
static uint64_t sum_of(const struct sb_dir_slot *slot)
{
	const char *from = (const char *)&slot->len;

	return sb_hash(from, (size_t)((const char *)(slot + 1) - from)) ^ slot->hash;
}

/* Copy the slot of guest, if it holds that directory as it is now. */
static bool load(const struct sb_fs *fs, const char *guest, uint32_t len, struct sb_dir_slot *slot)
{
	/* Read before the generation, which is raised before a directory counts as made. */
	const bool making = __atomic_load_n(&fs->tree->shared->dirs_making, __ATOMIC_SEQ_CST) != 0;
	uint64_t hash;

	if (!sb_dircache_may_find(fs, guest, len))
		return false;
	hash = sb_hash(guest, len);
	if (slot_of(fs, hash)->hash != hash)
		return false;
	*slot = *slot_of(fs, hash);
	return slot->hash == hash && slot->len == len &&
	       sb_dircache_has_age(fs->tree, guest, len, &slot->age) && slot->sum == sum_of(slot) &&
	       (slot->spot.place == SB_PLACE_UPPER || !making);
}

/* Put a path into the filter. A bit that another thread loses here only costs a look. */
static void filter_in(struct sb_dir_slots *dirs, const char *guest, uint32_t len, uint32_t moved)
{
	const unsigned bit = sb_dircache_bit(guest, len);

	if (dirs->filter_moved != moved) {
		memset(dirs->filter, 0, sizeof(dirs->filter));
		dirs->filter_moved = moved;
	}
	dirs->filter[bit / 64] |= 1ULL << bit % 64;
}

static void store(const struct sb_fs *fs, const char *guest, uint32_t len,
		  const struct sb_spot *spot, const struct sb_dir_looks *looks, uint32_t generation)
{
	struct sb_dir_slot slot;

	if (!fs->dirs || spot->mount != SB_NO_MOUNT ||
	    (spot->place != SB_PLACE_UPPER && spot->place != SB_PLACE_LIVE))
		return;
	memset(&slot, 0, sizeof(slot)); /* padding goes into the sum */
	if (!sb_dircache_age(fs->tree, guest, len, generation, &slot.age))
		return;
	slot.hash = sb_hash(guest, len);
	slot.len = len;
	slot.spot = *spot;
	if (looks)
		slot.looks = *looks;
	slot.sum = sum_of(&slot);
	*slot_of(fs, slot.hash) = slot;
	filter_in(fs->dirs, guest, len, slot.age.moved);
}

bool sb_dircache_find(const struct sb_fs *fs, const char *guest, uint32_t len, struct sb_spot *out)
{
	struct sb_dir_slot slot;

	if (!load(fs, guest, len, &slot))
		return false;
	*out = slot.spot;
	return true;
}

bool sb_dircache_looks(const struct sb_fs *fs, const char *guest, uint32_t len, struct sb_spot *out,
		       struct sb_dir_looks *looks)
{
	struct sb_dir_slot slot;

	if (!load(fs, guest, len, &slot) || slot.looks.known == 0)
		return false;
	*out = slot.spot;
	*looks = slot.looks;
	return true;
}

void sb_dircache_put(const struct sb_fs *fs, const char *guest, uint32_t len,
		     const struct sb_spot *spot, uint32_t generation)
{
	store(fs, guest, len, spot, NULL, generation);
}

void sb_dircache_learn(const struct sb_fs *fs, const char *guest, uint32_t len,
		       const struct sb_spot *spot, const struct sb_dir_looks *looks,
		       uint32_t generation)
{
	store(fs, guest, len, spot, looks, generation);
}
