/* SPDX-License-Identifier: MIT */
/*
 * net_link.h - what the kernel would say of a container's interfaces.
 *
 * A container has lo and, for each network it is on, eth0, eth1 and so on. Requests are those of
 * rtnetlink(7) and netdevice(7).
 * Rules
 *   Pure.
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

/* List all interfaces into out (SB_LINK_MAX); the count. */
uint32_t sb_link_list(const struct sb_net *net, struct sb_link *out);
uint32_t sb_link_mask(uint32_t prefix);

struct sb_link_header { /* struct nlmsghdr */
	uint32_t len;
	uint16_t type;
	uint16_t flags;
	uint32_t seq;
	uint32_t pid;
};

/* Answer one whole request (at most a few hundred bytes) of the socket pid; the length of the
 * answer, or -ENOBUFS. has_six: the machine has IPv6. */
int sb_link_answer(const struct sb_net *net, const unsigned char *request, uint32_t len,
		   uint32_t pid, bool has_six, unsigned char *out, uint32_t max) SB_MUST_CHECK;

#endif
