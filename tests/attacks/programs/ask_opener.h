/* SPDX-License-Identifier: MIT */
/*
 * ask_opener.h - ask the container's opener past the runtime.
 */
#ifndef ASK_OPENER_H
#define ASK_OPENER_H

#include "attack.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "base/opener_abi.h"

/* Ask the opener as the runtime does. */
static UNUSED long ask_opener(uint32_t verb, uint32_t number, int flags, int fd, int other)
{
	struct sb_opener_request request = {
		.verb = verb,
		.number = number,
		.flags = (uint32_t)flags,
	};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char room[CMSG_SPACE(3 * sizeof(int))] = {0};
	int32_t result = -ECONNREFUSED;
	struct iovec vector = {.iov_base = &request, .iov_len = sizeof(request)};
	struct msghdr message = {
		.msg_name = &address,
		.msg_namelen = sizeof(address),
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = room,
		.msg_controllen = CMSG_SPACE((fd < 0      ? 1
					      : other < 0 ? 2
							  : 3) *
					     sizeof(int)),
	};
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	char run[PATH_MAX];
	const size_t count = fd < 0 ? 1 : other < 0 ? 2 : 3;
	int ends[2];
	int fds[3];
	long via;
	long ret;

	find_run_directory(run, sizeof(run));
	snprintf(address.sun_path, sizeof(address.sun_path), "%.80s/" SB_OPENER_SOCKET, run);
	MUST(PAST(SYS_socketpair, AF_UNIX, SOCK_SEQPACKET, 0, ends));
	fds[0] = ends[1];
	fds[1] = fd;
	fds[2] = other;
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(head), fds, count * sizeof(int));
	via = PAST(SYS_socket, AF_UNIX, SOCK_DGRAM, 0);
	ret = PAST(SYS_sendmsg, via, &message, MSG_NOSIGNAL);
	PAST(SYS_close, via);
	PAST(SYS_close, ends[1]);
	if (ret >= 0)
		ret = PAST(SYS_read, ends[0], &result, sizeof(result));
	PAST(SYS_close, ends[0]);
	return ret < 0 ? ret : result;
}

#endif
