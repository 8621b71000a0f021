/* SPDX-License-Identifier: MIT */
/*
 * peers.c - what a process may do to another one of the container.
 */
#include "guest/peers/peers.h"

#include <asm/signal.h>
#include <errno.h>
#include <linux/capability.h>

#include "guest/process_table.h"
#include "guest/peers/tasks.h"
#include "guest/thread.h"

/* The credentials of another process, NULL: it is the caller's own, or has none yet. */
static const struct sb_creds *creds_of(struct sb_call *call, uint32_t real)
{
	const struct sb_proc_slot *slot;

	if (real == call->proc->pid || real == call->thread->tid)
		return NULL;
	slot = sb_proc_find(call->fs->tree, real);
	if (slot == NULL) {
		sb_commit_begin(call->fs); /* a descriptor may be opened */
		slot = sb_task_slot(call->fs->tree, real);
	}
	return slot == NULL || slot->pid == call->proc->pid ? NULL : &slot->creds;
}

/* ---- signals ---------------------------------------------------------------- */

static bool is_in_session(uint32_t real)
{
	return sb_syscall(__NR_getsid, real, 0, 0, 0, 0, 0) ==
	       sb_syscall(__NR_getsid, 0, 0, 0, 0, 0, 0);
}

static bool may_signal(const struct sb_ids *ids, const struct sb_creds *to)
{
	return sb_ids_has_cap(ids, CAP_KILL) || ids->euid == to->suid || ids->euid == to->ruid ||
	       ids->ruid == to->suid || ids->ruid == to->ruid;
}

bool sb_peer_may_signal_slot(struct sb_call *call, const struct sb_proc_slot *slot, int sig)
{
	return slot->pid == call->proc->pid || may_signal(call->ids, &slot->creds) ||
	       (sig == SIGCONT && is_in_session(slot->pid));
}

bool sb_peer_may_signal(struct sb_call *call, uint32_t real, int sig)
{
	const struct sb_creds *to = creds_of(call, real);

	return to == NULL || may_signal(call->ids, to) || (sig == SIGCONT && is_in_session(real));
}

/* ---- memory, descriptors ------------------------------------------------------ */

/* __ptrace_may_access() and cap_ptrace_access_check() of the kernel */
static bool may_access(const struct sb_ids *ids, uint32_t uid, uint32_t gid, uint64_t caps,
		       const struct sb_creds *to)
{
	if (sb_ids_has_cap(ids, CAP_SYS_PTRACE))
		return true;
	return uid == to->euid && uid == to->suid && uid == to->ruid && gid == to->egid &&
	       gid == to->sgid && gid == to->rgid && to->dumpable == 1 &&
	       sb_ids_is_subset(to->cap_permitted, caps);
}

bool sb_peer_may_trace(struct sb_call *call, uint32_t real)
{
	const struct sb_ids *ids = call->ids;
	const struct sb_creds *to = creds_of(call, real);

	return to == NULL || may_access(ids, ids->ruid, ids->rgid, ids->cap_permitted, to);
}

bool sb_peer_may_look(struct sb_call *call, uint32_t real)
{
	const struct sb_ids *ids = call->ids;
	const struct sb_creds *to = creds_of(call, real);

	return to == NULL || may_access(ids, ids->fsuid, ids->fsgid, ids->cap_effective, to);
}

/* ---- scheduling, limits --------------------------------------------------------- */

/* cap_safe_nice() of the kernel: not when the other one has more rights. */
static bool has_no_more(const struct sb_creds *to, const struct sb_ids *ids)
{
	return sb_ids_is_subset(to->cap_permitted, ids->cap_permitted);
}

bool sb_peer_may_schedule(struct sb_call *call, uint32_t real)
{
	const struct sb_ids *ids = call->ids;
	const struct sb_creds *to = creds_of(call, real);

	return to == NULL || sb_ids_has_cap(ids, CAP_SYS_NICE) ||
	       ((ids->euid == to->euid || ids->euid == to->ruid) && has_no_more(to, ids));
}

bool sb_peer_may_order_disk(struct sb_call *call, uint32_t real)
{
	const struct sb_ids *ids = call->ids;
	const struct sb_creds *to = creds_of(call, real);

	return to == NULL || sb_ids_has_cap(ids, CAP_SYS_NICE) ||
	       ((ids->euid == to->ruid || ids->ruid == to->ruid) && has_no_more(to, ids));
}

bool sb_peer_may_limit(struct sb_call *call, uint32_t real)
{
	const struct sb_ids *ids = call->ids;
	const struct sb_creds *to = creds_of(call, real);

	return to == NULL || sb_ids_has_cap(ids, CAP_SYS_RESOURCE) ||
	       (ids->ruid == to->euid && ids->ruid == to->suid && ids->ruid == to->ruid &&
		ids->rgid == to->egid && ids->rgid == to->sgid && ids->rgid == to->rgid);
}
