/* SPDX-License-Identifier: MIT */
/*
 * net_link.h - what the kernel would tell of a container's interfaces.
 *
 * Level 1. Pure: requests of rtnetlink(7) and what netdevice(7) asks. A
 * container has lo and, for each network it is on, eth0, eth1 and so on.
 */
#ifndef SB_NET_LINK_H
#define SB_NET_LINK_H

#include "net/net_rules.h"

#define SB_LINK_MAX (1 + SB_NET_ADDRESSES)
#define SB_LINK_MTU 65536

struct sb_link { /* an interface */
	uint32_t index; /* 1 is lo */
	uint32_t flags; /* IFF_* */
	uint32_t address;
	uint32_t prefix;
	uint32_t gateway;
	unsigned char hardware[6];
	char name[16];
};

/* All of them into out (SB_LINK_MAX); how many. */
uint32_t sb_link_list(const struct sb_net *net, struct sb_link *out);
uint32_t sb_link_mask(uint32_t prefix);

struct sb_link_header { /* struct nlmsghdr */
	uint32_t len;
	uint16_t type;
	uint16_t flags;
	uint32_t seq;
	uint32_t pid;
};

/* The answer to one request (whole, at most a few hundred bytes) to the socket
 * pid; the length, or -ENOBUFS. has_six: the machine has IPv6. */
int sb_link_answer(const struct sb_net *net, const unsigned char *request, uint32_t len,
		   uint32_t pid, bool has_six, unsigned char *out, uint32_t max) SB_MUST_CHECK;

#endif
