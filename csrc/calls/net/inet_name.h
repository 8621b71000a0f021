/* SPDX-License-Identifier: MIT */
/*
 * inet_name.h - addresses that the kernel gave, in the container's terms.
 */
#ifndef SB_INET_NAME_H
#define SB_INET_NAME_H

#include "calls/net/inet.h"

void sb_net_local_name(struct sb_call *call, int fd, struct sb_socket_name *name);
void sb_net_peer_name(struct sb_call *call, int fd, struct sb_socket_name *name);
/* fd is the new socket. */
void sb_net_accepted_name(struct sb_call *call, int fd, struct sb_socket_name *name);
void sb_net_received_name(struct sb_call *call, int fd, struct sb_socket_name *name);

#endif
