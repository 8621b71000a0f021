/* SPDX-License-Identifier: MIT */
/*
 * dircache.c - remember directories that exist in the upper alone.
 */
#include "dircache.h"

#include "mem.h"

static struct sb_dir_slot *slot_of(const struct sb_fs *fs, uint64_t hash)
{
	return &fs->dirs->slots[hash % SB_ARRAY_LEN(fs->dirs->slots)];
}

uint32_t sb_dircache_generation(const struct sb_tree *tree)
{
	return __atomic_load_n(&tree->control->generation, __ATOMIC_ACQUIRE);
}

void sb_dircache_changed(const struct sb_tree *tree)
{
	__atomic_fetch_add(&tree->control->generation, 1, __ATOMIC_ACQ_REL);
}

/* What proves a slot whole: everything in it goes into the sum. */
static uint64_t sum_of(const struct sb_dir_slot *slot)
{
	return sb_hash((const char *)&slot->spot, sizeof(slot->spot)) ^ slot->hash ^
	       ((uint64_t)slot->generation << 32 | slot->len);
}

bool sb_dircache_find(const struct sb_fs *fs, const char *guest, uint32_t len, struct sb_spot *out)
{
	struct sb_dir_slot slot;
	uint64_t hash;

	if (!fs->dirs)
		return false;
	hash = sb_hash(guest, len);
	slot = *slot_of(fs, hash);
	if (slot.hash != hash || slot.len != len ||
	    slot.generation != sb_dircache_generation(fs->tree) || slot.sum != sum_of(&slot))
		return false;
	*out = slot.spot;
	return true;
}

void sb_dircache_put(const struct sb_fs *fs, const char *guest, uint32_t len,
		     const struct sb_spot *spot, uint32_t generation)
{
	struct sb_dir_slot slot;

	if (!fs->dirs || spot->place != SB_PLACE_UPPER || spot->mount != SB_NO_MOUNT)
		return;
	memset(&slot, 0, sizeof(slot)); /* padding goes into the sum */
	slot.hash = sb_hash(guest, len);
	slot.len = len;
	slot.generation = generation;
	slot.spot = *spot;
	slot.sum = sum_of(&slot);
	*slot_of(fs, slot.hash) = slot;
}
