/* SPDX-License-Identifier: MIT */
/*
 * scope.c - reach a process of the machine: by signals, an abstract socket, limits.
 *
 *   scope PID NAME (of a process of the same user, and of the abstract socket that it listens on)
 */
#include "attack.h"

#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

static long send_by_descriptor(long pid)
{
	long fd = PAST(SYS_pidfd_open, pid, 0);

	return fd < 0 ? fd : PAST(SYS_pidfd_send_signal, fd, 0, 0, 0);
}

static long queue(long pid)
{
	siginfo_t info = {.si_signo = SIGWINCH, .si_code = SI_QUEUE};

	return PAST(SYS_rt_sigqueueinfo, pid, SIGWINCH, &info);
}

static long connect_abstract(const char *name)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	long fd = PAST(SYS_socket, AF_UNIX, SOCK_STREAM, 0);

	memcpy(at.sun_path + 1, name, strlen(name));
	return fd < 0 ? fd
		      : PAST(SYS_connect, fd, &at,
			     offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
}

int main(int argc, char **argv)
{
	long pid;

	if (argc != 3)
		return 2;
	pid = atol(argv[1]);
	attempt("send a signal", PAST(SYS_kill, pid, SIGWINCH));
	attempt("send a signal to a thread", PAST(SYS_tgkill, pid, pid, SIGWINCH));
	attempt("send a signal by a descriptor", send_by_descriptor(pid));
	attempt("queue a signal", queue(pid));
	attempt("trace it", PAST(SYS_ptrace, PTRACE_SEIZE, pid, 0, 0));
	attempt("connect to its abstract socket", connect_abstract(argv[2]));
	return 0;
}
