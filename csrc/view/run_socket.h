/* SPDX-License-Identifier: MIT */
/*
 * run_socket.h - the addresses of sockets in a container's run directory.
 */
#ifndef SB_RUN_SOCKET_H
#define SB_RUN_SOCKET_H

#include "base/base.h"

struct sb_run_address { /* struct sockaddr_un */
	uint16_t family;
	char path[64];
};

/* Name a socket by a descriptor of the run directory, whose path may be too long for an address.
 * Returns the descriptor, which the caller closes after the call that takes the address. */
int sb_run_address(const char *run, const char *name, struct sb_run_address *out) SB_MUST_CHECK;

#endif
