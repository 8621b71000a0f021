/* SPDX-License-Identifier: MIT */
/*
 * on_socket.h - what the files of the socket calls share.
 *
 * Level 3.
 */
#ifndef SB_ON_SOCKET_H
#define SB_ON_SOCKET_H

#include "guest.h"
#include "on_proc.h"
#include "socket_name.h"

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

/* Ids of a peer as the kernel gave them, in the guest's terms. */
void sb_socket_peer_ids(struct sb_call *call, uint32_t pid, uint32_t *uid, uint32_t *gid);

#endif
