/* SPDX-License-Identifier: MIT */
/*
 * task_files.c - files of /proc that tell numbers or credentials of tasks.
 *
 * Does not know
 *   What the text means (proc_text.c, proc_tasks.c), whose a number is (guest/peers).
 */
#include <errno.h>

#include "base/mem.h"
#include "calls/proc/internal.h"
#include "guest/peers/peers.h"
#include "procfs/proc_tasks.h"

static const struct sb_tree *tree_of(const struct sb_proc_fill *f)
{
	return f->call->fs->tree;
}

/* ---- status --------------------------------------------------------------- */

static void status_line(struct sb_proc_fill *f, const char *line, size_t len)
{
	sb_proc_status_line(&f->status, line, len, &f->out);
}

static uint64_t caught_signals(const struct sb_proc *proc)
{
	uint64_t caught = 0;

	for (unsigned sig = 1; sig <= 64; sig++)
		if (proc->actions[sig].handler > 1)
			caught |= 1ULL << (sig - 1);
	return caught;
}

/* What another process told: the first members of both are the same. */
static void take_ids(struct sb_ids *ids, const struct sb_creds *creds)
{
	memset(ids, 0, sizeof(*ids));
	memcpy(ids, creds, offsetof(struct sb_creds, dumpable));
	ids->no_new_privs = creds->no_new_privs;
	ids->group_count = SB_MIN(creds->group_count, (uint32_t)SB_CREDS_GROUPS);
	memcpy(ids->groups, creds->groups, ids->group_count * sizeof(ids->groups[0]));
}

static long fill_status(struct sb_proc_fill *f)
{
	const struct sb_proc *proc = f->call->proc;

	f->status.tree = tree_of(f);
	f->status.is_traced = (proc->tree.control->flags & SB_CONTROL_TRACED) != 0;
	if (f->entry.pid == proc->pid) {
		f->status.ids = f->call->ids;
		f->status.has_own = true;
		f->status.caught = caught_signals(proc);
		f->status.seccomp_mode = proc->seccomp_mode;
		f->status.umask = proc->umask;
	} else if (f->slot != NULL) {
		take_ids(&f->ids, &f->slot->creds);
		f->status.ids = &f->ids;
	}
	return sb_proc_rewrite(f, status_line);
}

/* ---- numbers ---------------------------------------------------------------- */

static long fill_stat(struct sb_proc_fill *f)
{
	const bool may_look = sb_peer_may_look(f->call, f->entry.pid);
	const long len = sb_proc_read_whole(f);

	if (len >= 0)
		sb_proc_stat(tree_of(f), may_look, f->call->work->buffer, (size_t)len, &f->out);
	return len;
}

static long fill_children(struct sb_proc_fill *f)
{
	const long len = sb_proc_read_whole(f);

	if (len >= 0)
		sb_proc_children(tree_of(f), f->call->work->buffer, (size_t)len, &f->out);
	return len;
}

static void sched_line(struct sb_proc_fill *f, const char *line, size_t len)
{
	if (f->lines++ == 0)
		sb_proc_sched_line(tree_of(f), line, len, &f->out);
	else
		sb_proc_put(&f->out, line, len);
}

static long fill_sched(struct sb_proc_fill *f)
{
	return sb_proc_rewrite(f, sched_line);
}

static void timer_line(struct sb_proc_fill *f, const char *line, size_t len)
{
	sb_proc_timer_line(tree_of(f), line, len, &f->out);
}

static long fill_timers(struct sb_proc_fill *f)
{
	return sb_proc_rewrite(f, timer_line);
}

static void lock_line(struct sb_proc_fill *f, const char *line, size_t len)
{
	sb_proc_lock_line(tree_of(f), line, len, &f->out);
}

long sb_proc_fill_locks(struct sb_proc_fill *f)
{
	return sb_proc_rewrite(f, lock_line);
}

static long fill_cgroup(struct sb_proc_fill *f)
{
	sb_proc_put_text(&f->out, "0::/\n");
	return 0;
}

static long fill_cpuset(struct sb_proc_fill *f)
{
	sb_proc_put_text(&f->out, "/\n");
	return 0;
}

/* ---- descriptors -------------------------------------------------------------- */

static void fdinfo_line(struct sb_proc_fill *f, const char *line, size_t len)
{
	sb_proc_fdinfo_line(tree_of(f), line, len, &f->out);
}

static long fill_fdinfo(struct sb_proc_fill *f)
{
	return sb_proc_rewrite(f, fdinfo_line);
}

/* Only pidfds and files with locks name tasks: the kernel's file serves for the others. */
static bool names_task(struct sb_call *call, const struct sb_at *at)
{
	char *text = call->work->buffer;
	long fd;
	long len;
	bool found = false;

	sb_commit_begin(call->fs);
	fd = sys_openat(AT_FDCWD, at->host.buf, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return false;
	len = sys_read((int)fd, text, SB_PROC_INPUT);
	sys_close((int)fd);
	for (long from = 0; from < len && !found;) {
		long end = from;

		while (end < len && text[end] != '\n')
			end++;
		found = sb_proc_fdinfo_names_task(text + from, (size_t)(end - from));
		from = end + 1;
	}
	return found;
}

static bool begins(const struct sb_proc_entry *entry, const char *prefix)
{
	const size_t want = strlen(prefix);

	return entry->len >= want && memcmp(entry->rest, prefix, want) == 0;
}

sb_proc_filler *sb_proc_task_filler(struct sb_call *call, const struct sb_at *at,
				    const struct sb_proc_entry *entry)
{
	static const struct {
		const char *name;
		sb_proc_filler *fill;
	} files[] = {
		{"status", fill_status}, {"stat", fill_stat},         {"sched", fill_sched},
		{"timers", fill_timers}, {"children", fill_children}, {"cgroup", fill_cgroup},
		{"cpuset", fill_cpuset},
	};

	for (size_t i = 0; i < SB_ARRAY_LEN(files); i++) {
		if (sb_proc_is_named(entry, files[i].name))
			return files[i].fill;
	}
	return begins(entry, "fdinfo/") && names_task(call, at) ? fill_fdinfo : NULL;
}

/* ---- permission ------------------------------------------------------------------ */

bool sb_proc_may_open(struct sb_call *call, const struct sb_proc_entry *entry)
{
	static const char *const guarded[] = {
		"environ",   "mem",         "maps",    "smaps", "smaps_rollup",
		"numa_maps", "pagemap",     "auxv",    "io",    "fdinfo",
		"map_files", "personality", "syscall", "stack", "timers",
	};

	if (entry->pid == call->proc->pid)
		return true;
	for (size_t i = 0; i < SB_ARRAY_LEN(guarded); i++) {
		if (sb_proc_is_named(entry, guarded[i]))
			return sb_peer_may_look(call, entry->pid);
	}
	return !begins(entry, "fdinfo/") || sb_peer_may_look(call, entry->pid);
}
