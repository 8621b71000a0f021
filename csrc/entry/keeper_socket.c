/* SPDX-License-Identifier: MIT */
/*
 * keeper_socket.c - the socket of a container's keeper, and the messages on it.
 *
 * Rules
 *   Anyone in the container may connect. A message that is not as it should be is an error.
 */
#include "entry/keeper_socket.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/mark.h"
#include "base/mem.h"
#include "base/sys.h"
#include "view/run_socket.h"

#define TEXT_MAX (64UL << 20)
#define WORDS_MAX (1U << 20)

struct descriptors { /* struct cmsghdr with its data */
	struct cmsghdr header;
	int fds[SB_KEEPER_FDS];
};

static int with_socket(const char *run, long nr)
{
	struct sb_run_address address;
	const int dir = sb_run_address(run, SB_KEEPER_SOCKET, &address);
	long fd;
	long ret;

	if (dir < 0)
		return dir;
	fd = sb_syscall(__NR_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, 0, 0, 0);
	ret = fd < 0 ? fd : sb_syscall(nr, fd, SB_P(&address), sizeof(address), 0, 0, 0);
	sys_close(dir);
	if (ret < 0 && fd >= 0)
		sys_close((int)fd);
	return ret < 0 ? (int)ret : (int)fd;
}

int sb_keeper_listen(const char *run)
{
	return with_socket(run, __NR_bind);
}

int sb_keeper_connect(const char *run)
{
	return with_socket(run, __NR_connect);
}

/* Landlock before ABI 9 does not keep a guest from the sockets of another container. What joins has
 * this container's mark, or has just dropped it. A process that has ended counts as a stranger. */
static bool is_welcome(int socket)
{
	struct ucred peer = {0};
	uint32_t len = sizeof(peer);
	uint64_t mark;
	uint64_t own;

	if (sb_syscall(__NR_getsockopt, socket, SOL_SOCKET, SO_PEERCRED, SB_P(&peer), SB_P(&len),
		       0) < 0 ||
	    sb_mark_of(peer.pid, &mark) < 0 || sb_mark_of(0, &own) < 0)
		return false;
	return mark == 0 || mark == own;
}

int sb_keeper_accept(int listener)
{
	const long fd = sb_syscall(__NR_accept4, listener, 0, 0, SOCK_CLOEXEC, 0, 0);

	if (fd < 0 || is_welcome((int)fd))
		return (int)fd;
	sys_close((int)fd);
	return -EACCES;
}

int sb_keeper_ask(int socket, const struct sb_join *join, const int fds[SB_KEEPER_FDS])
{
	struct descriptors control = {
		.header = {.cmsg_len = sizeof(control),
			   .cmsg_level = SOL_SOCKET,
			   .cmsg_type = SCM_RIGHTS},
	};
	struct iovec vector = {.iov_base = (void *)(uintptr_t)join, .iov_len = sizeof(*join)};
	const struct msghdr message = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	long ret;

	memcpy(control.fds, fds, sizeof(control.fds));
	ret = sb_syscall(__NR_sendmsg, socket, SB_P(&message), MSG_NOSIGNAL, 0, 0, 0);
	return ret < 0 ? (int)ret : 0;
}

int sb_keeper_receive(int socket, struct sb_join *join, int fds[SB_KEEPER_FDS])
{
	struct descriptors control = {.header = {.cmsg_len = 0}};
	struct iovec vector = {.iov_base = join, .iov_len = sizeof(*join)};
	struct msghdr message = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	const long len = sb_syscall(__NR_recvmsg, socket, SB_P(&message),
				    MSG_CMSG_CLOEXEC | MSG_DONTWAIT, 0, 0, 0);

	for (int i = 0; i < SB_KEEPER_FDS; i++)
		fds[i] = -1;
	if (len >= 0 && message.msg_controllen >= sizeof(control.header) &&
	    control.header.cmsg_type == SCM_RIGHTS) {
		const uint64_t count =
			(control.header.cmsg_len - sizeof(control.header)) / sizeof(int);

		memcpy(fds, control.fds, SB_MIN(count, (uint64_t)SB_KEEPER_FDS) * sizeof(int));
	}
	if (len < 0)
		return (int)len;
	if (len != sizeof(*join) || fds[SB_KEEPER_TEXT] < 0 || join->argc > WORDS_MAX ||
	    join->envc > WORDS_MAX || join->size > TEXT_MAX || join->cpus_len > SB_KEEPER_CPUS)
		return -EINVAL;
	join->entry.path[sizeof(join->entry.path) - 1] = '\0';
	join->entry.cwd[sizeof(join->entry.cwd) - 1] = '\0';
	join->entry.ids.group_count = SB_MIN(join->entry.ids.group_count, (uint32_t)SB_MAX_GROUPS);
	return 0;
}

long sb_keeper_put(int socket, int word)
{
	return sb_syscall(__NR_sendto, socket, SB_P(&word), sizeof(word),
			  MSG_NOSIGNAL | MSG_DONTWAIT, 0, 0);
}

long sb_keeper_get(int socket, int *word)
{
	return sb_syscall(__NR_recvfrom, socket, SB_P(word), sizeof(*word), MSG_DONTWAIT, 0, 0);
}
