/* SPDX-License-Identifier: MIT */
/*
 * net_show.h - which socket address a program is shown in place of the real one.
 *
 * Level 1. Pure: reads the network files, asks the kernel nothing. docs/network.md tells the rules.
 */
#ifndef SB_NET_SHOW_H
#define SB_NET_SHOW_H

#include "net/net_place.h"

/* How a socket was bound: SB_NET_ANY, SB_NET_LOOPBACK or 0. */
struct sb_net_ends {
	struct sb_net_place local;
	struct sb_net_place peer;
	bool connected; /* peer holds */
	bool received; /* it came with a datagram */
	bool udp;
	uint8_t bound;
};
void sb_net_show_local(const struct sb_net *net, const struct sb_net_ends *ends,
		       struct sb_net_place *out);
/* initiated: the peer's port is a server's, else it may be anything. */
void sb_net_show_peer(const struct sb_net *net, const struct sb_net_ends *ends, bool initiated,
		      struct sb_net_place *out);
/* A row of a list of all sockets of this user (ss, /proc/net/tcp): in the
 * container's terms. False when it is none of its own, or when that cannot be
 * told: a connection to the world has the machine's address. */
struct sb_net_row {
	struct sb_net_place local;
	struct sb_net_place peer; /* any address: not connected */
	bool udp;
};
bool sb_net_show_row(const struct sb_net *net, struct sb_net_row *row);

#endif
