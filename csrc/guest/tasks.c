/* SPDX-License-Identifier: MIT */
/*
 * tasks.c - which tasks are the container's, and who they are.
 *
 * How it works
 *   A process of the container has its mark, which the kernel keeps, and a slot in the process
 *   table. The keeper and a process that is about to enter have no slot; they have one thread.
 */
#include "guest/tasks.h"

#include <errno.h>

#include "base/mark.h"
#include "guest/process_table.h"
#include "procfs/proc_text.h"
#include "tree/tasks.h"

/* ---- the process of a thread ---------------------------------------------- */

static uint32_t number_in(const char *text, long len)
{
	uint32_t value = 0;

	for (long i = 0; i < len && text[i] >= '0' && text[i] <= '9'; i++)
		value = value * 10 + (uint32_t)(text[i] - '0');
	return value;
}

/* /proc/TID exists for every thread. */
static uint32_t process_of(uint32_t tid)
{
	static const char key[] = "\nTgid:\t";
	const long skip = sizeof(key) - 1;
	char path[48];
	struct sb_proc_out text = {.buf = path, .max = sizeof(path) - 1};
	char status[512];
	long fd;
	long len;

	sb_proc_put_text(&text, "/proc/");
	sb_proc_put_number(&text, tid, 10, 1);
	sb_proc_put_text(&text, "/status");
	path[text.len] = '\0';
	fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return 0;
	len = sys_read((int)fd, status, sizeof(status));
	sys_close((int)fd);
	for (long i = 0; i + skip < len; i++) {
		if (memcmp(status + i, key, (size_t)skip) == 0)
			return number_in(status + i + skip, len - i - skip);
	}
	return 0;
}

/* ---- membership ------------------------------------------------------------ */

static bool has_mark(uint32_t real)
{
	static uint64_t own;
	uint64_t mark;

	if (own == 0 && (sb_mark_of(0, &own) < 0 || own == 0))
		own = 1; /* none: the process table decides */
	return own == 1 || (sb_mark_of(real, &mark) == 0 && mark == own);
}

static const struct sb_proc *proc_of(const struct sb_tree *tree)
{
	return (const struct sb_proc *)(const void *)tree; /* its first member */
}

_Static_assert(offsetof(struct sb_proc, tree) == 0, "the tree is the first member");

/* Is the task of this number a process, and not a further thread of one? */
static bool is_leader(uint32_t real)
{
	return sb_syscall(__NR_tgkill, real, real, 0, 0, 0, 0) != -ESRCH;
}

bool sb_task_is_ours(const struct sb_tree *tree, uint32_t real)
{
	return real == proc_of(tree)->pid ||
	       (real <= INT32_MAX && has_mark(real) &&
		(sb_proc_find(tree, real) != NULL || !is_leader(real)));
}

const struct sb_proc_slot *sb_task_slot(const struct sb_tree *tree, uint32_t real)
{
	const struct sb_proc_slot *slot;
	uint32_t pid;

	if (!sb_task_is_ours(tree, real))
		return NULL;
	slot = sb_proc_find(tree, real);
	if (slot != NULL)
		return slot;
	pid = process_of(real);
	return pid == 0 || pid == real ? NULL : sb_proc_find(tree, pid);
}

static uint32_t real_of(const struct sb_tree *tree, uint32_t shown)
{
	return sb_task_is_ours(tree, shown) ? shown : 0;
}

static uint32_t shown_of(const struct sb_tree *tree, uint32_t real)
{
	return real_of(tree, real);
}

static bool owner_of(const struct sb_tree *tree, uint32_t real, uint32_t *uid, uint32_t *gid)
{
	const struct sb_proc_slot *slot = sb_proc_find(tree, real);

	if (slot == NULL)
		return false;
	*uid = slot->uid;
	*gid = slot->gid;
	return true;
}

const struct sb_tasks sb_guest_tasks = {.real = real_of, .shown = shown_of, .owner = owner_of};
