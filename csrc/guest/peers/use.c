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
#include "guest/pids.h"
#include "procfs/proc_text.h"
#include "tree/tasks.h"

#define NAMES_SIZE 8192 /* of work->buffer; STATUS_SIZE behind them */
#define STATUS_SIZE 4096
#define KIB 1024

/* The number behind a key that begins a line; 0: there is none. */
static uint64_t value_of(const char *text, size_t len, const char *key)
{
	const size_t skip = strlen(key);
	uint64_t value = 0;

	for (size_t i = 0; i + skip < len; i++) {
		if (text[i] != key[0] || memcmp(text + i, key, skip) != 0)
			continue;
		for (i += skip; i < len && (text[i] == ' ' || text[i] == '\t');)
			i++;
		for (; i < len && text[i] >= '0' && text[i] <= '9'; i++)
			value = value * 10 + (uint64_t)(text[i] - '0');
		return value;
	}
	return 0;
}

static long read_status(uint32_t pid, char *text)
{
	char path[48];
	struct sb_proc_out out = {.buf = path, .max = sizeof(path) - 1};
	long fd;
	long len;

	sb_proc_put_text(&out, "/proc/");
	sb_proc_put_number(&out, pid, 10, 1);
	sb_proc_put_text(&out, "/status");
	path[out.len] = '\0';
	fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	len = sys_read((int)fd, text, STATUS_SIZE);
	sys_close((int)fd);
	return len;
}

static void add(const struct sb_tree *tree, const char *name, char *text, struct sb_use *use)
{
	size_t used;
	const uint32_t pid = sb_tasks_number(name, strlen(name), &used);
	long len;

	if (pid == 0 || !sb_pid_is_own(tree, pid))
		return;
	len = read_status(pid, text);
	if (len <= 0)
		return;
	use->tasks += (uint32_t)value_of(text, (size_t)len, "\nThreads:");
	use->anonymous += value_of(text, (size_t)len, "\nRssAnon:") * KIB;
	use->shared = SB_MAX(use->shared, value_of(text, (size_t)len, "\nRssShmem:") * KIB);
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
