/* SPDX-License-Identifier: MIT */
/*
 * on_sem.c - System V semaphores.
 *
 * Rules
 *   semop is called often: where the caller may read and write the set, which semaphores it names
 *   is not looked at.
 */
#include <errno.h>
#include <linux/sem.h>

#include "calls/ipc/control.h"
#include "guest/handlers.h"
#include "guest/pids.h"

#define MOST_OPERATIONS 500 /* SEMOPM */

long on_semget(struct sb_call *call)
{
	if (!sb_ipc_is_own(call))
		return sb_guest_pass(call, __NR_semget);
	return sb_ipc_get(call, SB_IPC_SEM, (uint64_t)(int)sb_arg(call, 1),
			  (uint32_t)sb_arg(call, 2));
}

/* What the operations want: to wait for zero is to read. */
static uint32_t wanted(uint64_t operations, uint64_t count)
{
	struct sembuf operation;

	for (uint64_t i = 0; i < SB_MIN(count, (uint64_t)MOST_OPERATIONS); i++) {
		if (sb_guest_read(&operation, operations + i * sizeof(operation),
				  sizeof(operation)) < 0)
			return 0; /* the kernel says so */
		if (operation.sem_op != 0)
			return SB_IPC_WRITE;
	}
	return SB_IPC_READ;
}

static int may_operate(struct sb_call *call)
{
	const int id = (int)sb_arg(call, 0);
	int err = sb_ipc_may_use(call, SB_IPC_SEM, id, SB_IPC_READ | SB_IPC_WRITE);

	if (SB_UNLIKELY(err == -EACCES))
		err = sb_ipc_may_use(call, SB_IPC_SEM, id,
				     wanted(sb_arg(call, 1), (uint32_t)sb_arg(call, 2)));
	return err;
}

long on_semop(struct sb_call *call)
{
	const int err = may_operate(call);

	return SB_UNLIKELY(err < 0) ? err : sb_guest_pass(call, __NR_semop);
}

long on_semtimedop(struct sb_call *call)
{
	const int err = may_operate(call);

	return SB_UNLIKELY(err < 0) ? err : sb_guest_pass(call, __NR_semtimedop);
}

long on_semctl(struct sb_call *call)
{
	struct sb_ipc_control c = {call, NULL, SB_IPC_SEM, (int)sb_arg(call, 2), sb_arg(call, 3)};
	long ret;
	int err;

	if (sb_ipc_common(&c, &ret))
		return ret;
	err = sb_ipc_may_use(call, SB_IPC_SEM, (int)sb_arg(call, 0),
			     c.cmd == SETVAL || c.cmd == SETALL ? SB_IPC_WRITE : SB_IPC_READ);
	ret = err < 0 ? err : sb_ipc_pass(call, sb_ipc_controls[SB_IPC_SEM]);
	return ret > 0 && c.cmd == GETPID ? sb_pid_shown(&call->proc->tree, (uint32_t)ret) : ret;
}
