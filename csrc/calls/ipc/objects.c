/* SPDX-License-Identifier: MIT */
/*
 * objects.c - make and find System V objects; who may use them.
 */
#include "calls/ipc/objects.h"

#include <errno.h>
#include <linux/ipc.h>

#include "guest/thread.h"

#define MODE_BITS 0777U
#define OWN_MODE 0600 /* for the kernel: the machine's user, and nobody else */
/* How often another process may run, before the maker of an object counts as dead. */
#define PATIENCE 1000

long sb_ipc_pass(struct sb_call *call, struct sb_ipc_number number)
{
	if (sb_proc_is_32(call->proc))
		return sb_block32(number.narrow, (const long *)call->regs->args);
	return sb_guest_pass(call, number.wide);
}

const struct sb_ipc_number sb_ipc_controls[SB_IPC_KINDS] = {
	[SB_IPC_SHM] = {__NR_shmctl, SB_NR32_SHMCTL},
	[SB_IPC_SEM] = {__NR_semctl, SB_NR32_SEMCTL},
	[SB_IPC_MSG] = {__NR_msgctl, SB_NR32_MSGCTL},
};

long sb_ipc_ask(enum sb_ipc_kind kind, bool narrow, long id, long cmd, uint64_t buffer)
{
	const struct sb_ipc_number number = sb_ipc_controls[kind];
	const bool is_sem = kind == SB_IPC_SEM; /* its second argument is a member of the set */
	const long args[6] = {id, is_sem ? 0 : cmd, is_sem ? cmd : (long)buffer, (long)buffer};

	return narrow ? sb_syscall32(number.narrow, args)
		      : sb_syscall(number.wide, args[0], args[1], args[2], args[3], 0, 0);
}

struct maker {
	struct sb_call *call;
	struct sb_ipc_table *table;
	enum sb_ipc_kind kind;
	uint64_t size;
	uint32_t flags;
};

static long ask(const struct maker *m, uint32_t number, uint32_t flags)
{
	const struct sb_control *control = m->call->proc->tree.control;
	const long key = (int)(control->ipc_prefix << SB_IPC_SLOT_BITS | number);

	if (m->kind == SB_IPC_SHM)
		return sb_syscall(__NR_shmget, key, (long)m->size, flags, 0, 0, 0);
	if (m->kind == SB_IPC_SEM)
		return sb_syscall(__NR_semget, key, (long)m->size, flags, 0, 0, 0);
	return sb_syscall(__NR_msgget, key, flags, 0, 0, 0, 0);
}

/* Make an object, unless the key has one. */
static long make(const struct maker *m, uint32_t number)
{
	const long id = ask(m, number, (m->flags & ~MODE_BITS) | IPC_CREAT | IPC_EXCL | OWN_MODE);

	if (id >= 0)
		sb_ipc_publish(m->table, m->kind, number, (int)id, m->call->ids, m->flags);
	return id;
}

/* The key has an object already. Its maker may not have noted it yet. */
static long meet(const struct maker *m, uint32_t number, int id)
{
	struct sb_ipc_slot *slot = sb_ipc_slot(m->table, m->kind, number);
	int err;

	for (int i = 0; i < PATIENCE && !sb_ipc_has(slot, id); i++)
		sb_syscall(__NR_sched_yield, 0, 0, 0, 0, 0, 0);
	if (!sb_ipc_has(slot, id))
		sb_ipc_publish(m->table, m->kind, number, id, m->call->ids, m->flags);
	err = sb_ipc_permit(slot, m->call->ids, m->flags & MODE_BITS);
	return err < 0 ? err : id;
}

static long get_keyed(const struct maker *m, uint32_t key)
{
	const bool makes = (m->flags & IPC_CREAT) != 0;
	const bool only = makes && (m->flags & IPC_EXCL) != 0;
	bool fresh;
	const int number = makes ? sb_ipc_take_key(m->table, m->kind, key, &fresh)
				 : sb_ipc_find_key(m->table, m->kind, key);
	long id = -EEXIST;

	if (number < 0)
		return number;
	/* Others may make and remove it meanwhile. */
	for (int i = 0; i < PATIENCE && id == -EEXIST; i++) {
		if (!only) {
			id = ask(m, (uint32_t)number,
				 m->flags & ~(MODE_BITS | IPC_CREAT | IPC_EXCL));
			if (id >= 0)
				return meet(m, (uint32_t)number, (int)id);
			if (id != -ENOENT || !makes)
				return id;
		}
		id = make(m, (uint32_t)number);
		if (only)
			return id;
	}
	return id;
}

/* Give back the slots of objects that the kernel removed after their last user. */
static void reap(const struct maker *m)
{
	char status[128];

	for (uint32_t number = 0; number < SB_IPC_SLOTS; number++) {
		struct sb_ipc_slot *slot = sb_ipc_slot(m->table, m->kind, number);
		const int id = (int)slot->object - 1;

		if (id >= 0 &&
		    sb_ipc_ask(m->kind, false, id, IPC_STAT, (uintptr_t)status) == -EINVAL)
			sb_ipc_drop(slot);
	}
}

static long get_private(const struct maker *m)
{
	for (int i = 0; i < PATIENCE; i++) {
		int number = sb_ipc_take_private(m->table, m->kind);
		long id;

		if (number == -ENOSPC) {
			reap(m);
			number = sb_ipc_take_private(m->table, m->kind);
		}
		if (number < 0)
			return number;
		id = make(m, (uint32_t)number);
		if (id >= 0)
			return id;
		if (id != -EEXIST) {
			sb_ipc_drop(sb_ipc_slot(m->table, m->kind, (uint32_t)number));
			return id;
		}
		__atomic_store_n(&sb_ipc_slot(m->table, m->kind, (uint32_t)number)->key,
				 SB_IPC_SPOILED, __ATOMIC_RELEASE);
	}
	return -ENOSPC;
}

long sb_ipc_get(struct sb_call *call, enum sb_ipc_kind kind, uint64_t size, uint32_t flags)
{
	const uint32_t key = (uint32_t)sb_arg(call, 0);
	const struct maker m = {call, sb_ipc_get_table(call), kind, size, flags};

	if (m.table == NULL)
		return -ENOMEM;
	sb_commit_begin(call->fs);
	return key == IPC_PRIVATE ? get_private(&m) : get_keyed(&m, key);
}

int sb_ipc_may_use(struct sb_call *call, enum sb_ipc_kind kind, int id, uint32_t wanted)
{
	struct sb_ipc_table *table;
	const struct sb_ipc_slot *slot;

	if (!sb_ipc_is_own(call))
		return 0;
	table = sb_ipc_get_table(call);
	slot = table == NULL ? NULL : sb_ipc_find(table, kind, id);
	return slot == NULL ? -EINVAL : sb_ipc_permit(slot, call->ids, wanted);
}
