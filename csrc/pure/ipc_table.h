/* SPDX-License-Identifier: MIT */
/*
 * ipc_table.h - look up and take slots in the table of a container's System V objects.
 *
 * Rules
 *   Pure: the caller asks the kernel. No lock: a slot is taken by compare-and-swap. The slot of a
 *   key stays the key's for good, since two processes that make an object with one key at the same
 *   time must take the same slot; the kernel then decides who makes it.
 */
#ifndef SB_IPC_TABLE_H
#define SB_IPC_TABLE_H

#include "base/base.h"
#include "base/ipc_abi.h"
#include "pure/ids.h"

/* What the calls want of an object, as bits of its mode. */
#define SB_IPC_READ 0444
#define SB_IPC_WRITE 0222

static inline struct sb_ipc_slot *sb_ipc_slot(struct sb_ipc_table *table, enum sb_ipc_kind kind,
					      uint32_t number)
{
	return &table->slots[kind][number % SB_IPC_SLOTS];
}

/* Does the slot have the object with this id? */
static inline bool sb_ipc_has(const struct sb_ipc_slot *slot, int id)
{
	return id >= 0 && __atomic_load_n(&slot->object, __ATOMIC_ACQUIRE) == (uint32_t)id + 1;
}

/* The object with this id, or NULL when it is not the container's. */
struct sb_ipc_slot *sb_ipc_find(struct sb_ipc_table *table, enum sb_ipc_kind kind, int id);
/* The number of the slot of a key, or -ENOENT. */
int sb_ipc_find_key(struct sb_ipc_table *table, enum sb_ipc_kind kind, uint32_t key) SB_MUST_CHECK;
/* The same, and the key takes a free slot. *fresh: it did so now. -ENOSPC */
int sb_ipc_take_key(struct sb_ipc_table *table, enum sb_ipc_kind kind, uint32_t key,
		    bool *fresh) SB_MUST_CHECK;
/* Take a slot for an object without a key. Returns its number or -ENOSPC. */
int sb_ipc_take_private(struct sb_ipc_table *table, enum sb_ipc_kind kind) SB_MUST_CHECK;
/* Note that the slot has an object, which ids made with these bits of a mode. */
void sb_ipc_publish(struct sb_ipc_table *table, enum sb_ipc_kind kind, uint32_t number, int id,
		    const struct sb_ids *ids, uint32_t mode);
/* The object does not exist any more. */
void sb_ipc_drop(struct sb_ipc_slot *slot);
/* The object of a key has lost it, but is still in use: it gets a slot without a key. */
void sb_ipc_lose_key(struct sb_ipc_table *table, enum sb_ipc_kind kind, struct sb_ipc_slot *slot);

/* The indexes of SHM_STAT and the like: keyed slots are even, the others odd. */
static inline uint32_t sb_ipc_number_at(uint32_t index)
{
	return index / 2 + (index & 1) * SB_IPC_KEYED;
}
/* The highest index in use; -1 when there is no object. */
int sb_ipc_highest(struct sb_ipc_table *table, enum sb_ipc_kind kind);

/* May ids do what the bits of flags ask for? 0 or -EACCES, as the kernel's ipcperms(). */
int sb_ipc_permit(const struct sb_ipc_slot *slot, const struct sb_ids *ids,
		  uint32_t flags) SB_MUST_CHECK;
/* May ids remove or change it? 0 or -EPERM. */
int sb_ipc_may_change(const struct sb_ipc_slot *slot, const struct sb_ids *ids) SB_MUST_CHECK;

#endif
