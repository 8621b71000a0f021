/* SPDX-License-Identifier: MIT */
/*
 * netlink_socket.h - netlink sockets of a container with addresses of its own.
 *
 * Instead of a socket of NETLINK_ROUTE or NETLINK_SOCK_DIAG a program gets one of NETLINK_USERSOCK.
 * The runtime answers what is sent to it, in the same process. The answer lies in the socket's own
 * queue, so the kernel does the receiving, the waiting and the passing on. The socket is connected
 * to itself: a request by write(2), which is not intercepted, also lies in its queue until the
 * program asks for the answer.
 */
#ifndef SB_NETLINK_SOCKET_H
#define SB_NETLINK_SOCKET_H

#include "guest/guest.h"
#include "calls/net/socket_name.h"
#include "pure/verdict.h"

/* May fd be such a socket? They get descriptors in this range (verdict.h), since the filter can
 * look only at the number when a message is sent without an address. */
static inline bool sb_link_may_be(int fd)
{
	return fd >= SB_LINK_FD_FIRST && fd <= SB_LINK_FD_LAST;
}

/* Make a socket(2) of AF_NETLINK. -SB_EMAGIC: the kernel shall make it. */
long sb_link_socket(struct sb_call *call, int type, int protocol) SB_MUST_CHECK;
bool sb_link_is_one(int fd);
/* Is it the name of a netlink socket? */
bool sb_link_is_name(const struct sb_call *call, const struct sb_socket_name *name);
/* Bind it. It joins no group, since no events ever come. */
long sb_link_bind(struct sb_call *call, int fd, struct sb_socket_name *name);
/* Return the socket's address; it gets one if it has none. */
int sb_link_pid(int fd, uint32_t *pid) SB_MUST_CHECK;
/* Put an answer into the socket's queue. */
int sb_link_deliver(int fd, uint32_t pid, const void *data, uint32_t len) SB_MUST_CHECK;
/* Say that the kernel sent the answer. */
void sb_link_received(struct sb_socket_name *name);

#endif
