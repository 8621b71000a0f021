/* SPDX-License-Identifier: MIT */
/*
 * timed.c - measure a command from inside, without the start of the tool that it runs in.
 *
 * `timed COUNT PROGRAM ARG...` runs the program COUNT times and prints, for each, one line on
 * standard error:
 *
 *     timed: <wall ns> <cpu ns of it and its children> <KiB of the largest process> <bytes written>
 *
 * The standard output goes into a pipe that this program reads and counts. So commands work as in a
 * pipeline, and different work of two tools shows in the count.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static long long nanoseconds(struct timeval time)
{
	return time.tv_sec * 1000000000LL + time.tv_usec * 1000LL;
}

static void run_child(int output, char **argv)
{
	dup2(output, STDOUT_FILENO);
	execvp(argv[0], argv);
	perror(argv[0]);
	_exit(127);
}

static long long count_bytes(int fd)
{
	static char buffer[65536];
	long long bytes = 0;
	ssize_t got;

	while ((got = read(fd, buffer, sizeof(buffer))) > 0)
		bytes += got;
	return bytes;
}

static int run_once(char **argv)
{
	struct rusage usage;
	int ends[2];
	int status;

	if (pipe2(ends, O_CLOEXEC) < 0) {
		perror("timed: pipe2");
		return 1;
	}
	long long start = now();
	pid_t child = fork();

	if (child < 0) {
		perror("timed: fork");
		return 1;
	}
	if (child == 0)
		run_child(ends[1], argv);
	close(ends[1]);
	long long bytes = count_bytes(ends[0]);

	if (wait4(child, &status, 0, &usage) != child)
		return 1;
	long long wall = now() - start;

	close(ends[0]);
	fprintf(stderr, "timed: %lld %lld %ld %lld\n", wall,
		nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime), usage.ru_maxrss, bytes);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	int count = argc > 2 ? atoi(argv[1]) : 0;
	int status = 0;

	if (count < 1) {
		fprintf(stderr, "usage: timed COUNT PROGRAM ARG...\n");
		return 2;
	}
	while (count-- && status == 0)
		status = run_once(argv + 2);
	return status;
}
