/* SPDX-License-Identifier: MIT */
/*
 * proc_entry.c - which process, descriptor or file an entry of /proc names.
 *
 * How it works
 *   Parses the path below the mount of /proc. A number is looked up in the process table; for a
 *   thread's number the kernel is asked for its process.
 * Does not know
 *   What a link leads to (magic_link.c), the content of files (calls/proc).
 */
#include "guest/paths/proc_entry.h"

#include "guest/process_table.h"
#include "procfs/proc_text.h"

/* ---- names -------------------------------------------------------------- */

/* Read the number at the start of text; *used is its length, or 0 if no number ends before the next
 * slash. */
static uint32_t parse_number(const char *text, size_t len, size_t *used)
{
	uint64_t value = 0;
	size_t at = 0;

	while (at < len && text[at] >= '0' && text[at] <= '9' && value < UINT32_MAX)
		value = value * 10 + (uint64_t)(text[at++] - '0');
	if (value > UINT32_MAX || (at < len && text[at] != '/'))
		at = 0;
	*used = at;
	return at == 0 ? 0 : (uint32_t)value;
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
	if (mount->kind != SB_MOUNT_PROC || at->guest.len < mount->guest.len + 2)
		return false;
	text = at->guest.buf + mount->guest.len + 1;
	len = at->guest.len - mount->guest.len - 1;
	name->pid = parse_number(text, len, &used);
	name->tid = 0;
	if (used > 0 && used < len) {
		text += used + 1;
		len -= used + 1;
	} else if (used > 0) {
		text += len;
		len = 0;
	}
	if (name->pid != 0 && begins(text, len, "task/")) {
		name->tid = parse_number(text + 5, len - 5, &used);
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
	fd = parse_number(name.rest + 3, name.len - 3, &used);
	return used == 0 || fd > INT32_MAX ? -1 : (int)fd;
}

/* ---- processes ---------------------------------------------------------- */

/* Find the process of a thread: /proc/TID exists for every thread. */
static uint32_t process_of(struct sb_call *call, uint32_t tid)
{
	static const char key[] = "\nTgid:\t";
	char path[48];
	struct sb_proc_out text = {.buf = path, .max = sizeof(path) - 1};
	char status[512];
	long fd;
	long len;

	sb_proc_put_text(&text, "/proc/");
	sb_proc_put_number(&text, tid, 10, 1);
	sb_proc_put_text(&text, "/status");
	path[text.len] = '\0';
	sb_commit_begin(call->fs);
	fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return 0;
	len = sys_read((int)fd, status, sizeof(status));
	sys_close((int)fd);
	for (long i = 0; i + (long)sizeof(key) < len; i++) {
		size_t used;

		if (memcmp(status + i, key, sizeof(key) - 1) != 0)
			continue;
		i += (long)sizeof(key) - 1;
		for (used = 0; i + (long)used < len && status[i + (long)used] != '\n';)
			used++;
		return parse_number(status + i, used, &used);
	}
	return 0;
}

const struct sb_proc_slot *sb_proc_slot_of(struct sb_call *call, uint32_t id)
{
	const struct sb_proc_slot *slot = sb_proc_find(call->fs->tree, id);
	uint32_t pid;

	if (slot != NULL)
		return slot;
	pid = process_of(call, id);
	return pid == 0 || pid == id ? NULL : sb_proc_find(call->fs->tree, pid);
}
