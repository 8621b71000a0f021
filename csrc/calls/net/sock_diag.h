/* SPDX-License-Identifier: MIT */
/*
 * sock_diag.h - sock_diag(7): only the container's sockets, by its own addresses.
 */
#ifndef SB_SOCK_DIAG_H
#define SB_SOCK_DIAG_H

#include "guest/network.h"

/* Put the answer into the queue of the netlink socket fd, whose address is pid. */
int sb_diag_answer(struct sb_call *call, const struct sb_net *net, int fd, uint32_t pid,
		   const unsigned char *request, uint32_t len) SB_MUST_CHECK;

#endif
