/* SPDX-License-Identifier: MIT */
/*
 * ping.h - ICMP echo requests, where the machine does not let its user send them.
 */
#ifndef SB_PING_H
#define SB_PING_H

#include "calls/net/socket_name.h"
#include "guest/guest.h"

/* Make a socket for ICMP echo after the kernel refused one. Returns the refusal for other
 * sockets. */
long sb_ping_socket(struct sb_call *call, int type, int protocol, long refusal);
bool sb_ping_is_one(int fd);
/* Is a message to name for sb_ping_send()? */
bool sb_ping_is_request(const struct sb_call *call, int fd, const struct sb_socket_name *name);
/* Answer the request in count vectors at iov (in guest or runtime memory). Uses work->buffer. */
long sb_ping_send(struct sb_call *call, int fd, const struct sb_socket_name *name, uint64_t iov,
		  uint64_t count);

#endif
