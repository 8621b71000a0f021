/* SPDX-License-Identifier: MIT */
/*
 * net_rules.h - what the runtime binds, connects and sends to in place of a guest's address.
 *
 * docs/network.md tells the rules.
 * Rules
 *   Pure: reads the network files, asks the kernel nothing.
 */
#ifndef SB_NET_RULES_H
#define SB_NET_RULES_H

#include "net/net_place.h"

/* What the socket is bound to instead. */
struct sb_net_binding {
	struct sb_net_place place;
	uint32_t kind;  /* of the row to note */
	uint8_t flags;  /* of the row to note */
	bool native;    /* the guest's own address is right */
	bool later; /* a stream with any port, and with any address or one of the loopback: bind it
		       when its name is asked for or it listens. Until then it is a client that may
		       connect to the world */
	bool spare; /* any port from SB_NET_SPARE_FIRST on, and no other */
	bool fixed; /* this port or none: it is published, or other containers know it */
	bool note; /* note the row after the bind */
};
struct sb_net_socket {
	bool udp;
	bool v6only;
	bool now; /* bind it now (see later above) */
};
/* Is it a container without any network? The kernel lets its streams connect only to ports from
 * SB_NET_SPARE_FIRST on (landlock.c), so all of its servers lie there. */
bool sb_net_is_alone(const struct sb_net_table *table, uint32_t container);
int sb_net_bind(const struct sb_net *net, const struct sb_net_place *name,
		const struct sb_net_socket *socket, struct sb_net_binding *out) SB_MUST_CHECK;

/* Where the socket connects or sends to instead. */
struct sb_net_target {
	struct sb_net_place place;
	bool changed;
	bool from_base; /* bind a socket that has no address to the base address first */
	bool is_loopback; /* the guest means its own loopback */
	bool from_six; /* the guest means ::1: bind the stream to SB_NET_SIX */
	bool is_gateway; /* the guest means the machine, which has the same address */
	bool is_outside;
	/* Datagrams: no program has noted the port yet; a socket that binds it will lie here.
	 * Port 0: the port is noted. */
	struct sb_net_place awaited;
};
int sb_net_reach(const struct sb_net *net, const struct sb_net_place *name, bool udp,
		 struct sb_net_target *out) SB_MUST_CHECK;

/* Where a program of the machine finds what listens on a port of the container now. */
void sb_net_lead(const struct sb_net *net, bool udp, uint16_t port, struct sb_net_place *out);

#endif
