/* SPDX-License-Identifier: MIT */
/*
 * terminals.c - reach a terminal of the user, past the runtime.
 *
 *   terminals /dev/pts/N
 */
#include "attack.h"

#include <linux/stat.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "ask_opener.h"

/* Read what the test has typed. */
static long take(long fd)
{
	struct pollfd polled = {.fd = (int)fd, .events = POLLIN};
	char text[64];
	long ret;

	if (fd < 0)
		return fd;
	if (PAST(SYS_poll, &polled, 1, 10000) != 1)
		return -ETIMEDOUT;
	ret = PAST(SYS_read, fd, text, sizeof(text));
	return ret > 0 ? 0 : -EIO;
}

static void by_name(const char *name)
{
	char again[64];
	long fd = PAST(SYS_openat, AT_FDCWD, name, O_RDONLY | O_NOCTTY);

	attempt("read what the user types", take(fd));
	fd = PAST(SYS_openat, AT_FDCWD, name, O_WRONLY | O_NOCTTY);
	attempt("write on the user's screen", fd < 0 ? fd : PAST(SYS_write, fd, "x", 1));
	fd = PAST(SYS_openat, AT_FDCWD, name, O_PATH);
	snprintf(again, sizeof(again), "/proc/self/fd/%ld", fd);
	attempt("open a descriptor of its name again",
		PAST(SYS_openat, AT_FDCWD, again, O_RDONLY | O_NOCTTY));
}

/* Without the fence the first attempts say more than the opener does. */
static void by_opener(const char *name, uint32_t number)
{
	long fd = PAST(SYS_openat, AT_FDCWD, name, O_PATH);
	long added = ask_opener(SB_TERMINAL_ADD, 0, O_RDONLY, (int)fd, -1);

	say("add by name: %s", added < 0 ? error_name((int)-added) : "done");
	attempt("let the opener open it", ask_opener(SB_TERMINAL_OPEN, number, O_RDONLY, -1, -1));
	fd = PAST(SYS_openat, AT_FDCWD, name, O_WRONLY | O_NOCTTY);
	if (fd >= 0)
		ask_opener(SB_TERMINAL_ADD, 0, O_RDONLY, (int)fd, -1);
	attempt("let the opener open it for reading",
		ask_opener(SB_TERMINAL_OPEN, number, O_RDONLY, -1, -1));
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	by_name(argv[1]);
	by_opener(argv[1], (uint32_t)strtoul(strrchr(argv[1], '/') + 1, NULL, 10));
	return 0;
}
