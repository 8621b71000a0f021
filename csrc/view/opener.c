/* SPDX-License-Identifier: MIT */
/*
 * opener.c - ask the container's opener.
 */
#include "view/opener.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "view/run_socket.h"

struct descriptors { /* struct cmsghdr with its data */
	struct cmsghdr header;
	int fds[3];
};

/* Send the request with these descriptors, up to the first that is negative. */
static long send_request(const struct sb_tree *tree, const struct sb_opener_request *request,
			 const int fds[3])
{
	const uint64_t count = fds[1] < 0 ? 1 : fds[2] < 0 ? 2 : 3;
	struct descriptors control = {
		.header = {.cmsg_len = sizeof(control.header) + count * sizeof(int),
			   .cmsg_level = SOL_SOCKET,
			   .cmsg_type = SCM_RIGHTS},
		.fds = {fds[0], fds[1], fds[2]},
	};
	struct iovec vector = {.iov_base = (void *)(uintptr_t)request, .iov_len = sizeof(*request)};
	struct sb_run_address address;
	struct msghdr message = {
		.msg_name = &address,
		.msg_namelen = sizeof(address),
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	const int dir = sb_run_address(sb_text_at(tree->control, tree->control->run),
				       SB_OPENER_SOCKET, &address);
	long socket;
	long ret;

	if (dir < 0)
		return dir;
	socket = sb_syscall(__NR_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, 0, 0, 0);
	ret = socket;
	while (socket >= 0) {
		ret = sb_syscall(__NR_sendmsg, socket, SB_P(&message), MSG_NOSIGNAL, 0, 0, 0);
		if (ret != -EINTR)
			break;
	}
	if (socket >= 0)
		sys_close((int)socket);
	sys_close(dir);
	return ret;
}

/* Receive the answer, and the descriptor with it: -1 for none. The end of the other side comes
 * when the opener has ended. */
static long receive_answer(int socket, int *got)
{
	struct descriptors control = {.header = {.cmsg_len = 0}};
	int32_t result = -ECONNREFUSED;
	struct iovec vector = {.iov_base = &result, .iov_len = sizeof(result)};
	struct msghdr message = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	long len;

	do
		len = sb_syscall(__NR_recvmsg, socket, SB_P(&message), MSG_CMSG_CLOEXEC, 0, 0, 0);
	while (len == -EINTR);
	*got = len > 0 && message.msg_controllen >= sizeof(control.header) + sizeof(int)
		       ? control.fds[0]
		       : -1;
	return len < 0 ? len : result;
}

static long ask(const struct sb_fs *fs, const struct sb_opener_request *request, int fd, int other,
		int *got)
{
	int ends[2];
	long ret;

	*got = -1;
	if (fs->commit == NULL) /* the host side needs none */
		return -ENOENT;
	ret = sb_syscall(__NR_socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, SB_P(ends), 0,
			 0);
	if (ret < 0)
		return ret;
	ret = send_request(fs->tree, request, (const int[]){ends[1], fd, other});
	sys_close(ends[1]);
	if (ret >= 0)
		ret = receive_answer(ends[0], got);
	sys_close(ends[0]);
	return ret;
}

long sb_opener_ask(const struct sb_fs *fs, const struct sb_opener_request *request, int fd,
		   int other)
{
	int got;
	const long ret = ask(fs, request, fd, other, &got);

	if (got >= 0)
		sys_close(got);
	return ret;
}

/* open(2) gives the lowest descriptor that is free: those of the question were not. */
static int lowest(int fd, int flags)
{
	const bool closes = (flags & O_CLOEXEC) != 0;
	const long other =
		sb_syscall(__NR_fcntl, fd, closes ? F_DUPFD_CLOEXEC : F_DUPFD, 0, 0, 0, 0);

	if (other >= 0 && other < fd) {
		sys_close(fd);
		return (int)other;
	}
	if (other >= 0)
		sys_close((int)other);
	if (!closes)
		sb_syscall(__NR_fcntl, fd, F_SETFD, 0, 0, 0, 0);
	return fd;
}

long sb_opener_open(const struct sb_fs *fs, const struct sb_opener_request *request, int fd)
{
	int got;
	const long ret = ask(fs, request, fd, -1, &got);

	if (fd >= 0)
		sys_close(fd);
	if (ret < 0)
		return ret;
	return got < 0 ? -EMFILE : lowest(got, (int)request->flags);
}
