/* SPDX-License-Identifier: MIT */
/*
 * on_socket.h - what the files of the socket calls share.
 *
 * Level 3.
 */
#ifndef SB_ON_SOCKET_H
#define SB_ON_SOCKET_H

#include "guest/guest.h"
#include "calls/proc/on_proc.h"
#include "calls/net/socket_name.h"

struct sb_message { /* struct user_msghdr */
	uint64_t name;
	uint32_t name_len;
	uint32_t pad;
	uint64_t iov;
	uint64_t iov_len;
	uint64_t control;
	uint64_t control_len;
	uint32_t flags;
	uint32_t pad2;
};

struct sb_vector { /* struct iovec */
	uint64_t base;
	uint64_t len;
};

/* Ids of a peer as the kernel gave them, in the guest's terms. */
void sb_socket_peer_ids(struct sb_call *call, uint32_t pid, uint32_t *uid, uint32_t *gid);

/* on_ping.c. A socket for ICMP echo where the kernel gave none; the refusal for others. */
long sb_ping_socket(struct sb_call *call, int type, int protocol, long refusal);
bool sb_ping_is_one(int fd);
/* Is a message to name one for sb_ping_send()? */
bool sb_ping_is_request(const struct sb_call *call, int fd, const struct sb_socket_name *name);
/* Answer the request in count vectors at iov (guest memory, or the runtime's). Uses work->buffer.
 */
long sb_ping_send(struct sb_call *call, int fd, const struct sb_socket_name *name, uint64_t iov,
		  uint64_t count);

#endif
