/* SPDX-License-Identifier: MIT */
/*
 * net_show.h - which socket address a program is shown in place of the real one.
 *
 * docs/network.md tells the rules.
 * Rules
 *   Pure: reads the network files, asks the kernel nothing.
 */
#ifndef SB_NET_SHOW_H
#define SB_NET_SHOW_H

#include "net/net_place.h"

/* The two ends of a socket. bound says how the guest bound it: SB_NET_ANY, SB_NET_LOOPBACK or 0. */
struct sb_net_ends {
	struct sb_net_place local;
	struct sb_net_place peer;
	bool connected; /* peer holds */
	bool received; /* the peer is the sender of a datagram */
	bool udp;
	uint8_t bound;
};
void sb_net_show_local(const struct sb_net *net, const struct sb_net_ends *ends,
		       struct sb_net_place *out);
/* The peer's address in the container's terms. initiated: the socket has connected, so the
 * peer's port is a server's. */
void sb_net_show_peer(const struct sb_net *net, const struct sb_net_ends *ends, bool initiated,
		      struct sb_net_place *out);
/* Put a row of a list of all sockets of this user (ss, /proc/net/tcp) into the container's
 * terms. False when the socket is not the container's, or when that cannot be told: a
 * connection to the world has the machine's address. */
struct sb_net_row {
	struct sb_net_place local;
	struct sb_net_place peer; /* any address: not connected */
	bool udp;
};
bool sb_net_show_row(const struct sb_net *net, struct sb_net_row *row);

#endif
