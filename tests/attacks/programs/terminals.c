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
#include <sys/socket.h>
#include <sys/un.h>

#include "base/opener_abi.h"

/* Ask the opener as the runtime does. */
static long ask_opener(uint32_t verb, uint32_t number, int fd)
{
	struct sb_opener_request request = {.verb = verb, .number = number, .flags = O_RDONLY};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char room[CMSG_SPACE(2 * sizeof(int))] = {0};
	int32_t result = -ECONNREFUSED;
	struct iovec vector = {.iov_base = &request, .iov_len = sizeof(request)};
	struct msghdr message = {
		.msg_name = &address,
		.msg_namelen = sizeof(address),
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = room,
		.msg_controllen = CMSG_SPACE((fd < 0 ? 1 : 2) * sizeof(int)),
	};
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	char run[PATH_MAX];
	int ends[2];
	int fds[2];
	long via;
	long ret;

	find_run_directory(run, sizeof(run));
	snprintf(address.sun_path, sizeof(address.sun_path), "%.80s/" SB_OPENER_SOCKET, run);
	MUST(PAST(SYS_socketpair, AF_UNIX, SOCK_SEQPACKET, 0, ends));
	fds[0] = ends[1];
	fds[1] = fd;
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN((fd < 0 ? 1 : 2) * sizeof(int));
	memcpy(CMSG_DATA(head), fds, (fd < 0 ? 1 : 2) * sizeof(int));
	via = PAST(SYS_socket, AF_UNIX, SOCK_DGRAM, 0);
	ret = PAST(SYS_sendmsg, via, &message, MSG_NOSIGNAL);
	PAST(SYS_close, via);
	PAST(SYS_close, ends[1]);
	if (ret >= 0)
		ret = PAST(SYS_read, ends[0], &result, sizeof(result));
	PAST(SYS_close, ends[0]);
	return ret < 0 ? ret : result;
}

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
	long added = ask_opener(SB_TERMINAL_ADD, 0, (int)fd);

	say("add by name: %s", added < 0 ? error_name((int)-added) : "done");
	attempt("let the opener open it", ask_opener(SB_TERMINAL_OPEN, number, -1));
	fd = PAST(SYS_openat, AT_FDCWD, name, O_WRONLY | O_NOCTTY);
	if (fd >= 0)
		ask_opener(SB_TERMINAL_ADD, 0, (int)fd);
	attempt("let the opener open it for reading", ask_opener(SB_TERMINAL_OPEN, number, -1));
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	by_name(argv[1]);
	by_opener(argv[1], (uint32_t)strtoul(strrchr(argv[1], '/') + 1, NULL, 10));
	return 0;
}
