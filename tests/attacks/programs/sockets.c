/* SPDX-License-Identifier: MIT */
/*
 * sockets.c - use the engine, and attach to another container, with the rights of the user.
 *
 *   sockets API SUPERVISOR PROGRAM (two sockets of the machine, and this program on the machine)
 *   sockets API                    (as a program of the machine: is the engine reached? exit 0)
 *   sockets tcp PORT
 */
#include "attack.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/un.h>

static const char question[] =
	"GET /_ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
static const char attach[] = "{\"verb\":\"attach\",\"stdin\":true}\n";

static long connect_unix(long fd, const char *path)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};

	snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	return PAST(SYS_connect, fd, &name, sizeof(name));
}

/* Send a line and look for a word in the answer. */
static long ask(long fd, const char *text, const char *word)
{
	char answer[4096] = "";
	size_t len = 0;
	long count;

	count = PAST(SYS_sendto, fd, text, strlen(text), MSG_NOSIGNAL, 0, 0);
	while (count > 0 && len < sizeof(answer) - 1) {
		count = PAST(SYS_read, fd, answer + len, sizeof(answer) - 1 - len);
		if (count > 0)
			len += (size_t)count;
		if (strstr(answer, word) != NULL)
			return 0;
	}
	return count < 0 ? count : -EACCES;
}

static long use(const char *path, const char *text, const char *word)
{
	long fd = PAST(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
	long ret = fd < 0 ? fd : connect_unix(fd, path);

	return ret < 0 ? ret : ask(fd, text, word);
}

/* The process that connects has ended when its socket is used. */
static long by_a_child_that_ends(const char *path)
{
	long fd = PAST(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
	pid_t pid = (pid_t)MUST(fork());
	int code;

	if (pid == 0)
		_exit((int)-connect_unix(fd, path));
	code = WEXITSTATUS(wait_for(pid));
	return code != 0 ? -code : ask(fd, question, " 200 ");
}

static long by_a_program_of_the_machine(const char *program, const char *path)
{
	const char *const words[] = {program, path, NULL};
	pid_t pid = (pid_t)MUST(fork());

	if (pid == 0)
		_exit((int)-PAST(SYS_execve, program, words, &words[2]));
	return -WEXITSTATUS(wait_for(pid));
}

static long over_tcp(int port)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	long fd = PAST(SYS_socket, AF_INET, SOCK_STREAM, 0);
	long ret;

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ret = PAST(SYS_connect, fd, &name, sizeof(name));
	return ret < 0 ? ret : ask(fd, question, " 200 ");
}

/* What the other container's keeper starts has that container's files. It closes the connection of
 * a stranger, and waits for the request of one that may join. */
static long join(const char *supervisor)
{
	struct pollfd polled = {.events = POLLIN};
	char path[PATH_MAX];
	long ret;

	snprintf(path, sizeof(path), "%.*s/keeper", (int)(strlen(supervisor) - strlen(".sock")),
		 supervisor);
	polled.fd = (int)PAST(SYS_socket, AF_UNIX, SOCK_SEQPACKET, 0);
	ret = connect_unix(polled.fd, path);
	if (ret < 0)
		return ret;
	return poll(&polled, 1, 2000) == 0 ? 0 : -EACCES;
}

/* With its memory mapped, this process would pass for one of the other container. */
static long open_shared(const char *supervisor)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%.*s/shared", (int)(strlen(supervisor) - strlen(".sock")),
		 supervisor);
	return PAST(SYS_openat, AT_FDCWD, path, O_RDWR);
}

static long replace_socket(const char *path)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	long fd = PAST(SYS_socket, AF_UNIX, SOCK_STREAM, 0);

	snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	if (PAST(SYS_unlink, path) < 0)
		return -EACCES;
	return PAST(SYS_bind, fd, &name, sizeof(name));
}

/* As a program of the machine, which has no runtime. */
static int plain(const char *path)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char answer[64] = "";

	snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	if (connect(fd, (void *)&name, sizeof(name)) < 0)
		return errno;
	if (write(fd, question, strlen(question)) < 0 || read(fd, answer, sizeof(answer) - 1) < 0)
		return errno;
	return strstr(answer, " 200 ") != NULL ? 0 : EACCES;
}

int main(int argc, char **argv)
{
	if (argc == 3) {
		attempt("use the engine over TCP", over_tcp(atoi(argv[2])));
		return 0;
	}
	if (argc == 2)
		return plain(argv[1]);
	if (argc != 4)
		return 2;
	attempt("use the engine", use(argv[1], question, " 200 "));
	attempt("use the engine by a child that ends", by_a_child_that_ends(argv[1]));
	PAST(SYS_prctl, PR_SET_DUMPABLE, 0);
	attempt("use the engine unseen", use(argv[1], question, " 200 "));
	PAST(SYS_prctl, PR_SET_DUMPABLE, 1);
	attempt("use the engine by a program of the machine",
		by_a_program_of_the_machine(argv[3], argv[1]));
	attempt("attach to another container", use(argv[2], attach, "\"ok\":true"));
	attempt("join another container", join(argv[2]));
	attempt("open what another container shares", open_shared(argv[2]));
	attempt("put a socket in the engine's place", replace_socket(argv[1]));
	return 0;
}
