/* SPDX-License-Identifier: MIT */
/*
 * netlink.c - answer what a program sends to a netlink socket.
 *
 * Does not know
 *   What the messages mean (net_link.c, sock_diag.c).
 */
#include "calls/net/netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "calls/net/sock_diag.h"
#include "guest/network.h"
#include "net/net_link.h"

#define REQUEST_MAX 2048
#define SOCK_DIAG_BY_FAMILY 20
#define MAX_VECTORS 8

struct vector {
	uint64_t base;
	uint64_t len;
};

static bool has_six(void)
{
	return sys_faccessat2(AT_FDCWD, "/proc/net/if_inet6", 4, 0) == 0;
}

static int answer(struct sb_call *call, int fd, uint32_t pid, const unsigned char *request,
		  uint32_t len)
{
	unsigned char *out = (unsigned char *)call->work->buffer;
	struct sb_link_header head;
	struct sb_net net;
	int ret = sb_net_get(call, &net);

	if (ret < 0)
		return ret;
	if (len < sizeof(head))
		return 0;
	memcpy(&head, request, sizeof(head));
	if (head.type == SOCK_DIAG_BY_FAMILY)
		return sb_diag_answer(call, &net, fd, pid, request, len);
	ret = sb_link_answer(&net, request, len, pid, has_six(), out, sizeof(call->work->buffer));
	return ret > 0 ? sb_link_deliver(fd, pid, out, (uint32_t)ret) : ret;
}

/* Answer one request. */
static long serve(struct sb_call *call, int fd, const unsigned char *request, uint32_t len)
{
	uint32_t pid;
	int ret = sb_link_pid(fd, &pid);

	if (ret < 0)
		return ret;
	sb_commit_begin(call->fs);
	ret = answer(call, fd, pid, request, len);
	sb_commit_end(call->fs);
	return ret < 0 ? ret : (long)len;
}

long sb_link_send(struct sb_call *call, int fd, uint64_t data, uint64_t len)
{
	unsigned char request[REQUEST_MAX];

	if (len > sizeof(request))
		return -ENOBUFS;
	if (sb_guest_read(request, data, len) < 0)
		return -EFAULT;
	return serve(call, fd, request, (uint32_t)len);
}

long sb_link_send_message(struct sb_call *call, int fd, const struct sb_message *message)
{
	unsigned char request[REQUEST_MAX];
	struct vector vector;
	uint32_t len = 0;

	if (message->iov_len > MAX_VECTORS)
		return -EMSGSIZE;
	for (uint64_t i = 0; i < message->iov_len; i++) {
		if (sb_guest_read(&vector, message->iov + i * sizeof(vector), sizeof(vector)) < 0)
			return -EFAULT;
		if (vector.len > sizeof(request) - len)
			return -ENOBUFS;
		if (sb_guest_read(request + len, vector.base, vector.len) < 0)
			return -EFAULT;
		len += (uint32_t)vector.len;
	}
	return serve(call, fd, request, len);
}

void sb_link_serve_queued(struct sb_call *call, int fd)
{
	unsigned char request[REQUEST_MAX];
	struct sb_link_header head;

	if (call->fs->tree->control->net_container == 0 || !sb_link_is_one(fd))
		return;
	for (;;) {
		long len = sb_syscall(__NR_recvfrom, fd, SB_P(&head), sizeof(head),
				      MSG_PEEK | MSG_DONTWAIT, 0, 0);

		/* An answer is not a request. */
		if (len < (long)sizeof(head) || (head.flags & NLM_F_REQUEST) == 0)
			return;
		sb_commit_begin(call->fs); /* the request leaves the queue */
		len = sb_syscall(__NR_recvfrom, fd, SB_P(request), sizeof(request), MSG_DONTWAIT, 0,
				 0);
		if (len < 0 || serve(call, fd, request, (uint32_t)len) < 0)
			return;
	}
}
