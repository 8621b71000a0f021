/* SPDX-License-Identifier: MIT */
/*
 * opener_tasks.c - the files of /proc/PID that processes of the container write.
 */
#include "opener/opener_tasks.h"

#include <errno.h>

#include "base/mark.h"
#include "base/mem.h"
#include "base/sys.h"
#include "guest/peers/status.h"
#include "tree/host_path.h"

#define STATUS_SIZE 4096
#define FLAGS (O_ACCMODE | O_NONBLOCK | O_APPEND | O_SYNC | O_ASYNC)
#define PROC "/proc/"
#define LONGEST (sizeof(PROC) + 64)

static bool is_writable(const char *name, size_t len)
{
	static const char *const names[] = {
		"autogroup", "clear_refs",    "comm",  "coredump_filter", "mem",
		"oom_adj",   "oom_score_adj", "sched", "timerslack_ns",
	};

	for (size_t i = 0; i < SB_ARRAY_LEN(names); i++) {
		if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
			return true;
	}
	return false;
}

/* Skip a number and the slash behind it: the bytes, or 0. */
static size_t skip_number(const char *text, size_t len, long *out)
{
	size_t i = 0;

	for (*out = 0; i < len && i < 10 && text[i] >= '0' && text[i] <= '9'; i++)
		*out = *out * 10 + (text[i] - '0');
	return i > 0 && i < len && text[i] == '/' ? i + 1 : 0;
}

/* The id in "/proc/ID/NAME" or "/proc/PID/task/ID/NAME", or -EACCES. */
static long task_of(const char *path, size_t len)
{
	const size_t head = sizeof(PROC) - 1;
	size_t at = head;
	size_t skipped;
	long id;

	if (len < head || memcmp(path, PROC, head) != 0)
		return -EACCES;
	skipped = skip_number(path + at, len - at, &id);
	at += skipped;
	if (skipped != 0 && len - at > 5 && memcmp(path + at, "task/", 5) == 0) {
		skipped = skip_number(path + at + 5, len - at - 5, &id);
		at += 5 + skipped;
	}
	return skipped != 0 && is_writable(path + at, len - at) ? id : -EACCES;
}

/* Is it a regular file of the file system at /proc? Its path alone does not tell. */
static bool is_of_proc(int named)
{
	struct statx file;
	struct statx proc;

	return sys_statx(named, "", AT_EMPTY_PATH, STATX_TYPE, &file) == 0 &&
	       sys_statx(AT_FDCWD, PROC, 0, STATX_TYPE, &proc) == 0 &&
	       (file.stx_mode & S_IFMT) == S_IFREG && file.stx_dev_major == proc.stx_dev_major &&
	       file.stx_dev_minor == proc.stx_dev_minor;
}

/* The number of filters of a task, and its process; 0 where the kernel does not say (5.9). */
static uint64_t filters_of(long task, long *process)
{
	static char text[STATUS_SIZE];
	const long len = sb_task_status_read((uint32_t)task, text, sizeof(text));

	*process = (long)sb_task_status_number(text, len, "\nTgid:", 10);
	return sb_task_status_number(text, len, "\nSeccomp_filters:", 10);
}

static bool is_confined_member(long task, uint64_t filters, uint64_t mark)
{
	const long own = sb_syscall(__NR_getpid, 0, 0, 0, 0, 0, 0);
	uint64_t found;
	long process;

	return mark != 0 && sb_mark_of(task, &found) == 0 && found == mark &&
	       filters > filters_of(own, &process);
}

long sb_opener_open_task_file(int named, int flags, long sender, uint64_t mark)
{
	char name[32];
	char path[LONGEST];
	uint64_t filters;
	long process;
	long task;
	long len;

	sb_fd_name(named, name);
	len = sys_readlinkat(AT_FDCWD, name, path, sizeof(path));
	if (len < 0 || len == sizeof(path) || (flags & O_ACCMODE) == O_RDONLY || !is_of_proc(named))
		return -EACCES;
	task = task_of(path, (size_t)len);
	if (task < 0)
		return task;
	filters = filters_of(task, &process);
	if (process != sender && !is_confined_member(task, filters, mark))
		return -EACCES;
	return sys_openat(AT_FDCWD, name, (flags & FLAGS) | O_CLOEXEC, 0);
}
