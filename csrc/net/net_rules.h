/* SPDX-License-Identifier: MIT */
/*
 * net_rules.h - what becomes of a socket address on its way in and out.
 *
 * Level 1, with net_place.c and net_show.c. Pure: reads the network files, asks the kernel nothing.
 * The rules themselves are told in docs/network.md.
 */
#ifndef SB_NET_RULES_H
#define SB_NET_RULES_H

#include "net/net_table.h"

/* The network as one container sees it. */
struct sb_net {
	const struct sb_net_table *table;
	struct sb_net_ports *ports;
	uint32_t self; /* its number */
	uint32_t base; /* its base address */
};

/* An IPv4 or IPv6 address with a port. IPv4 inside of IPv6 counts as IPv4. */
struct sb_net_place {
	bool wide;         /* the name is a sockaddr_in6 */
	bool is_v6;        /* v6 holds, else v4 */
	uint16_t port;
	uint32_t v4;
	unsigned char v6[16];
};

/* False for other families and names that are too short. */
bool sb_net_place_read(const unsigned char *name, uint32_t len, struct sb_net_place *out);
/* Put address and port into a name that sb_net_place_read took. */
void sb_net_place_write(const struct sb_net_place *place, unsigned char *name);

/* The source of a stream to ::1 whose server listens on an IPv4 address, so that both ends
 * know: nobody listens there. */
#define SB_NET_SIX 0x7f000006
extern const unsigned char sb_net_any_v6[16];
extern const unsigned char sb_net_loopback_v6[16];
#define SB_NET_LOOPBACK_V4 0x7f000001
void sb_net_set_v4(struct sb_net_place *place, uint32_t address, uint16_t port);
void sb_net_set_v6(struct sb_net_place *place, const unsigned char address[16], uint16_t port);
bool sb_net_is_any(const struct sb_net_place *place);
bool sb_net_is_loopback(const struct sb_net_place *place);
/* 127.0.0.0/16, where no container is whom nobody put there: a client may say that it comes from
 * there. */
bool sb_net_is_near(const struct sb_net_place *place);
/* As 16 bytes, IPv4 inside of IPv6. */
void sb_net_widen(const struct sb_net_place *place, unsigned char out[16]);

enum sb_net_class {
	SB_NET_IS_ANY,      /* 0.0.0.0 or :: */
	SB_NET_IS_LOOPBACK, /* 127.0.0.0/8 but for what follows, or ::1 */
	SB_NET_IS_OWN,
	SB_NET_IS_PEER,     /* another container */
	SB_NET_IS_GATEWAY,
	SB_NET_IS_GROUP,    /* multicast and broadcast */
	SB_NET_IS_OUTSIDE,
};
enum sb_net_class sb_net_classify(const struct sb_net *net, const struct sb_net_place *place);

/* ---- in: net_rules.c ---- */

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

/* ---- out: net_show.c ---- */

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
/* The container's address that others see, where one stands for all. */
uint32_t sb_net_shown_address(const struct sb_net *net);

#endif
