/* SPDX-License-Identifier: MIT */
/*
 * peers.c - change how another process runs.
 *
 *   peers PID (of a process of the machine, with the same user)
 */
#include "attack.h"

#include <sched.h>
#include <sys/resource.h>

#define IOPRIO_IDLE (3 << 13)

static void change(const char *whose, long pid)
{
	const struct sched_param param = {0};
	struct rlimit limit;
	cpu_set_t cpus;
	char what[64];

	MUST(sched_getaffinity(0, sizeof(cpus), &cpus));
	snprintf(what, sizeof(what), "set the priority of %s", whose);
	attempt(what, PAST(SYS_setpriority, PRIO_PROCESS, pid, 1));
	snprintf(what, sizeof(what), "set the disk priority of %s", whose);
	attempt(what, PAST(SYS_ioprio_set, 1, pid, IOPRIO_IDLE));
	snprintf(what, sizeof(what), "set the processors of %s", whose);
	attempt(what, PAST(SYS_sched_setaffinity, pid, sizeof(cpus), &cpus));
	snprintf(what, sizeof(what), "set the processors, not past the runtime, of %s", whose);
	attempt(what, sched_setaffinity((pid_t)pid, sizeof(cpus), &cpus) == 0 ? 0 : -errno);
	snprintf(what, sizeof(what), "set the limits of %s", whose);
	MUST(getrlimit(RLIMIT_CORE, &limit));
	attempt(what, PAST(SYS_prlimit64, pid, RLIMIT_CORE, &limit, 0));
	snprintf(what, sizeof(what), "set the scheduler of %s", whose);
	attempt(what, PAST(SYS_sched_setscheduler, pid, SCHED_IDLE, &param));
}

static void *wait_here(void *arg)
{
	pause();
	return arg;
}

int main(int argc, char **argv)
{
	pthread_attr_t attr;
	pthread_t thread;
	cpu_set_t cpus;
	pid_t child;

	if (argc != 2)
		return 2;
	change("a process of the machine", atol(argv[1]));
	attempt("set the priority of all processes", PAST(SYS_setpriority, PRIO_USER, 0, 0));
	child = (pid_t)MUST(fork());
	if (child == 0) {
		pause();
		_exit(0);
	}
	change("a child", child);
	kill(child, SIGKILL);
	wait_for(child);
	/* The C library does it for a new thread, which waits. */
	MUST(sched_getaffinity(0, sizeof(cpus), &cpus));
	pthread_attr_init(&attr);
	pthread_attr_setaffinity_np(&attr, sizeof(cpus), &cpus);
	attempt("set the processors of a thread", -pthread_create(&thread, &attr, wait_here, NULL));
	return 0;
}
