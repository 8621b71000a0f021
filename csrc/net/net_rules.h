/* SPDX-License-Identifier: MIT */
/*
 * net_rules.h - what the runtime binds, connects and sends to in place of a socket address.
 *
 * Level 1. Pure: reads the network files, asks the kernel nothing. docs/network.md tells the rules.
 */
#ifndef SB_NET_RULES_H
#define SB_NET_RULES_H

#include "net/net_place.h"

/* What to bind to instead. */
struct sb_net_binding {
	struct sb_net_place place;
	uint32_t kind;  /* of the row to note, */
	uint8_t flags;  /* and its flags */
	bool native;    /* leave it alone */
	bool later; /* any address, or one of the loopback, and any port, of a stream: when it is
		     * asked for, or listens. A client connects to the world, and from where it said
		     */
	bool spare; /* only the ports from SB_NET_SPARE_FIRST on, any of them */
	bool fixed; /* this port or none: published, or known to be the container's */
	bool note; /* note the row when it is bound */
};
struct sb_net_socket {
	bool udp;
	bool v6only;
	bool now; /* there is no later */
};
/* Is it a container without any network? The kernel lets its streams connect to ports from
 * SB_NET_SPARE_FIRST on only (confine.c), so all of its servers lie there. */
bool sb_net_is_alone(const struct sb_net_table *table, uint32_t container);
int sb_net_bind(const struct sb_net *net, const struct sb_net_place *name,
		const struct sb_net_socket *socket, struct sb_net_binding *out) SB_MUST_CHECK;

/* Where to connect or send to instead. */
struct sb_net_target {
	struct sb_net_place place;
	bool changed;
	bool from_base; /* a socket without an address is bound to the base address first */
	bool is_loopback; /* the program meant its own loopback, */
	bool from_six; /* and that of IPv6: a stream is bound to SB_NET_SIX */
	bool is_gateway; /* it meant the machine, which is on the same address */
	bool is_outside;
	/* Datagrams: nobody has noted the port yet; who binds it will lie here. Port 0: there is
	 * one. */
	struct sb_net_place awaited;
};
int sb_net_reach(const struct sb_net *net, const struct sb_net_place *name, bool udp,
		 struct sb_net_target *out) SB_MUST_CHECK;

/* Where a caller from the machine finds what listens on a port of the container, now. */
void sb_net_lead(const struct sb_net *net, bool udp, uint16_t port, struct sb_net_place *out);

#endif
