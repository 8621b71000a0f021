/* SPDX-License-Identifier: MIT */
/*
 * use.c - what the processes of the container use together.
 *
 * How it works
 *   As the watch of the memory limit measures it (sandbox/runtime/limits/usage.py): memory without
 *   a file counts for each process, shared memory once.
 */
#include "guest/peers/use.h"

#include "base/dirent.h"
#include "guest/peers/status.h"
#include "guest/pids.h"
#include "tree/tasks.h"

#define NAMES_SIZE 8192 /* of work->buffer; STATUS_SIZE behind them */
#define STATUS_SIZE 4096
#define KIB 1024

static void add(const struct sb_tree *tree, const char *name, char *text, struct sb_use *use)
{
	size_t used;
	const uint32_t pid = sb_tasks_number(name, strlen(name), &used);
	long len;

	if (pid == 0 || !sb_pid_is_own(tree, pid))
		return;
	len = sb_task_status_read(pid, text, STATUS_SIZE);
	if (len <= 0)
		return;
	use->tasks += (uint32_t)sb_task_status_number(text, len, "\nThreads:", 10);
	use->anonymous += sb_task_status_number(text, len, "\nRssAnon:", 10) * KIB;
	use->shared =
		SB_MAX(use->shared, sb_task_status_number(text, len, "\nRssShmem:", 10) * KIB);
}

/* The process table is sparse, and reading all of it would fill it: /proc has the numbers. */
void sb_use_measure(struct sb_call *call, struct sb_use *use)
{
	char *names = call->work->buffer;
	char *text = names + NAMES_SIZE;
	long fd;
	long len;

	*use = (struct sb_use){0};
	sb_commit_begin(call->fs);
	fd = sys_openat(AT_FDCWD, "/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0)
		return;
	while ((len = sys_getdents64((int)fd, names, NAMES_SIZE)) > 0) {
		for (long at = 0; at < len;) {
			const struct sb_dirent *entry = (const void *)(names + at);

			add(call->fs->tree, entry->name, text, use);
			at += entry->reclen;
		}
	}
	sys_close((int)fd);
}
