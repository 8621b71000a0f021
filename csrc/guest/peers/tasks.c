/* SPDX-License-Identifier: MIT */
/*
 * tasks.c - who the tasks of the container are.
 *
 * How it works
 *   pids.h knows which tasks are the container's; the process table knows who they are. For a
 *   thread's number the kernel is asked for its process.
 */
#include "guest/peers/tasks.h"

#include "guest/peers/status.h"
#include "guest/pids.h"
#include "guest/process_table.h"
#include "tree/tasks.h"

static const struct sb_proc *proc_of(const struct sb_tree *tree)
{
	return (const struct sb_proc *)(const void *)tree; /* its first member */
}

_Static_assert(offsetof(struct sb_proc, tree) == 0, "the tree is the first member");

/* ---- the process of a thread ---------------------------------------------- */

static uint32_t process_of(uint32_t tid)
{
	char status[512];
	const long len = sb_task_status_read(tid, status, sizeof(status));

	return (uint32_t)sb_task_status_number(status, len, "\nTgid:", 10);
}

const struct sb_proc_slot *sb_task_slot(const struct sb_tree *tree, uint32_t real)
{
	const struct sb_proc_slot *slot;
	uint32_t pid;

	if (real != proc_of(tree)->pid && !sb_pid_is_own(tree, real))
		return NULL;
	slot = sb_proc_find(tree, real);
	if (slot != NULL)
		return slot;
	pid = process_of(real);
	return pid == 0 || pid == real ? NULL : sb_proc_find(tree, pid);
}

/* ---- what /proc shows --------------------------------------------------------- */

/* The main process has no second number in /proc. */
static uint32_t real_of(const struct sb_tree *tree, uint32_t shown)
{
	const int real = sb_pid_from_guest(proc_of(tree), shown);

	return real < 0 || sb_pid_shown(tree, (uint32_t)real) != shown ? 0 : (uint32_t)real;
}

static bool is_other(const struct sb_tree *tree, uint32_t real)
{
	return real != proc_of(tree)->pid;
}

/* As task_dump_owner() of the kernel: of a process whose memory is secret, only the directory
 * belongs to its user. */
static bool owner_of(const struct sb_tree *tree, uint32_t real, uint32_t mode, uint32_t *uid,
		     uint32_t *gid)
{
	const struct sb_proc_slot *slot = sb_proc_find(tree, real);
	bool secret;

	if (slot == NULL)
		return false;
	secret = slot->creds.dumpable != 1 && mode != (S_IFDIR | 0555);
	*uid = secret ? 0 : slot->creds.euid;
	*gid = secret ? 0 : slot->creds.egid;
	return true;
}

const struct sb_tasks sb_guest_tasks = {
	.real = real_of,
	.shown = sb_pid_to_guest,
	.is_other = is_other,
	.owner = owner_of,
};
