/* SPDX-License-Identifier: MIT */
/*
 * objects.h - what the calls about the three kinds of System V objects share.
 *
 * How it works
 *   Each object of a container has a key for the kernel that is the container's prefix and the
 *   number of a slot (ipc_abi.h). To the kernel it belongs to the machine's user and has the mode
 *   0600; who may do what is decided here, by the ids that the container sees.
 */
#ifndef SB_IPC_OBJECTS_H
#define SB_IPC_OBJECTS_H

#include "guest/ipc/ipc.h"
#include "pure/ipc_table.h"

/* The kernel's numbers of a call, for 64-bit and for 32-bit programs. */
struct sb_ipc_number {
	long wide;
	long narrow;
};

/* shmctl, semctl, msgctl */
extern const struct sb_ipc_number sb_ipc_controls[SB_IPC_KINDS];

/* Make one of these calls for the runtime itself. */
long sb_ipc_ask(enum sb_ipc_kind kind, bool narrow, long id, long cmd,
		uint64_t buffer) SB_MUST_CHECK;
/* Make the call with the guest's own arguments. */
long sb_ipc_pass(struct sb_call *call, struct sb_ipc_number number) SB_MUST_CHECK;

/* shmget, semget, msgget: the size or count of a new object, and the flags. */
long sb_ipc_get(struct sb_call *call, enum sb_ipc_kind kind, uint64_t size,
		uint32_t flags) SB_MUST_CHECK;

/* May the guest use the object with this id? wanted: SB_IPC_READ and the like. 0, -EINVAL when it
 * is not the container's, -EACCES. */
int sb_ipc_may_use(struct sb_call *call, enum sb_ipc_kind kind, int id,
		   uint32_t wanted) SB_MUST_CHECK;

#endif
