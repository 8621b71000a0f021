/* SPDX-License-Identifier: MIT */
/*
 * see.h - shared by guest programs: print results of calls, one fact a line.
 *
 * A program runs on the host and in a container and must print the same. It therefore prints
 * nothing that may differ between two good runs: no process ids, addresses, times, inode or device
 * numbers (only whether they are equal). It prints its own user and group as `me`.
 *
 * With SEE_STORM=MICROSECONDS in the environment, the program and every process that it forks get
 * a signal at that interval. The kernel restarts most calls after the signal, so most programs
 * still print the same.
 */
#ifndef SEE_H
#define SEE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_newfstatat /* 32-bit programs */
#define SYS_newfstatat SYS_fstatat64
#endif

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define UNUSED __attribute__((unused))
#define NO_CALL (-123456) /* the kernel's headers do not know this call */

#define ERRORS(X)          \
	X(EPERM)           \
	X(ENOENT)          \
	X(ESRCH)           \
	X(EINTR)           \
	X(EIO)             \
	X(ENXIO)           \
	X(E2BIG)           \
	X(ENOEXEC)         \
	X(EBADF)           \
	X(ECHILD)          \
	X(EAGAIN)          \
	X(ENOMEM)          \
	X(EACCES)          \
	X(EFAULT)          \
	X(EBUSY)           \
	X(EEXIST)          \
	X(EXDEV)           \
	X(ENODEV)          \
	X(ENOTDIR)         \
	X(EISDIR)          \
	X(EINVAL)          \
	X(EMFILE)          \
	X(ENOTTY)          \
	X(ETXTBSY)         \
	X(EFBIG)           \
	X(ENOSPC)          \
	X(ESPIPE)          \
	X(EROFS)           \
	X(EMLINK)          \
	X(EPIPE)           \
	X(ERANGE)          \
	X(EDEADLK)         \
	X(ENAMETOOLONG)    \
	X(ENOSYS)          \
	X(ENOTEMPTY)       \
	X(ELOOP)           \
	X(ENODATA)         \
	X(EOVERFLOW)       \
	X(ELIBBAD)         \
	X(ENOTSOCK)        \
	X(EDESTADDRREQ)    \
	X(EMSGSIZE)        \
	X(EPROTOTYPE)      \
	X(EPROTONOSUPPORT) \
	X(EOPNOTSUPP)      \
	X(EADDRINUSE)      \
	X(EADDRNOTAVAIL)   \
	X(ECONNRESET)      \
	X(EISCONN)         \
	X(ENOTCONN)        \
	X(ETIMEDOUT)       \
	X(ECONNREFUSED)    \
	X(ESTALE)          \
	X(ECANCELED)

static inline const char *error_name(int error)
{
	static char number[32];

	switch (error) {
#define X(name)    \
	case name: \
		return #name;
		ERRORS(X)
#undef X
	default:
		snprintf(number, sizeof(number), "errno-%d", error);
		return number;
	}
}

/* Print a result: its value, or the name of the error. */
static inline void put_result(long result)
{
	if (result == NO_CALL)
		printf("no such call");
	else if (result == -1)
		printf("%s", error_name(errno));
	else
		printf("%ld", result);
}

static UNUSED long see_result(const char *what, long result)
{
	printf("%s = ", what);
	put_result(result);
	printf("\n");
	return result;
}

/* SEE(chdir("d")) prints `chdir("d") = 0` or `chdir("d") = ENOENT`. */
#define SEE(call) (errno = 0, see_result(#call, (long)(call)))

static UNUSED void __attribute__((format(printf, 1, 2))) say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

/* Stop, because the test or the machine is at fault: this is no result to compare. */
static UNUSED void __attribute__((noreturn)) broken(const char *what)
{
	printf("BROKEN %s: %s\n", what, error_name(errno));
	fflush(stdout);
	_exit(99);
}

#define MUST(call)                               \
	__extension__({                          \
		long must_result = (long)(call); \
		if (must_result == -1)           \
			broken(#call);           \
		must_result;                     \
	})

static inline char type_letter(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return '-';
	case S_IFDIR:
		return 'd';
	case S_IFLNK:
		return 'l';
	case S_IFCHR:
		return 'c';
	case S_IFBLK:
		return 'b';
	case S_IFIFO:
		return 'p';
	case S_IFSOCK:
		return 's';
	default:
		return '?';
	}
}

/* `-0644 links 1 size 5`; a directory's link count and size depend on the file system. */
static UNUSED const char *describe(const struct stat *st)
{
	static char text[128];
	int n = snprintf(text, sizeof(text), "%c%04o", type_letter(st->st_mode),
			 (unsigned)st->st_mode & 07777);

	if (!S_ISDIR(st->st_mode))
		n += snprintf(text + n, sizeof(text) - (size_t)n, " links %d size %lld",
			      (int)st->st_nlink, (long long)st->st_size);
	if (st->st_uid != geteuid())
		n += snprintf(text + n, sizeof(text) - (size_t)n, " uid %u", st->st_uid);
	if (st->st_gid != getegid())
		snprintf(text + n, sizeof(text) - (size_t)n, " gid %u", st->st_gid);
	return text;
}

static UNUSED void say_stat(const char *path)
{
	struct stat st;

	errno = 0;
	if (lstat(path, &st) == 0)
		say("%s: %s", path, describe(&st));
	else
		say("%s: %s", path, error_name(errno));
}

static UNUSED void say_status(const char *what, int status)
{
	if (WIFEXITED(status))
		say("%s: exit %d", what, WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		say("%s: signal %d", what, WTERMSIG(status));
	else
		say("%s: status %#x", what, (unsigned)status);
}

static UNUSED int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) == -1) {
		if (errno != EINTR)
			broken("waitpid");
	}
	return status;
}

static UNUSED void write_file(const char *path, const char *text)
{
	int fd = (int)MUST(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));

	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		broken(path);
	close(fd);
}

/* Copy the running program to another name. */
static UNUSED void copy_self(const char *name)
{
	char bytes[65536];
	int in = (int)MUST(open("/proc/self/exe", O_RDONLY));
	int out = (int)MUST(open(name, O_WRONLY | O_CREAT | O_TRUNC, 0755));
	ssize_t n;

	while ((n = MUST(read(in, bytes, sizeof(bytes)))) > 0)
		MUST(write(out, bytes, (size_t)n));
	close(in);
	close(out);
}

static UNUSED void say_content(const char *path)
{
	char text[256];
	int fd = open(path, O_RDONLY | O_NONBLOCK);
	ssize_t n = fd == -1 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n < 0) {
		say("%s holds: %s", path, error_name(errno));
	} else {
		text[n] = '\0';
		say("%s holds: \"%s\"", path, text);
	}
	if (fd != -1)
		close(fd);
}

/* ---- a storm of SIGURG, which is ignored by default, by a timer that ends with execve ---- */

static volatile sig_atomic_t see_ticks;
static long see_interval; /* in microseconds */

static UNUSED void see_tick(int sig)
{
	(void)sig;
	see_ticks++;
}

static UNUSED void see_arm(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGURG};
	const struct timespec often = {0, see_interval * 1000};
	const struct itimerspec every = {often, often};
	timer_t timer;

	MUST(timer_create(CLOCK_MONOTONIC, &event, &timer));
	MUST(timer_settime(timer, 0, &every, NULL));
}

static UNUSED void begin_storm(long us)
{
	const struct sigaction action = {.sa_handler = see_tick, .sa_flags = SA_RESTART};

	see_interval = us;
	MUST(sigaction(SIGURG, &action, NULL));
	see_arm();
	pthread_atfork(NULL, NULL, see_arm);
}

static UNUSED void __attribute__((constructor)) storm_of_environment(void)
{
	const char *us = getenv("SEE_STORM");

	if (us != NULL)
		begin_storm(atol(us));
}

/* A program is a table of groups; `PROGRAM GROUP ...` runs one of them. */
struct part {
	const char *name;
	void (*run)(void);
};

static UNUSED int run_group(int argc, char **argv, const struct part *groups, size_t count)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	umask(022);
	for (size_t i = 0; argc > 1 && i < count; i++) {
		if (strcmp(argv[1], groups[i].name) == 0) {
			groups[i].run();
			fflush(stdout);
			return 0;
		}
	}
	for (size_t i = 0; i < count; i++)
		puts(groups[i].name);
	return argc > 1 ? 98 : 0;
}

/* Or a program is a table of stories; `PROGRAM STORY prepare|observe|both` runs one of them.
 * `prepare`, which may be NULL, makes files, perhaps in another place; `observe` works on them. */
struct story {
	const char *name;
	void (*prepare)(void);
	void (*observe)(void);
};

static UNUSED int run_story(int argc, char **argv, const struct story *stories, size_t count)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	umask(022);
	for (size_t i = 0; argc == 3 && i < count; i++) {
		if (strcmp(stories[i].name, argv[1]) != 0)
			continue;
		if (strcmp(argv[2], "observe") != 0 && stories[i].prepare)
			stories[i].prepare();
		if (strcmp(argv[2], "prepare") != 0)
			stories[i].observe();
		return 0;
	}
	for (size_t i = 0; i < count; i++)
		puts(stories[i].name);
	return 98;
}

#endif
