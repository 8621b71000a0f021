/* SPDX-License-Identifier: MIT */
/*
 * on_msg.c - System V message queues.
 */
#include <errno.h>

#include "calls/ipc/control.h"
#include "guest/handlers.h"

static const struct sb_ipc_number send = {__NR_msgsnd, SB_NR32_MSGSND};
static const struct sb_ipc_number receive = {__NR_msgrcv, SB_NR32_MSGRCV};

long on_msgget(struct sb_call *call)
{
	if (!sb_ipc_is_own(call))
		return sb_guest_pass(call, __NR_msgget);
	return sb_ipc_get(call, SB_IPC_MSG, 0, (uint32_t)sb_arg(call, 1));
}

long on_msgsnd(struct sb_call *call)
{
	const int err = sb_ipc_may_use(call, SB_IPC_MSG, (int)sb_arg(call, 0), SB_IPC_WRITE);

	return err < 0 ? err : sb_ipc_pass(call, send);
}

long on_msgrcv(struct sb_call *call)
{
	const int err = sb_ipc_may_use(call, SB_IPC_MSG, (int)sb_arg(call, 0), SB_IPC_READ);

	return err < 0 ? err : sb_ipc_pass(call, receive);
}

long on_msgctl(struct sb_call *call)
{
	struct sb_ipc_control c = {call, NULL, SB_IPC_MSG, (int)sb_arg(call, 1), sb_arg(call, 2)};
	long ret;

	return sb_ipc_common(&c, &ret) ? ret : -EINVAL;
}
