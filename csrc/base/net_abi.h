/* SPDX-License-Identifier: MIT */
/*
 * net_abi.h - the files by which the containers of one user know each other's addresses and ports.
 *
 * docs/network.md tells the rules of networks. The two files lie in one directory: "table", which
 * Python writes under a lock and guests map read-only, and "ports", which guests write.
 * Rules
 *   Those of abi.h: cffi reads this file, too. Addresses and ports are in host order. One atomic
 *   store publishes a row, so readers need no lock and a killed writer leaves only whole rows.
 */
#ifndef SB_NET_H
#define SB_NET_H

#include <stdint.h>

#define SB_NET_VERSION 3
#define SB_NET_CONTAINERS 4096
#define SB_NET_ENDPOINTS 16384
#define SB_NET_PUBLISHED 16384
#define SB_NET_PORTS 131072
#define SB_NET_ADDRESSES 16
#define SB_NET_RESOLVERS 4
#define SB_NET_ALLOWED 128

/* The number that stands for the machine itself. The gateway of a network is an endpoint of it,
 * and leads to the machine's 127.0.0.1. */
#define SB_NET_HOST 0

/* A container's port below sb_net_state.low_ports lies at this plus the port. */
#define SB_NET_LOW_BASE 64512
/* A container's port lies in this range when something outside the container has the port. */
#define SB_NET_SPARE_FIRST 61000
#define SB_NET_SPARE_LAST 64511
/* The address at which a container asks whether the machine has a port: these bits and the
 * lower half of the container's address. */
#define SB_NET_QUESTIONS 0x7fff0000U

/* Where a container with name servers finds the networks' own one: 127.0.0.11, port 53. */
#define SB_NET_NAMES_V4 0x7f00000bU
#define SB_NET_NAMES_PORT 53

/* sb_net_state.egress: may the container reach what lies outside its networks? */
#define SB_NET_EGRESS_FREE 0
#define SB_NET_EGRESS_NONE 1
#define SB_NET_EGRESS_LISTED 2 /* only allowed[] */

/* A container on one network. */
struct sb_net_address {
	uint32_t address;
	uint32_t gateway; /* 0: none */
	uint32_t network; /* its number, 1 to 65535 */
	uint32_t prefix;  /* length, for interface addresses and routes */
	unsigned char hardware[8]; /* the first six count; all zeros: one is made of the address */
};

/* An address outside that the container may reach; IPv4 as ::ffff:a.b.c.d. */
struct sb_net_allowed {
	unsigned char address[16];
	uint32_t prefix; /* of 128 */
	uint32_t port; /* 0: any */
};

/* The addresses of a container, and what it may reach. */
struct sb_net_state {
	uint32_t address; /* its base address: its sockets are bound to it; it stays while the
			     container runs */
	uint32_t egress;
	uint32_t low_ports; /* net.ipv4.ip_unprivileged_port_start of the machine */
	uint32_t address_count;
	uint32_t resolver_count;
	uint32_t allowed_count;
	struct sb_net_address addresses[16]; /* SB_NET_ADDRESSES; the first is eth0 */
	unsigned char resolvers[4][16]; /* name servers: the container reaches port 53 of them even
					   at a loopback address or one that is not allowed */
	struct sb_net_allowed allowed[128]; /* SB_NET_ALLOWED */
};

/* state[version & 1] holds; a writer fills the other one and adds 1. */
struct sb_net_container {
	uint64_t version; /* 0: number not in use */
	char id[72]; /* NUL-terminated */
	struct sb_net_state state[2];
};

/* key: container << 32 | is UDP << 16 | port; 0 unused, 1 dropped.
 * value: host address << 16 | host port. */
struct sb_net_published {
	uint64_t key;
	uint64_t value;
};

struct sb_net_table {
	char magic[8]; /* "SBNET" and NULs */
	uint32_t version;
	uint32_t reserved;
	uint64_t size; /* of the whole file */
	uint64_t name_server; /* where it really is: address << 16 | port; 0: nowhere */
	/* address << 32 | network << 16 | container; 0 unused, 1 dropped */
	uint64_t endpoints[16384]; /* SB_NET_ENDPOINTS, linear probing */
	struct sb_net_published published[16384]; /* SB_NET_PUBLISHED, linear probing */
	struct sb_net_container containers[4096]; /* SB_NET_CONTAINERS */
};

/* Bits of the kind of a row of "ports" */
#define SB_NET_UDP 1
#define SB_NET_V6 2 /* lies on ::1, for IPv6 alone */
#define SB_NET_REVERSE 4 /* port is the real one, value the container's */
#define SB_NET_RELAY 8 /* a relay has this port of the gateway */

/* Flags of a row */
#define SB_NET_ANY 1 /* bound to 0.0.0.0 or :: */
#define SB_NET_LOOPBACK 2 /* bound to 127.0.0.1 or ::1: not for other containers */
#define SB_NET_DUAL 4 /* an IPv6 socket for IPv4 too */
#define SB_NET_PUBLISHED_PORT 8 /* lies on the machine's address that the published row names */

/* container << 48 | kind << 40 | flags << 32 | port << 16 | value;
 * 0 unused, 1 dropped; linear probing by all but flags and value. */
struct sb_net_ports {
	char magic[8]; /* "SBPORTS" and a NUL */
	uint32_t version;
	uint32_t reserved;
	uint64_t rows[131072]; /* SB_NET_PORTS */
};

#endif
