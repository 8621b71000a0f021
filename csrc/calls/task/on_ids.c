/* SPDX-License-Identifier: MIT */
/*
 * on_ids.c - user and group ids.
 *
 * How it works
 *   Every call changes the credentials of the calling thread (call->ids) by the rules of
 *   pure/ids.c. The kernel's own credentials never change. The process table gets the effective
 *   ids, for SO_PEERCRED and /proc.
 * Does not know
 *   What root may do with files (view, change), what execve makes of ids (sb_ids_exec).
 */
#include <errno.h>
#include <stddef.h>

#include "guest/dumpable.h"
#include "guest/handlers.h"
#include "guest/many_groups.h"
#include "guest/process_table.h"
#include "guest/thread.h"
#include "guest/trace.h"

#define NGROUPS_MAX 65536 /* of the kernel */

static uint32_t id_of(const struct sb_call *call, unsigned n)
{
	return (uint32_t)sb_arg(call, n);
}

/* What a change of ids may change besides. */
static struct sb_ids *begin(struct sb_call *call, struct sb_ids *before)
{
	memcpy(before, call->ids, offsetof(struct sb_ids, groups));
	return sb_call_change_ids(call);
}

/* The memory of a process that changed its looks is secret until it says otherwise. */
static void hide_memory(struct sb_call *call, const struct sb_ids *before)
{
	if (sb_ids_looks_changed(before, call->ids))
		call->proc->dumpable = sb_suid_dumpable();
}

/* Show the new ids to the rest of the container. */
static long publish(struct sb_call *call, int result, const struct sb_ids *before)
{
	if (result < 0)
		return result;
	hide_memory(call, before);
	sb_proc_publish(call->proc, call->ids);
	return 0;
}

/* The file system ids of the first thread are those of the process. */
static void publish_first(struct sb_call *call, const struct sb_ids *before)
{
	hide_memory(call, before);
	if (call->thread->tid == call->proc->pid)
		sb_proc_publish(call->proc, call->ids);
}

/* ---- reading ------------------------------------------------------------ */

long on_getuid(struct sb_call *call)
{
	return call->ids->ruid;
}

long on_geteuid(struct sb_call *call)
{
	return call->ids->euid;
}

long on_getgid(struct sb_call *call)
{
	return call->ids->rgid;
}

long on_getegid(struct sb_call *call)
{
	return call->ids->egid;
}

static long write_three(struct sb_call *call, uint32_t r, uint32_t e, uint32_t s)
{
	int ret = sb_guest_write(sb_arg(call, 0), &r, sizeof(r));

	if (ret == 0)
		ret = sb_guest_write(sb_arg(call, 1), &e, sizeof(e));
	if (ret == 0)
		ret = sb_guest_write(sb_arg(call, 2), &s, sizeof(s));
	return ret;
}

long on_getresuid(struct sb_call *call)
{
	return write_three(call, call->ids->ruid, call->ids->euid, call->ids->suid);
}

long on_getresgid(struct sb_call *call)
{
	return write_three(call, call->ids->rgid, call->ids->egid, call->ids->sgid);
}

long on_getgroups(struct sb_call *call)
{
	const int size = (int)sb_arg(call, 0);
	uint32_t count;
	const uint32_t *groups = sb_ids_groups(call->ids, &count);
	int ret;

	if (size < 0)
		return -EINVAL;
	if (size == 0)
		return count;
	if ((uint32_t)size < count)
		return -EINVAL;
	ret = sb_guest_write(sb_arg(call, 1), groups, count * sizeof(uint32_t));
	return ret < 0 ? ret : (long)count;
}

/* ---- changing ids ------------------------------------------------------- */

long on_setuid(struct sb_call *call)
{
	struct sb_ids before;

	return publish(call, sb_ids_setuid(begin(call, &before), id_of(call, 0)), &before);
}

long on_setgid(struct sb_call *call)
{
	struct sb_ids before;

	return publish(call, sb_ids_setgid(begin(call, &before), id_of(call, 0)), &before);
}

long on_setreuid(struct sb_call *call)
{
	struct sb_ids before;

	return publish(call, sb_ids_setreuid(begin(call, &before), id_of(call, 0), id_of(call, 1)),
		       &before);
}

long on_setregid(struct sb_call *call)
{
	struct sb_ids before;

	return publish(call, sb_ids_setregid(begin(call, &before), id_of(call, 0), id_of(call, 1)),
		       &before);
}

long on_setresuid(struct sb_call *call)
{
	struct sb_ids before;

	return publish(call,
		       sb_ids_setresuid(begin(call, &before), id_of(call, 0), id_of(call, 1),
					id_of(call, 2)),
		       &before);
}

long on_setresgid(struct sb_call *call)
{
	struct sb_ids before;

	return publish(call,
		       sb_ids_setresgid(begin(call, &before), id_of(call, 0), id_of(call, 1),
					id_of(call, 2)),
		       &before);
}

long on_setfsuid(struct sb_call *call)
{
	struct sb_ids before;
	const uint32_t old = sb_ids_setfsuid(begin(call, &before), id_of(call, 0));

	publish_first(call, &before);
	return (long)old;
}

long on_setfsgid(struct sb_call *call)
{
	struct sb_ids before;
	const uint32_t old = sb_ids_setfsgid(begin(call, &before), id_of(call, 0));

	publish_first(call, &before);
	return (long)old;
}

static long set_many(struct sb_call *call, uint32_t count)
{
	struct sb_ids *ids = sb_call_change_ids(call);
	uint32_t *groups;
	int ret = sb_many_groups_read(sb_arg(call, 1), count, &groups);

	if (ret < 0)
		return ret;
	ret = sb_ids_set_many_groups(ids, groups, count);
	if (ret < 0)
		sb_many_groups_drop(groups, count);
	else
		sb_proc_publish(call->proc, ids);
	return ret;
}

long on_setgroups(struct sb_call *call)
{
	const uint32_t count = id_of(call, 0);
	uint32_t groups[SB_MAX_GROUPS];
	int ret;

	if (!sb_ids_has_cap(call->ids, SB_CAP_SETGID))
		return -EPERM;
	if (count > NGROUPS_MAX)
		return -EINVAL;
	if (count > SB_MAX_GROUPS)
		return set_many(call, count);
	ret = sb_guest_read(groups, sb_arg(call, 1), count * sizeof(uint32_t));
	if (ret < 0)
		return ret;
	ret = sb_ids_setgroups(sb_call_change_ids(call), groups, count);
	if (ret == 0)
		sb_proc_publish(call->proc, call->ids);
	return ret;
}
