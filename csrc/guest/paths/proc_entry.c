/* SPDX-License-Identifier: MIT */
/*
 * proc_entry.c - which process, descriptor or file an entry of /proc names.
 *
 * How it works
 *   Parses the path below the mount of /proc.
 * Does not know
 *   What a link leads to (magic_link.c), the content of files (calls/proc).
 */
#include "guest/paths/proc_entry.h"

#include "guest/peers/tasks.h"
#include "tree/tasks.h"

#define NOBODY UINT32_MAX

/* ---- names -------------------------------------------------------------- */

/* The kernel's number of a task, 0: no number is there, NOBODY: it is no task of the container. */
static uint32_t real_number(const struct sb_tree *tree, const char *text, size_t len, size_t *used)
{
	const uint32_t number = sb_tasks_number(text, len, used);
	const uint32_t real = number == 0 ? 0 : tree->tasks->real(tree, number);

	return number != 0 && real == 0 ? NOBODY : real;
}

static bool begins(const char *text, size_t len, const char *prefix)
{
	const size_t want = strlen(prefix);

	return len >= want && memcmp(text, prefix, want) == 0;
}

bool sb_proc_entry(const struct sb_fs *fs, const struct sb_at *at, struct sb_proc_entry *name)
{
	const struct sb_control *control = fs->tree->control;
	const struct sb_mount *mount;
	const char *text;
	size_t len;
	size_t used;

	if (at->spot.mount == SB_NO_MOUNT || at->spot.place != SB_PLACE_MOUNT)
		return false;
	mount = &control->mounts[at->spot.mount];
	if ((mount->kind != SB_MOUNT_PROC && mount->kind != SB_MOUNT_LIMITS) ||
	    at->guest.len < mount->guest.len + 2)
		return false;
	text = at->guest.buf + mount->guest.len + 1;
	len = at->guest.len - mount->guest.len - 1;
	name->of_limits = mount->kind == SB_MOUNT_LIMITS;
	if (name->of_limits) {
		name->pid = 0;
		name->tid = 0;
		name->rest = text;
		name->len = len;
		return true;
	}
	name->pid = real_number(fs->tree, text, len, &used);
	name->tid = 0;
	if (used > 0 && used < len) {
		text += used + 1;
		len -= used + 1;
	} else if (used > 0) {
		text += len;
		len = 0;
	}
	if (name->pid != 0 && begins(text, len, "task/")) {
		name->tid = real_number(fs->tree, text + 5, len - 5, &used);
		if (used > 0 && 5 + used < len) {
			text += 6 + used;
			len -= 6 + used;
		}
	}
	name->rest = text;
	name->len = len;
	return true;
}

static bool is_fd_link(const struct sb_proc_entry *name)
{
	return name->pid != 0 && name->len > 3 && memcmp(name->rest, "fd/", 3) == 0;
}

static bool is_namespace(const struct sb_proc_entry *name)
{
	return name->pid != 0 && name->len > 3 && memcmp(name->rest, "ns/", 3) == 0;
}

bool sb_proc_leads_to_object(const struct sb_proc_entry *name)
{
	return is_fd_link(name) || is_namespace(name) || sb_proc_is_named(name, "cwd");
}

bool sb_proc_is_object(const struct sb_fs *fs, const struct sb_at *at)
{
	struct sb_proc_entry name;

	return sb_proc_entry(fs, at, &name) && sb_proc_leads_to_object(&name) &&
	       at->spot.type != S_IFLNK && at->spot.type != 0;
}

int sb_proc_object_fd(const struct sb_call *call, const struct sb_at *at)
{
	struct sb_proc_entry name;
	uint32_t fd;
	size_t used;

	if (!sb_proc_entry(call->fs, at, &name) || !is_fd_link(&name) ||
	    name.pid != call->proc->pid)
		return -1;
	fd = sb_tasks_number(name.rest + 3, name.len - 3, &used);
	return used == 0 || fd > INT32_MAX ? -1 : (int)fd;
}

/* ---- processes ---------------------------------------------------------- */

const struct sb_proc_slot *sb_proc_slot_of(struct sb_call *call, uint32_t id)
{
	sb_commit_begin(call->fs); /* a descriptor may be opened */
	return sb_task_slot(call->fs->tree, id);
}
