/* SPDX-License-Identifier: MIT */
/*
 * netlink.h - answer what a program sends to a netlink socket.
 */
#ifndef SB_NETLINK_H
#define SB_NETLINK_H

#include "calls/net/message.h"
#include "calls/net/netlink_socket.h"

/* Answer a request that is sent; returns its length, as sendto(2). */
long sb_link_send(struct sb_call *call, int fd, uint64_t data, uint64_t len);
/* The same for a message (in runtime memory). */
long sb_link_send_message(struct sb_call *call, int fd, const struct sb_message *message);
/* Answer requests that came by write(2), before recvmsg(2) and the like. */
void sb_link_serve_queued(struct sb_call *call, int fd);

#endif
