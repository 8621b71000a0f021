/* SPDX-License-Identifier: MIT */
/*
 * net_place.h - socket addresses, and whose an address is.
 *
 * Rules
 *   Pure: reads the network files, asks the kernel nothing.
 */
#ifndef SB_NET_PLACE_H
#define SB_NET_PLACE_H

#include "net/net_table.h"

/* The network as one container sees it. */
struct sb_net {
	const struct sb_net_table *table;
	struct sb_net_ports *ports;
	uint32_t self; /* its number */
	uint32_t base; /* its base address */
};

/* An IPv4 or IPv6 address with a port. IPv4 in the form ::ffff:a.b.c.d counts as IPv4. */
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

/* A stream to ::1 whose server listens on an IPv4 address is bound to this one, so that both
 * ends know. Nobody listens there. */
#define SB_NET_SIX 0x7f000006
extern const unsigned char sb_net_any_v6[16];
extern const unsigned char sb_net_loopback_v6[16];
#define SB_NET_LOOPBACK_V4 0x7f000001
void sb_net_set_v4(struct sb_net_place *place, uint32_t address, uint16_t port);
void sb_net_set_v6(struct sb_net_place *place, const unsigned char address[16], uint16_t port);
bool sb_net_is_any(const struct sb_net_place *place);
bool sb_net_is_loopback(const struct sb_net_place *place);
/* Is it in 127.0.0.0/16? A client may be bound to any address there; none is another
 * container's. */
bool sb_net_is_near(const struct sb_net_place *place);
/* The address as 16 bytes, IPv4 as ::ffff:a.b.c.d. */
void sb_net_widen(const struct sb_net_place *place, unsigned char out[16]);

enum sb_net_class {
	SB_NET_IS_ANY,      /* 0.0.0.0 or :: */
	SB_NET_IS_LOOPBACK, /* 127.0.0.0/8, except the addresses of containers, or ::1 */
	SB_NET_IS_OWN,
	SB_NET_IS_PEER,     /* another container */
	SB_NET_IS_GATEWAY,
	SB_NET_IS_GROUP,    /* multicast and broadcast */
	SB_NET_IS_OUTSIDE,
};
enum sb_net_class sb_net_classify(const struct sb_net *net, const struct sb_net_place *place);
/* The address of the container that others see, where one address stands for all. */
uint32_t sb_net_shown_address(const struct sb_net *net);

#endif
