/* SPDX-License-Identifier: MIT */
/*
 * on_shm.c - System V shared memory.
 *
 * shmdt(2) names no object.
 */
#include <errno.h>
#include <linux/shm.h>

#include "calls/ipc/control.h"
#include "guest/handlers.h"

#define CAP_IPC_LOCK 14
#define EXECUTE 0111

static const struct sb_ipc_number attach = {__NR_shmat, SB_NR32_SHMAT};

long on_shmget(struct sb_call *call)
{
	if (!sb_ipc_is_own(call))
		return sb_guest_pass(call, __NR_shmget);
	return sb_ipc_get(call, SB_IPC_SHM, sb_arg(call, 1), (uint32_t)sb_arg(call, 2));
}

long on_shmat(struct sb_call *call)
{
	const uint64_t flags = sb_arg(call, 2);
	const uint32_t wanted = SB_IPC_READ | ((flags & SHM_RDONLY) != 0 ? 0 : SB_IPC_WRITE) |
				((flags & SHM_EXEC) != 0 ? EXECUTE : 0);
	const int err = sb_ipc_may_use(call, SB_IPC_SHM, (int)sb_arg(call, 0), wanted);

	return err < 0 ? err : sb_ipc_pass(call, attach);
}

/* SHM_LOCK and SHM_UNLOCK */
static long lock(const struct sb_ipc_control *c)
{
	const struct sb_ipc_slot *slot = sb_ipc_find(c->table, SB_IPC_SHM, (int)sb_arg(c->call, 0));

	if (slot == NULL)
		return -EINVAL;
	if (c->call->ids->euid != slot->uid && c->call->ids->euid != slot->cuid &&
	    !sb_ids_has_cap(c->call->ids, CAP_IPC_LOCK))
		return -EPERM;
	return sb_ipc_pass(c->call, sb_ipc_controls[SB_IPC_SHM]);
}

long on_shmctl(struct sb_call *call)
{
	struct sb_ipc_control c = {call, NULL, SB_IPC_SHM, (int)sb_arg(call, 1), sb_arg(call, 2)};
	long ret;

	if (!sb_ipc_common(&c, &ret) && (c.cmd == SHM_LOCK || c.cmd == SHM_UNLOCK))
		return lock(&c);
	return ret;
}
