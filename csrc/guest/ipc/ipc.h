/* SPDX-License-Identifier: MIT */
/*
 * ipc.h - the table of the container's System V objects, mapped at the first use.
 */
#ifndef SB_IPC_H
#define SB_IPC_H

#include "base/ipc_abi.h"
#include "guest/guest.h"

/* Has the container System V objects of its own? */
static inline bool sb_ipc_is_own(const struct sb_call *call)
{
	return call->proc->tree.control->ipc.len != 0;
}

/* The table; NULL when it cannot be mapped. Only where sb_ipc_is_own. */
struct sb_ipc_table *sb_ipc_attach(struct sb_call *call);

static inline struct sb_ipc_table *sb_ipc_get_table(struct sb_call *call)
{
	struct sb_ipc_table *table = __atomic_load_n(&call->proc->tree.ipc, __ATOMIC_ACQUIRE);

	return SB_LIKELY(table != NULL) ? table : sb_ipc_attach(call);
}

#endif
