/* SPDX-License-Identifier: MIT */
/*
 * peer_user.h - whose the other end of a stream on this machine is.
 *
 * All of 127.0.0.0/8 is every local user's: another user can connect to a container's address, and
 * can listen there when the container does not. The kernel knows the user of each socket.
 */
#ifndef SB_PEER_USER_H
#define SB_PEER_USER_H

#include "guest/network.h"

/* Does an accepted stream on a port that is not published come from another user? One whose other
 * end is closed already is nobody's. */
bool sb_net_is_stranger(struct sb_call *call, int fd);
/* Does another user listen at an address where a container's server should be? */
bool sb_net_is_impostor(const struct sb_call *call, const struct sb_net_place *server);

#endif
