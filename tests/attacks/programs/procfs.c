/* SPDX-License-Identifier: MIT */
/*
 * procfs.c - write files of /proc of another process, and look into it, past the runtime.
 *
 *   procfs PID (of a process of the machine, with the same user)
 */
#include "ask_opener.h"

static long pid;

static long open_file(const char *name, int flags)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/%ld/%s", pid, name);
	return PAST(SYS_openat, AT_FDCWD, path, flags);
}

static void put(const char *what, const char *name, const char *text)
{
	const long fd = open_file(name, O_WRONLY);

	attempt(what, fd < 0 ? fd : PAST(SYS_write, fd, text, strlen(text)));
}

static void get(const char *what, const char *name)
{
	char text[64];
	const long fd = open_file(name, O_RDONLY);
	const long len = fd < 0 ? fd : PAST(SYS_pread64, fd, text, sizeof(text), 0);

	attempt(what, len == 0 ? -ENODATA : len);
}

static void follow(const char *what, const char *name)
{
	char path[128];
	char text[256];

	snprintf(path, sizeof(path), "/proc/%ld/%s", pid, name);
	attempt(what, PAST(SYS_readlink, path, text, sizeof(text)));
}

/* Show the opener a descriptor that names the file. */
static void by_opener(const char *what, const char *name, int flags)
{
	const long fd = open_file(name, O_PATH);

	attempt(what, fd < 0 ? fd : ask_opener(SB_TASK_FILE_OPEN, 0, flags, (int)fd, -1));
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	pid = atol(argv[1]);
	attempt("open its memory to write", open_file("mem", O_RDWR));
	get("read its environment", "environ");
	get("read where its memory lies", "maps");
	get("read its auxiliary vector", "auxv");
	get("read its system call", "syscall");
	follow("see its working directory", "cwd");
	follow("see its descriptors", "fd/0");
	attempt("open its root", open_file("root/etc/passwd", O_RDONLY));
	put("change its slack of timers", "timerslack_ns", "1000000");
	put("change its name", "comm", "other");
	put("change its attributes", "attr/current", "x");
	put("map its users", "uid_map", "0 0 1");
	put("change its groups", "setgroups", "deny");
	put("let it be killed first", "oom_score_adj", "500");
	put("let it dump nothing", "coredump_filter", "0");
	put("forget what it used", "clear_refs", "1");
	put("change its group of the scheduler", "autogroup", "5");
	by_opener("let the opener open its memory", "mem", O_RDWR);
	by_opener("let the opener let it be killed first", "oom_score_adj", O_WRONLY);
	by_opener("let the opener open a file of its thread", "task/../oom_score_adj", O_WRONLY);
	by_opener("let the opener open its environment", "environ", O_RDONLY);
	by_opener("let the opener open a file of its root", "root/etc/passwd", O_RDWR);
	return 0;
}
