/* SPDX-License-Identifier: MIT */
/*
 * on_net_link.c - netlink sockets of a container with addresses of its own.
 *
 * See on_net_link.h.
 * Does not know
 *   What the messages mean (net_link.c, on_net_diag.c).
 */
#include "calls/net/on_net_link.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "net/net_link.h"
#include "calls/net/on_net.h"

#define REQUEST_MAX 2048
#define SOCK_DIAG_BY_FAMILY 20
#define MAX_VECTORS 8

struct link_name { /* struct sockaddr_nl */
	uint16_t family;
	uint16_t pad;
	uint32_t pid;
	uint32_t groups;
};

struct vector {
	uint64_t base;
	uint64_t len;
};

long sb_link_socket(struct sb_call *call, int type, int protocol)
{
	const int close_flag = type & SOCK_CLOEXEC;
	long high;
	long fd;

	if (call->fs->tree->control->net_container == 0 ||
	    (protocol != NETLINK_ROUTE && protocol != NETLINK_SOCK_DIAG))
		return -SB_EMAGIC;
	sb_commit_begin(call->fs);
	fd = sb_syscall(__NR_socket, AF_NETLINK, type, NETLINK_USERSOCK, 0, 0, 0);
	if (fd < 0)
		return fd;
	high = sb_syscall(__NR_fcntl, fd, close_flag != 0 ? F_DUPFD_CLOEXEC : F_DUPFD,
			  SB_LINK_FD_FIRST, 0, 0, 0);
	if (high < 0)
		return fd;
	sys_close((int)fd);
	return high;
}

bool sb_link_is_one(int fd)
{
	return sb_net_option(fd, SOL_SOCKET, SO_DOMAIN) == AF_NETLINK &&
	       sb_net_option(fd, SOL_SOCKET, SO_PROTOCOL) == NETLINK_USERSOCK;
}

bool sb_link_is_name(const struct sb_call *call, const struct sb_socket_name *name)
{
	return call->fs->tree->control->net_container != 0 &&
	       name->len >= sizeof(struct link_name) && name->family == AF_NETLINK;
}

void sb_link_received(struct sb_socket_name *name)
{
	struct link_name link;

	memcpy(&link, name->bytes, sizeof(link));
	link.pid = 0;
	link.groups = 0;
	memcpy(name->bytes, &link, sizeof(link));
}

/* The address of a socket, which it gets now when it has none. */
static int pid_of(int fd, uint32_t *pid)
{
	struct link_name name = {.family = AF_NETLINK};
	uint32_t len = sizeof(name);
	long ret = sb_syscall(__NR_getsockname, fd, SB_P(&name), SB_P(&len), 0, 0, 0);

	if (ret == 0 && name.pid == 0) {
		name = (struct link_name){.family = AF_NETLINK};
		sb_syscall(__NR_bind, fd, SB_P(&name), sizeof(name), 0, 0, 0);
		ret = sb_syscall(__NR_getsockname, fd, SB_P(&name), SB_P(&len), 0, 0, 0);
	}
	*pid = name.pid;
	return ret < 0 ? (int)ret : 0;
}

long sb_link_bind(struct sb_call *call, int fd, struct sb_socket_name *name)
{
	struct link_name link;
	const bool is_one = sb_link_is_one(fd);
	uint32_t pid;
	long ret;

	memcpy(&link, name->bytes, sizeof(link));
	if (is_one)
		link.groups = 0;
	sb_commit_begin(call->fs);
	ret = sb_syscall(__NR_bind, fd, SB_P(&link), sizeof(link), 0, 0, 0);
	if (ret < 0 || !is_one || pid_of(fd, &pid) < 0)
		return ret;
	link.pid = pid;
	sb_syscall(__NR_connect, fd, SB_P(&link), sizeof(link), 0, 0, 0);
	return 0;
}

int sb_link_deliver(int fd, uint32_t pid, const void *data, uint32_t len)
{
	const struct link_name name = {.family = AF_NETLINK, .pid = pid};

	return (int)SB_MIN(sb_syscall(__NR_sendto, fd, SB_P(data), len, MSG_DONTWAIT, SB_P(&name),
				      sizeof(name)),
			   0L);
}

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

/* Requests are small: what does not fit is none. */
static long serve(struct sb_call *call, int fd, const unsigned char *request, uint32_t len)
{
	uint32_t pid;
	int ret = pid_of(fd, &pid);

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

		/* Answers are no requests. */
		if (len < (long)sizeof(head) || (head.flags & NLM_F_REQUEST) == 0)
			return;
		sb_commit_begin(call->fs); /* taken once */
		len = sb_syscall(__NR_recvfrom, fd, SB_P(request), sizeof(request), MSG_DONTWAIT, 0,
				 0);
		if (len < 0 || serve(call, fd, request, (uint32_t)len) < 0)
			return;
	}
}
