/* SPDX-License-Identifier: MIT */
/*
 * process_table.c - the table of the container's processes, in the shared file.
 *
 * Rules
 *   No lock: a slot is claimed by compare-and-swap. The kernel is asked whether its owner has
 *   ended.
 */
#include "guest/process_table.h"

#include <asm/signal.h>
#include <errno.h>

#include "procfs/proc_text.h"

#define LINK_SIZE 256

struct sb_proc_slot *sb_proc_at(const struct sb_tree *tree, uint32_t i)
{
	return &tree->shared->procs[i % SB_PROC_SLOTS];
}

struct sb_proc_slot *sb_proc_find(const struct sb_tree *tree, uint32_t pid)
{
	for (uint32_t i = 0; i < SB_PROC_SLOTS; i++) {
		struct sb_proc_slot *slot = sb_proc_at(tree, pid + i);

		if (slot->pid == pid)
			return slot;
		if (slot->pid == 0)
			return NULL;
	}
	return NULL;
}

_Static_assert(offsetof(struct sb_creds, dumpable) == offsetof(struct sb_ids, many_groups),
	       "both begin alike");

static void tell_creds(struct sb_proc_slot *slot, const struct sb_proc *proc,
		       const struct sb_ids *ids)
{
	struct sb_creds *creds = &slot->creds;
	uint32_t count;
	const uint32_t *groups = sb_ids_groups(ids, &count);

	memcpy(creds, ids, offsetof(struct sb_creds, dumpable));
	creds->dumpable = proc->dumpable;
	creds->no_new_privs = ids->no_new_privs;
	creds->group_count = SB_MIN(count, (uint32_t)SB_CREDS_GROUPS);
	memcpy(creds->groups, groups, creds->group_count * sizeof(groups[0]));
}

void sb_proc_publish(const struct sb_proc *proc, const struct sb_ids *ids)
{
	struct sb_proc_slot *slot = sb_proc_find(&proc->tree, proc->pid);

	if (slot != NULL)
		tell_creds(slot, proc, ids);
}

static void slot_fill(struct sb_proc_slot *slot, const struct sb_proc *proc,
		      const struct sb_ids *ids)
{
	uint32_t len = SB_MIN(proc->exe_len, (uint32_t)sizeof(slot->exe));

	tell_creds(slot, proc, ids);
	memcpy(slot->exe, proc->exe, len);
	slot->exe_len = proc->exe_len;
	slot->program = proc->program;
	slot->fs_group = proc->fs_group;
}

/* Take the slot of a process that exists. The process or its parent may have taken it before. */
static struct sb_proc_slot *slot_take(const struct sb_tree *tree, uint32_t pid, bool *fresh)
{
	struct sb_timespec now = {0, 0};

	*fresh = false;
	for (uint32_t i = 0; i < SB_PROC_SLOTS; i++) {
		struct sb_proc_slot *slot = sb_proc_at(tree, pid + i);
		uint32_t old = __atomic_load_n(&slot->pid, __ATOMIC_ACQUIRE);

		if (old != pid && old != 0 && sys_kill((int)old, 0) != -ESRCH)
			continue;
		if (old != pid) {
			*fresh = __atomic_compare_exchange_n(&slot->pid, &old, pid, false,
							     __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
			if (!*fresh && old != pid)
				continue;
		}
		/* The slot may have been taken by an earlier process with this pid. */
		sys_clock_gettime(7 /* CLOCK_BOOTTIME */, &now);
		slot->started = (uint64_t)now.sec * 1000000000ULL + (uint64_t)now.nsec;
		return slot;
	}
	return NULL;
}

void sb_proc_register(struct sb_proc *proc, const struct sb_ids *ids, uint32_t parent)
{
	bool fresh;
	struct sb_proc_slot *slot = slot_take(&proc->tree, proc->pid, &fresh);

	if (slot && parent) {
		slot->parent = parent;
		slot->paced = 0;
	}
	if (slot)
		slot_fill(slot, proc, ids);
	/* Either the process that ends the container sees this slot, or this process sees that
	 * flag. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (SB_UNLIKELY(__atomic_load_n(&proc->tree.control->over, __ATOMIC_RELAXED)))
		sys_kill((int)proc->pid, SIGKILL);
}

void sb_proc_announce(const struct sb_proc *proc, const struct sb_ids *ids, uint32_t child)
{
	bool fresh;
	struct sb_proc_slot *slot = slot_take(&proc->tree, child, &fresh);

	if (slot && fresh) {
		slot->parent = proc->pid;
		slot->paced = 0;
		slot_fill(slot, proc, ids);
	}
}

/* ---- CLONE_FS ------------------------------------------------------------- */

void sb_proc_share_fs(struct sb_proc *proc)
{
	struct sb_proc_slot *slot = sb_proc_find(&proc->tree, proc->pid);

	if (proc->fs_group == 0)
		proc->fs_group = proc->pid;
	if (slot)
		slot->fs_group = proc->fs_group;
}

void sb_proc_unshare_fs(struct sb_proc *proc)
{
	struct sb_proc_slot *slot = sb_proc_find(&proc->tree, proc->pid);

	proc->fs_group = 0;
	if (slot)
		slot->fs_group = 0;
}

bool sb_proc_shares_fs(const struct sb_proc *proc)
{
	for (uint32_t i = 0; proc->fs_group != 0 && i < SB_PROC_SLOTS; i++) {
		const struct sb_proc_slot *slot = sb_proc_at(&proc->tree, i);

		if (slot->pid != 0 && slot->pid != proc->pid && slot->fs_group == proc->fs_group &&
		    sb_proc_has_program(proc, slot))
			return true;
	}
	return false;
}

/* ---- what runs ------------------------------------------------------------ */

static long read_exe(uint32_t pid, char link[LINK_SIZE])
{
	char path[32];
	struct sb_proc_out out = {.buf = path, .max = sizeof(path) - 1};

	sb_proc_put_text(&out, "/proc/");
	sb_proc_put_number(&out, pid, 10, 1);
	sb_proc_put_text(&out, "/exe");
	path[out.len] = '\0';
	return sys_readlinkat(AT_FDCWD, path, link, LINK_SIZE);
}

bool sb_proc_has_program(const struct sb_proc *self, const struct sb_proc_slot *slot)
{
	char theirs[LINK_SIZE];
	char ours[LINK_SIZE];
	long len;
	long own;

	if (slot->pid == self->pid)
		return true;
	len = read_exe(slot->pid, theirs);
	own = len < 0 ? len : read_exe(self->pid, ours);
	return own >= 0 && sb_same(theirs, (size_t)len, ours, (size_t)own);
}
