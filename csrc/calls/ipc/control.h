/* SPDX-License-Identifier: MIT */
/*
 * control.h - the commands that shmctl, semctl and msgctl share.
 */
#ifndef SB_IPC_CONTROL_H
#define SB_IPC_CONTROL_H

#include "calls/ipc/objects.h"

/* One of these calls on its way. */
struct sb_ipc_control {
	struct sb_call *call;
	struct sb_ipc_table *table;
	enum sb_ipc_kind kind;
	int cmd;
	uint64_t buffer; /* of the guest */
};

/* Handle the commands that all kinds have, and every one where the objects are the machine's. The
 * table is set here. False: it is another command, of an object that the container has; *result is
 * -EINVAL. */
bool sb_ipc_common(struct sb_ipc_control *control, long *result) SB_MUST_CHECK;

#endif
