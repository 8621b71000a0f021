/* SPDX-License-Identifier: MIT */
/*
 * ipc_table.c - look up and take slots in the table of a container's System V objects.
 *
 * How it works
 *   Keys take the slots below SB_IPC_KEYED in order, so the first free slot ends the search.
 *   Other objects take any free slot above, and give it back.
 */
#include "pure/ipc_table.h"

#include <errno.h>

#define CAP_IPC_OWNER 15
/* With the kernel's usual ids two objects never meet in one number. */
#define NEIGHBOURS 8

static uint64_t key_of(const struct sb_ipc_slot *slot)
{
	return __atomic_load_n(&slot->key, __ATOMIC_ACQUIRE);
}

static bool take(struct sb_ipc_slot *slot, uint64_t key)
{
	uint64_t free = 0;

	return __atomic_compare_exchange_n(&slot->key, &free, key, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_ACQUIRE);
}

static uint16_t *number_at(struct sb_ipc_table *table, enum sb_ipc_kind kind, int id, unsigned i)
{
	return &table->numbers[kind][((uint32_t)id + i) % SB_IPC_INDEXES];
}

struct sb_ipc_slot *sb_ipc_find(struct sb_ipc_table *table, enum sb_ipc_kind kind, int id)
{
	for (unsigned i = 0; i < NEIGHBOURS; i++) {
		const uint16_t number =
			__atomic_load_n(number_at(table, kind, id, i), __ATOMIC_ACQUIRE);
		struct sb_ipc_slot *slot = sb_ipc_slot(table, kind, number);

		if (sb_ipc_has(slot, id))
			return slot;
	}
	return NULL;
}

int sb_ipc_find_key(struct sb_ipc_table *table, enum sb_ipc_kind kind, uint32_t key)
{
	for (int number = 0; number < SB_IPC_KEYED; number++) {
		const uint64_t found = key_of(sb_ipc_slot(table, kind, (uint32_t)number));

		if (found == (SB_IPC_HAS_KEY | key))
			return number;
		if (found == 0)
			break;
	}
	return -ENOENT;
}

int sb_ipc_take_key(struct sb_ipc_table *table, enum sb_ipc_kind kind, uint32_t key, bool *fresh)
{
	for (int number = 0; number < SB_IPC_KEYED; number++) {
		struct sb_ipc_slot *slot = sb_ipc_slot(table, kind, (uint32_t)number);

		*fresh = take(slot, SB_IPC_HAS_KEY | key);
		if (*fresh || key_of(slot) == (SB_IPC_HAS_KEY | key))
			return number;
	}
	return -ENOSPC;
}

int sb_ipc_take_private(struct sb_ipc_table *table, enum sb_ipc_kind kind)
{
	for (int number = SB_IPC_KEYED; number < SB_IPC_SLOTS; number++) {
		struct sb_ipc_slot *slot = sb_ipc_slot(table, kind, (uint32_t)number);

		if (key_of(slot) == 0 && take(slot, SB_IPC_PRIVATE))
			return number;
	}
	return -ENOSPC;
}

static void note_number(struct sb_ipc_table *table, enum sb_ipc_kind kind, int id, uint32_t number)
{
	uint16_t *at = number_at(table, kind, id, 0);

	for (unsigned i = 0; i < NEIGHBOURS; i++) {
		uint16_t *other = number_at(table, kind, id, i);
		const struct sb_ipc_slot *slot = sb_ipc_slot(table, kind, *other);
		const int holder = (int)slot->object - 1;

		if (holder < 0 || sb_ipc_find(table, kind, holder) != slot) {
			at = other;
			break;
		}
	}
	__atomic_store_n(at, (uint16_t)number, __ATOMIC_RELEASE);
}

void sb_ipc_publish(struct sb_ipc_table *table, enum sb_ipc_kind kind, uint32_t number, int id,
		    const struct sb_ids *ids, uint32_t mode)
{
	struct sb_ipc_slot *slot = sb_ipc_slot(table, kind, number);

	__atomic_store_n(&slot->object, 0, __ATOMIC_RELEASE);
	slot->mode = mode & 0777;
	slot->uid = ids->euid;
	slot->cuid = ids->euid;
	slot->gid = ids->egid;
	slot->cgid = ids->egid;
	note_number(table, kind, id, number);
	__atomic_store_n(&slot->object, (uint32_t)id + 1, __ATOMIC_RELEASE);
}

void sb_ipc_drop(struct sb_ipc_slot *slot)
{
	uint64_t private = SB_IPC_PRIVATE;

	__atomic_store_n(&slot->object, 0, __ATOMIC_RELEASE);
	__atomic_compare_exchange_n(&slot->key, &private, 0, false, __ATOMIC_ACQ_REL,
				    __ATOMIC_ACQUIRE);
}

void sb_ipc_lose_key(struct sb_ipc_table *table, enum sb_ipc_kind kind, struct sb_ipc_slot *slot)
{
	const int id = (int)slot->object - 1;
	int number;

	if (key_of(slot) == SB_IPC_PRIVATE || id < 0)
		return;
	number = sb_ipc_take_private(table, kind);
	if (number >= 0) {
		struct sb_ipc_slot *other = sb_ipc_slot(table, kind, (uint32_t)number);

		other->mode = slot->mode;
		other->uid = slot->uid;
		other->gid = slot->gid;
		other->cuid = slot->cuid;
		other->cgid = slot->cgid;
		sb_ipc_drop(slot);
		note_number(table, kind, id, (uint32_t)number);
		__atomic_store_n(&other->object, (uint32_t)id + 1, __ATOMIC_RELEASE);
	} else {
		sb_ipc_drop(slot);
	}
}

int sb_ipc_highest(struct sb_ipc_table *table, enum sb_ipc_kind kind)
{
	int highest = -1;

	for (uint32_t i = 0; i < SB_IPC_KEYED; i++) {
		const struct sb_ipc_slot *keyed = sb_ipc_slot(table, kind, i);

		if (key_of(keyed) == 0)
			break;
		if (keyed->object != 0)
			highest = (int)i * 2;
	}
	for (uint32_t i = 0; i < SB_IPC_SLOTS - SB_IPC_KEYED; i++) {
		if (sb_ipc_slot(table, kind, SB_IPC_KEYED + i)->object != 0)
			highest = SB_MAX(highest, (int)i * 2 + 1);
	}
	return highest;
}

static bool in_a_group(const struct sb_ipc_slot *slot, const struct sb_ids *ids)
{
	return sb_ids_in_group(ids, slot->gid) || sb_ids_in_group(ids, slot->cgid);
}

int sb_ipc_permit(const struct sb_ipc_slot *slot, const struct sb_ids *ids, uint32_t flags)
{
	const uint32_t wanted = (flags >> 6 | flags >> 3 | flags) & 7;
	uint32_t granted = slot->mode;

	if (ids->euid == slot->uid || ids->euid == slot->cuid)
		granted >>= 6;
	else if (in_a_group(slot, ids))
		granted >>= 3;
	if ((wanted & ~granted) == 0 || sb_ids_has_cap(ids, CAP_IPC_OWNER))
		return 0;
	return -EACCES;
}

int sb_ipc_may_change(const struct sb_ipc_slot *slot, const struct sb_ids *ids)
{
	if (ids->euid == slot->uid || ids->euid == slot->cuid ||
	    sb_ids_has_cap(ids, SB_CAP_SYS_ADMIN))
		return 0;
	return -EPERM;
}
