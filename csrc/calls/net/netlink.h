/* SPDX-License-Identifier: MIT */
/*
 * netlink.h - answer what a container's program sends to a netlink socket.
 *
 * Level 3.
 */
#ifndef SB_NETLINK_H
#define SB_NETLINK_H

#include "calls/net/message.h"
#include "calls/net/netlink_socket.h"

/* Answer what is sent: the length, as sendto(2). */
long sb_link_send(struct sb_call *call, int fd, uint64_t data, uint64_t len);
/* The same of a message (in runtime memory). */
long sb_link_send_message(struct sb_call *call, int fd, const struct sb_message *message);
/* Before recvmsg(2) and the like: answer what was written. */
void sb_link_serve_queued(struct sb_call *call, int fd);

#endif
