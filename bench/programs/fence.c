/* SPDX-License-Identifier: MIT */
/*
 * fence.c - measure calls that the kernel's fence may slow down, and some that it must not.
 *
 * `fence BATCHES` prints a line `name nanoseconds` for each call. A figure is that of the quickest
 * batch, since other work on the machine only adds time. The batches of all calls take turns.
 * `fence quit` ends at once.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *self;
static int listener;
static int zeros;
static struct sockaddr_in place;

static void must(int good, const char *what)
{
	if (!good) {
		perror(what);
		exit(1);
	}
}

static void open_close(void)
{
	int fd = open(self, O_RDONLY | O_CLOEXEC);

	must(fd >= 0, "open");
	close(fd);
}

static void look(void)
{
	struct stat st;

	must(stat(self, &st) == 0, "stat");
}

static void execute(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execl(self, self, "quit", (char *)NULL);
		_exit(1);
	}
	must(waitpid(pid, &status, 0) == pid && status == 0, "exec");
}

/* Connections of the batch: those that wait are accepted in its second half. */
#define WAITING 200
static int ends[WAITING];
static int waiting;

static void reach(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	must(waiting < WAITING && fd >= 0 && connect(fd, (void *)&place, sizeof(place)) == 0,
	     "connect");
	ends[waiting++] = fd;
}

static void take(void)
{
	int peer = accept(listener, NULL, NULL);

	must(waiting > 0 && peer >= 0, "accept");
	close(peer);
	close(ends[--waiting]);
}

static void change_mode(void)
{
	must(chmod("/tmp/file", 0600) == 0, "chmod");
}

static void ask_pid(void)
{
	syscall(SYS_getpid);
}

static void wake(void)
{
	static int word;

	syscall(SYS_futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void get_zero(void)
{
	char byte;

	must(pread(zeros, &byte, 1, 0) == 1, "pread");
}

static const struct {
	const char *name;
	void (*run)(void);
	int count;
} calls[] = {
	{"open-close", open_close, 3000}, {"stat", look, 5000},
	{"chmod", change_mode, 2000},     {"exec", execute, 10},
	{"connect", reach, WAITING},      {"accept", take, WAITING},
	{"getpid", ask_pid, 20000},       {"futex", wake, 20000},
	{"pread", get_zero, 10000},
};
#define COUNT (sizeof(calls) / sizeof(calls[0]))

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
	double best[COUNT];
	socklen_t len = sizeof(place);

	if (argc != 2)
		return 2;
	if (strcmp(argv[1], "quit") == 0)
		return 0;
	self = argv[0];
	zeros = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	close(open("/tmp/file", O_WRONLY | O_CREAT, 0600));
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	place.sin_family = AF_INET;
	place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(bind(listener, (void *)&place, sizeof(place)) == 0 && listen(listener, WAITING) == 0 &&
		     getsockname(listener, (void *)&place, &len) == 0,
	     "listen");
	for (int batch = 0; batch < atoi(argv[1]); batch++) {
		for (size_t i = 0; i < COUNT; i++) {
			double begun = now();
			double each;

			for (int n = 0; n < calls[i].count; n++)
				calls[i].run();
			each = (now() - begun) / calls[i].count;
			if (batch == 0 || each < best[i])
				best[i] = each;
		}
	}
	for (size_t i = 0; i < COUNT; i++)
		printf("%s %.1f\n", calls[i].name, best[i]);
	return 0;
}
