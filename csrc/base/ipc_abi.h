/* SPDX-License-Identifier: MIT */
/*
 * ipc_abi.h - the table of a container's System V objects, which all its processes write.
 *
 * How it works
 *   The kernel's key of each object is the container's prefix (sb_control.ipc_prefix) and the
 *   number of a slot here. So the kernel tells the host side whose an object is, and this table
 *   tells guests the rest: the program's own key, and whom the object belongs to inside.
 * Rules
 *   A guest can write anything here, and the host side does not read it. The file is sparse, and
 *   zeros are an empty table.
 */
#ifndef SB_IPC_ABI_H
#define SB_IPC_ABI_H

#include <stdint.h>

#define SB_IPC_SLOT_BITS 12
#define SB_IPC_SLOTS 4096
/* The slots of keys come first; the others are for objects without a key. */
#define SB_IPC_KEYED 2048
/* The kernel's ids end in a number below this one. */
#define SB_IPC_INDEXES 32768

enum sb_ipc_kind { SB_IPC_SHM, SB_IPC_SEM, SB_IPC_MSG, SB_IPC_KINDS };

/* sb_ipc_slot.key: 0 is free; of a keyed slot SB_IPC_HAS_KEY | key */
#define SB_IPC_HAS_KEY (1ULL << 32)
#define SB_IPC_PRIVATE (2ULL << 32)
#define SB_IPC_SPOILED (3ULL << 32) /* somebody else's object has the kernel's key */

struct sb_ipc_slot {
	uint64_t key;
	uint32_t object; /* the kernel's id + 1; 0: there is no object */
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	uint32_t cuid;
	uint32_t cgid;
};

struct sb_ipc_table {
	uint16_t numbers[SB_IPC_KINDS][SB_IPC_INDEXES]; /* of slots, by id; may be outdated */
	struct sb_ipc_slot slots[SB_IPC_KINDS][SB_IPC_SLOTS];
};

#endif
