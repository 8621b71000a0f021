/* SPDX-License-Identifier: MIT */
/*
 * peer_ids.h - the pid and the ids of a socket's peer.
 */
#ifndef SB_PEER_IDS_H
#define SB_PEER_IDS_H

#include "guest/guest.h"

/* Change the numbers of a peer from the kernel's to the guest's. */
void sb_socket_peer_ids(struct sb_call *call, uint32_t *pid, uint32_t *uid, uint32_t *gid);

#endif
