/* SPDX-License-Identifier: MIT */
/*
 * control.c - the commands that shmctl, semctl and msgctl share.
 *
 * How it works
 *   The kernel writes the status into the guest's memory, in the program's own layout. The first
 *   24 bytes are the same in all layouts; they are rewritten there.
 * Rules
 *   An id or an index that is not the container's is -EINVAL.
 */
#include "calls/ipc/control.h"

#include <errno.h>
#include <linux/ipc.h>
#include <linux/msg.h>
#include <linux/sem.h>
#include <linux/shm.h>

#include "base/mem.h"
#include "guest/pids.h"

#define IPC_INFO 3
#define NOBODY 0xffffffffU
#define PERMISSIONS 0777

/* The beginning of struct shmid64_ds and its like. */
struct owner {
	uint32_t key;
	uint32_t uid;
	uint32_t gid;
	uint32_t cuid;
	uint32_t cgid;
	uint32_t mode;
};

struct commands {
	int stat;
	int stat_any;
	int info;
	uint32_t bytes[2]; /* offset of msg_qbytes, for 64-bit and for 32-bit programs */
	uint32_t pids[2]; /* the same of two numbers of processes */
};

static const struct commands commands[SB_IPC_KINDS] = {
	[SB_IPC_SHM] = {SHM_STAT, 15 /* SHM_STAT_ANY */, SHM_INFO, {0, 0}, {80, 64}},
	[SB_IPC_SEM] = {SEM_STAT, 20 /* SEM_STAT_ANY */, SEM_INFO, {0, 0}, {0, 0}},
	[SB_IPC_MSG] = {MSG_STAT, 13 /* MSG_STAT_ANY */, MSG_INFO, {88, 68}, {96, 72}},
};

/* ---- IPC_STAT ---------------------------------------------------------------- */

/* The numbers of the maker and of the last user. */
static int show_pids(const struct sb_ipc_control *c)
{
	const struct sb_tree *tree = &c->call->proc->tree;
	const uint32_t offset = commands[c->kind].pids[sb_proc_is_32(c->call->proc)];
	uint32_t pids[2];

	if (offset == 0)
		return 0;
	if (sb_guest_read(pids, c->buffer + offset, sizeof(pids)) < 0)
		return -EFAULT;
	pids[0] = sb_pid_shown(tree, pids[0]);
	pids[1] = sb_pid_shown(tree, pids[1]);
	return sb_guest_write(c->buffer + offset, pids, sizeof(pids));
}

static int show(const struct sb_ipc_control *c, const struct sb_ipc_slot *slot)
{
	struct owner owner;

	if (sb_guest_read(&owner, c->buffer, sizeof(owner)) < 0)
		return -EFAULT;
	if (owner.key != IPC_PRIVATE) /* else it was removed, and is still in use */
		owner.key = (uint32_t)slot->key;
	owner.uid = slot->uid;
	owner.gid = slot->gid;
	owner.cuid = slot->cuid;
	owner.cgid = slot->cgid;
	owner.mode = (owner.mode & ~(uint32_t)PERMISSIONS) | slot->mode;
	if (sb_guest_write(c->buffer, &owner, sizeof(owner)) < 0)
		return -EFAULT;
	return show_pids(c);
}

static long stat_slot(const struct sb_ipc_control *c, struct sb_ipc_slot *slot, bool any)
{
	const uint32_t object = slot == NULL ? 0 : slot->object;
	long ret;

	if (object == 0)
		return -EINVAL;
	ret = any ? 0 : sb_ipc_permit(slot, c->call->ids, SB_IPC_READ);
	if (ret < 0)
		return ret;
	ret = sb_ipc_ask(c->kind, sb_proc_is_32(c->call->proc), (long)object - 1, IPC_STAT,
			 c->buffer);
	if (ret == -EINVAL || ret == -EIDRM)
		sb_ipc_drop(slot);
	if (ret == 0)
		ret = show(c, slot);
	return ret < 0 ? ret : (long)object - 1;
}

static long stat_index(const struct sb_ipc_control *c, bool any)
{
	const int id = (int)sb_arg(c->call, 0);
	const uint32_t index = (uint32_t)id % SB_IPC_INDEXES; /* the kernel takes an id, too */
	struct sb_ipc_slot *slot;

	if (id < 0 || index >= SB_IPC_SLOTS)
		return -EINVAL;
	slot = sb_ipc_slot(c->table, c->kind, sb_ipc_number_at(index));
	return stat_slot(c, slot, any);
}

/* ---- IPC_INFO ------------------------------------------------------------------ */

/* What the container's objects add up to: bytes, pages or members of each, by kind. */
struct sums {
	uint64_t objects;
	uint64_t first;
	uint64_t second;
};

static void add(const struct sb_ipc_control *c, struct sums *sums, uint32_t number)
{
	const struct sb_ipc_slot *slot = sb_ipc_slot(c->table, c->kind, number);
	const long id = (long)slot->object - 1;
	union {
		struct shmid64_ds shm;
		struct semid64_ds sem;
		struct msqid64_ds msg;
	} status;

	if (id < 0 || sb_ipc_ask(c->kind, false, id, IPC_STAT, (uintptr_t)&status) < 0)
		return;
	sums->objects++;
	if (c->kind == SB_IPC_SHM) {
		sums->first += (status.shm.shm_segsz + 4095) / 4096;
	} else if (c->kind == SB_IPC_SEM) {
		sums->first += status.sem.sem_nsems;
	} else {
		sums->first += status.msg.msg_qnum;
		sums->second += status.msg.msg_cbytes;
	}
}

static int put(const struct sb_ipc_control *c, uint32_t offset, uint64_t value, size_t size)
{
	return sb_guest_write(c->buffer + offset, &value, size);
}

static int show_sums(const struct sb_ipc_control *c, const struct sums *sums)
{
	const uint32_t width = sb_proc_is_32(c->call->proc) ? 4 : 8;
	int err;

	if (c->kind == SB_IPC_SHM) {
		/* Which pages are in memory is known of each object only: /proc/sysvipc/shm. */
		err = put(c, 0, sums->objects, 4);
		if (err == 0)
			err = put(c, width, sums->first, width);
		if (err == 0)
			err = put(c, 2 * width, 0, width);
		return err < 0 ? err : put(c, 3 * width, 0, width);
	}
	if (c->kind == SB_IPC_SEM) {
		err = put(c, offsetof(struct seminfo, semusz), sums->objects, 4);
		return err < 0 ? err : put(c, offsetof(struct seminfo, semaem), sums->first, 4);
	}
	err = put(c, offsetof(struct msginfo, msgpool), sums->objects, 4);
	if (err == 0)
		err = put(c, offsetof(struct msginfo, msgmap), sums->first, 4);
	return err < 0 ? err : put(c, offsetof(struct msginfo, msgtql), sums->second, 4);
}

static long inform(const struct sb_ipc_control *c, bool sums_up)
{
	const int highest = sb_ipc_highest(c->table, c->kind);
	struct sums sums = {0, 0, 0};
	long ret = sb_ipc_ask(c->kind, sb_proc_is_32(c->call->proc), 0, c->cmd, c->buffer);

	if (ret < 0)
		return ret;
	for (int index = 0; sums_up && index <= highest; index++)
		add(c, &sums, sb_ipc_number_at((uint32_t)index));
	ret = sums_up ? show_sums(c, &sums) : 0;
	return ret < 0 ? ret : SB_MAX(highest, 0);
}

/* ---- changes --------------------------------------------------------------------- */

static int read_bytes(const struct sb_ipc_control *c, uint64_t *bytes)
{
	const bool narrow = sb_proc_is_32(c->call->proc);
	const uint32_t offset = commands[c->kind].bytes[narrow];

	*bytes = 0;
	return offset == 0 ? 0 : sb_guest_read(bytes, c->buffer + offset, narrow ? 4 : 8);
}

/* The kernel's own owner and mode stay, and it notes the time. */
static long set(const struct sb_ipc_control *c, struct sb_ipc_slot *slot, int id)
{
	const struct sb_control *control = c->call->proc->tree.control;
	struct owner owner;
	struct {
		struct owner owner;
		char rest[104];
	} status = {{.uid = control->host_uid, .gid = control->host_gid, .mode = 0600}, {0}};
	uint64_t bytes;
	long ret;

	if (sb_guest_read(&owner, c->buffer, sizeof(owner)) < 0 || read_bytes(c, &bytes) < 0)
		return -EFAULT;
	if (slot == NULL)
		return -EINVAL;
	ret = sb_ipc_may_change(slot, c->call->ids);
	if (ret < 0)
		return ret;
	if (owner.uid == NOBODY || owner.gid == NOBODY)
		return -EINVAL;
	if (c->kind == SB_IPC_MSG)
		memcpy((char *)&status + commands[c->kind].bytes[0], &bytes, sizeof(bytes));
	ret = sb_ipc_ask(c->kind, false, id, IPC_SET, (uintptr_t)&status);
	if (ret < 0)
		return ret;
	slot->uid = owner.uid;
	slot->gid = owner.gid;
	slot->mode = owner.mode & PERMISSIONS;
	return 0;
}

static long remove(const struct sb_ipc_control *c, struct sb_ipc_slot *slot, int id)
{
	char status[128];
	long ret = slot == NULL ? -EINVAL : sb_ipc_may_change(slot, c->call->ids);

	if (ret < 0)
		return ret;
	ret = sb_ipc_ask(c->kind, false, id, IPC_RMID, 0);
	if (ret < 0 && ret != -EINVAL && ret != -EIDRM)
		return ret;
	if (c->kind == SB_IPC_SHM &&
	    sb_ipc_ask(c->kind, false, id, IPC_STAT, (uintptr_t)status) == 0)
		sb_ipc_lose_key(c->table, c->kind, slot);
	else
		sb_ipc_drop(slot);
	return ret;
}

bool sb_ipc_common(struct sb_ipc_control *c, long *result)
{
	const struct commands *row = &commands[c->kind];
	const int id = (int)sb_arg(c->call, 0);
	struct sb_ipc_slot *slot;
	long ret;

	if (!sb_ipc_is_own(c->call)) {
		*result = sb_ipc_pass(c->call, sb_ipc_controls[c->kind]);
		return true;
	}
	c->table = sb_ipc_get_table(c->call);
	*result = -ENOMEM;
	if (c->table == NULL)
		return true;
	sb_commit_begin(c->call->fs);
	if (c->cmd == IPC_INFO || c->cmd == row->info) {
		*result = inform(c, c->cmd == row->info);
		return true;
	}
	if (c->cmd == row->stat || c->cmd == row->stat_any) {
		*result = stat_index(c, c->cmd == row->stat_any);
		return true;
	}
	slot = sb_ipc_find(c->table, c->kind, id);
	switch (c->cmd) {
	case IPC_STAT:
		ret = stat_slot(c, slot, false);
		*result = SB_MIN(ret, 0);
		return true;
	case IPC_SET:
		*result = set(c, slot, id);
		return true;
	case IPC_RMID:
		*result = remove(c, slot, id);
		return true;
	default:
		*result = -EINVAL;
		return slot == NULL;
	}
}
