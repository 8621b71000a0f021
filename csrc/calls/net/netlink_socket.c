/* SPDX-License-Identifier: MIT */
/*
 * netlink_socket.c - netlink sockets of a container with addresses of its own.
 */
#include "calls/net/netlink_socket.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "calls/net/inet.h"

struct link_name { /* struct sockaddr_nl */
	uint16_t family;
	uint16_t pad;
	uint32_t pid;
	uint32_t groups;
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

int sb_link_pid(int fd, uint32_t *pid)
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
	if (ret < 0 || !is_one || sb_link_pid(fd, &pid) < 0)
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
