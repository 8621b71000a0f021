/* SPDX-License-Identifier: MIT */
/*
 * i386_ipc.c - ipc(2), by which 32-bit programs make all calls about System V objects.
 *
 * Their structures reach the kernel as they are: the handlers make the 32-bit calls.
 */
#include <errno.h>

#include "guest/handlers.h"
#include "i386_call.h"

enum {
	SEMOP = 1,
	SEMGET = 2,
	SEMCTL = 3,
	SEMTIMEDOP = 4,
	MSGSND = 11,
	MSGRCV = 12,
	MSGGET = 13,
	MSGCTL = 14,
	SHMAT = 21,
	SHMDT = 22,
	SHMGET = 23,
	SHMCTL = 24,
};

/* In a command, the bit that says which layout of structures is meant. */
#define NEW_LAYOUT 0x100U /* IPC_64 */

/* The arguments of ipc(2): the number of the call and the version, then these. */
struct ipc {
	uint64_t first;
	uint64_t second;
	uint64_t third;
	uint64_t pointer;
	uint64_t fifth;
};

static long run(struct sb_call *call, sb_handler *handler, const uint64_t args[5])
{
	for (int i = 0; i < 5; i++)
		call->regs->args[i] = args[i];
	return handler(call);
}

static long timed(struct sb_call *call, const struct ipc *ipc)
{
	struct sb_timespec32 from;
	struct sb_timespec to;

	if (ipc->fifth == 0)
		return run(call, on_semop, (uint64_t[5]){ipc->first, ipc->pointer, ipc->second});
	if (sb_guest_read(&from, ipc->fifth, sizeof(from)) < 0)
		return -EFAULT;
	to = (struct sb_timespec){.sec = from.sec, .nsec = from.nsec};
	return run(call, on_semtimedop,
		   (uint64_t[5]){ipc->first, ipc->pointer, ipc->second, (uintptr_t)&to});
}

/* The union of semctl lies in memory. The oldest layouts have no names here. */
static long semctl(struct sb_call *call, const struct ipc *ipc)
{
	uint32_t value;

	if (sb_guest_read(&value, ipc->pointer, sizeof(value)) < 0)
		return -EFAULT;
	return run(call, on_semctl,
		   (uint64_t[5]){ipc->first, ipc->second, ipc->third & ~NEW_LAYOUT, value});
}

static long receive(struct sb_call *call, const struct ipc *ipc, unsigned version)
{
	struct {
		uint32_t message;
		int32_t type;
	} both = {(uint32_t)ipc->pointer, (int32_t)ipc->fifth};

	if (version == 0 && sb_guest_read(&both, ipc->pointer, sizeof(both)) < 0)
		return -EFAULT;
	return run(call, on_msgrcv,
		   (uint64_t[5]){ipc->first, both.message, ipc->second, (uint32_t)both.type,
				 ipc->third});
}

static long attach(struct sb_call *call, const struct ipc *ipc)
{
	const long at = run(call, on_shmat, (uint64_t[5]){ipc->first, ipc->pointer, ipc->second});
	const uint32_t address = (uint32_t)at;

	if (at < 0 && at > -4096)
		return at;
	return sb_guest_write(ipc->third, &address, sizeof(address));
}

static long control(struct sb_call *call, sb_handler *handler, const struct ipc *ipc)
{
	return run(call, handler,
		   (uint64_t[5]){ipc->first, ipc->second & ~NEW_LAYOUT, ipc->pointer});
}

long sb_i386_ipc(struct sb_call *call)
{
	const uint64_t *args = call->regs->args;
	const unsigned version = (uint32_t)args[0] >> 16;
	const struct ipc ipc = {args[1], args[2], args[3], args[4], args[5]};

	switch (args[0] & 0xffff) {
	case SEMOP:
		return run(call, on_semop, (uint64_t[5]){ipc.first, ipc.pointer, ipc.second});
	case SEMTIMEDOP:
		return timed(call, &ipc);
	case SEMGET:
		return run(call, on_semget, (uint64_t[5]){ipc.first, ipc.second, ipc.third});
	case SEMCTL:
		return semctl(call, &ipc);
	case MSGSND:
		return run(call, on_msgsnd,
			   (uint64_t[5]){ipc.first, ipc.pointer, ipc.second, ipc.third});
	case MSGRCV:
		return receive(call, &ipc, version);
	case MSGGET:
		return run(call, on_msgget, (uint64_t[5]){ipc.first, ipc.second});
	case MSGCTL:
		return control(call, on_msgctl, &ipc);
	case SHMAT:
		return version == 1 ? -EINVAL : attach(call, &ipc);
	case SHMDT:
		return sb_syscall(__NR_shmdt, (long)ipc.pointer, 0, 0, 0, 0, 0);
	case SHMGET:
		return run(call, on_shmget, (uint64_t[5]){ipc.first, ipc.second, ipc.third});
	case SHMCTL:
		return control(call, on_shmctl, &ipc);
	default:
		return -ENOSYS;
	}
}
