/* SPDX-License-Identifier: MIT */
/*
 * opener_socket.c - the socket of the opener, and the messages on it.
 *
 * Rules
 *   Anyone in the container may send anything. Nothing here waits for the sender.
 */
#include "opener/opener_socket.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/sys.h"
#include "view/run_socket.h"

#define ROOM 128 /* of control messages: more descriptors than these are dropped by the kernel */

/* Take what a control message brings. Descriptors that are not expected are closed. */
static void take(const struct cmsghdr *header, struct sb_opener_question *out)
{
	const char *data = (const char *)(header + 1);
	const size_t size = header->cmsg_len - sizeof(*header);
	struct ucred sender;
	int fd;

	if (header->cmsg_level != SOL_SOCKET)
		return;
	if (header->cmsg_type == SCM_CREDENTIALS && size == sizeof(sender)) {
		memcpy(&sender, data, sizeof(sender));
		out->sender = sender.pid;
	}
	for (size_t at = 0; header->cmsg_type == SCM_RIGHTS && at + sizeof(fd) <= size;
	     at += sizeof(fd)) {
		memcpy(&fd, data + at, sizeof(fd));
		if (out->answer < 0)
			out->answer = fd;
		else if (out->subject < 0)
			out->subject = fd;
		else if (out->other < 0)
			out->other = fd;
		else
			sys_close(fd);
	}
}

bool sb_opener_receive(int listener, struct sb_opener_question *out)
{
	char control[ROOM] __attribute__((aligned(8)));
	struct iovec vector = {.iov_base = &out->request, .iov_len = sizeof(out->request)};
	struct msghdr message = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	long len;

	*out = (struct sb_opener_question){.answer = -1, .subject = -1, .other = -1};
	len = sb_syscall(__NR_recvmsg, listener, SB_P(&message), MSG_CMSG_CLOEXEC | MSG_DONTWAIT, 0,
			 0, 0);
	if (len < 0)
		return false;
	for (const struct cmsghdr *at = CMSG_FIRSTHDR(&message); at != NULL;) {
		const size_t end = (size_t)((const char *)at - control) + at->cmsg_len;
		const size_t next_at = (end + 7) & ~(size_t)7;

		take(at, out);
		at = next_at + sizeof(*at) <= message.msg_controllen
			     ? (const struct cmsghdr *)(const void *)(control + next_at)
			     : NULL;
	}
	if (len != sizeof(out->request))
		out->request.verb = 0;
	return true;
}

/* The socket is the sender's choice, too: only one of the expected kind gets an answer. */
void sb_opener_answer(int socket, long ret, int opened)
{
	int32_t result = (int32_t)ret;
	struct {
		struct cmsghdr header;
		int fd;
	} control = {
		.header = {.cmsg_len = sizeof(struct cmsghdr) + sizeof(int),
			   .cmsg_level = SOL_SOCKET,
			   .cmsg_type = SCM_RIGHTS},
		.fd = opened,
	};
	struct iovec vector = {.iov_base = &result, .iov_len = sizeof(result)};
	const struct msghdr message = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = opened < 0 ? NULL : &control,
		.msg_controllen = opened < 0 ? 0 : sizeof(control),
	};
	int type = 0;
	uint32_t len = sizeof(type);

	if (sb_syscall(__NR_getsockopt, socket, SOL_SOCKET, SO_TYPE, SB_P(&type), SB_P(&len), 0) ==
		    0 &&
	    type == SOCK_SEQPACKET)
		sb_syscall(__NR_sendmsg, socket, SB_P(&message), MSG_NOSIGNAL | MSG_DONTWAIT, 0, 0,
			   0);
}

int sb_opener_listen(const char *run)
{
	struct sb_run_address address;
	const int dir = sb_run_address(run, SB_OPENER_SOCKET, &address);
	const int yes = 1;
	long fd;
	long ret;

	if (dir < 0)
		return dir;
	fd = sb_syscall(__NR_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, 0, 0, 0);
	ret = fd < 0 ? fd
		     : sb_syscall(__NR_setsockopt, fd, SOL_SOCKET, SO_PASSCRED, SB_P(&yes),
				  sizeof(yes), 0);
	if (ret >= 0)
		ret = sb_syscall(__NR_bind, fd, SB_P(&address), sizeof(address), 0, 0, 0);
	sys_close(dir);
	if (ret < 0 && fd >= 0)
		sys_close((int)fd);
	return ret < 0 ? (int)ret : (int)fd;
}
