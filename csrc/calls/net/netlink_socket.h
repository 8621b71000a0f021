/* SPDX-License-Identifier: MIT */
/*
 * netlink_socket.h - netlink sockets of a container with addresses of its own.
 *
 * Level 3. Instead of NETLINK_ROUTE and NETLINK_SOCK_DIAG a program gets a socket of a
 * protocol between users. What it sends there is answered by the runtime in the
 * same process; the answer lies in the socket's own queue, so that receiving,
 * waiting and passing the socket on are the kernel's. The socket is connected to
 * itself: a request that comes by write(2), which is not intercepted, lies in its queue
 * too, until the program wants the answer.
 */
#ifndef SB_NETLINK_SOCKET_H
#define SB_NETLINK_SOCKET_H

#include "guest/guest.h"
#include "calls/net/socket_name.h"
#include "pure/verdict.h"

/* Such sockets get descriptors here (verdict.h), for the filter looks at nothing but the
 * number when a message is sent without an address. */
static inline bool sb_link_may_be(int fd)
{
	return fd >= SB_LINK_FD_FIRST && fd <= SB_LINK_FD_LAST;
}

/* socket(2) of AF_NETLINK; -SB_EMAGIC when the kernel shall make it. */
long sb_link_socket(struct sb_call *call, int type, int protocol) SB_MUST_CHECK;
bool sb_link_is_one(int fd);
/* Is this the name of a netlink socket? */
bool sb_link_is_name(const struct sb_call *call, const struct sb_socket_name *name);
/* bind(2): no events ever come, so no group is joined. */
long sb_link_bind(struct sb_call *call, int fd, struct sb_socket_name *name);
/* The address of a socket, which it gets now when it has none. */
int sb_link_pid(int fd, uint32_t *pid) SB_MUST_CHECK;
/* Put an answer into the socket's own queue. */
int sb_link_deliver(int fd, uint32_t pid, const void *data, uint32_t len) SB_MUST_CHECK;
/* Answers come from the kernel, as far as the program knows. */
void sb_link_received(struct sb_socket_name *name);

#endif
