/* SPDX-License-Identifier: MIT */
/*
 * ping.h - ICMP echo requests, where the machine lets its user send none.
 *
 * Level 3.
 */
#ifndef SB_PING_H
#define SB_PING_H

#include "calls/net/socket_name.h"
#include "guest/guest.h"

/* A socket for ICMP echo where the kernel gave none; the refusal for others. */
long sb_ping_socket(struct sb_call *call, int type, int protocol, long refusal);
bool sb_ping_is_one(int fd);
/* Is a message to name one for sb_ping_send()? */
bool sb_ping_is_request(const struct sb_call *call, int fd, const struct sb_socket_name *name);
/* Answer the request in count vectors at iov (guest memory, or the runtime's). Uses work->buffer.
 */
long sb_ping_send(struct sb_call *call, int fd, const struct sb_socket_name *name, uint64_t iov,
		  uint64_t count);

#endif
