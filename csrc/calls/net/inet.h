/* SPDX-License-Identifier: MIT */
/*
 * inet.h - IPv4 and IPv6 names of a container with addresses of its own.
 *
 * Level 3. What on_socket*.c hand over. A container on the machine's own
 * network never comes here.
 */
#ifndef SB_INET_H
#define SB_INET_H

#include "guest/network.h"
#include "net/net_rules.h"
#include "calls/net/socket_name.h"

/* Is it a name for the functions here? */
static inline bool sb_net_is_name(const struct sb_call *call, const struct sb_socket_name *name)
{
	return call->fs->tree->control->net_container != 0 && name->len > 2 &&
	       (name->family == 2 || name->family == 10); /* AF_INET, AF_INET6 */
}

/* The calls, whole. */
long sb_net_on_bind(struct sb_call *call, int fd, struct sb_socket_name *name);
long sb_net_on_connect(struct sb_call *call, int fd, struct sb_socket_name *name);
/* Give a socket that has none an address. */
void sb_net_on_listen(struct sb_call *call, int fd);

/* Where a message goes, and where it comes from. */
struct sb_net_route {
	uint32_t source; /* 0: the kernel chooses */
	bool from_own;   /* an error EINVAL means that there is no way out from the own address */
	bool is_datagram;
	struct sb_net_place place; /* as the program gave it */
};
/* Changes the name. */
int sb_net_on_send(struct sb_call *call, int fd, struct sb_socket_name *name,
		   struct sb_net_route *out) SB_MUST_CHECK;
/* The kernel has answered: what the program is told. */
long sb_net_sent(struct sb_call *call, const struct sb_net_route *route, long ret);
#define SB_NET_CONTROL_SIZE 32
/* A control message that sets the source. */
void sb_net_source_control(const struct sb_net_route *route,
			   unsigned char out[SB_NET_CONTROL_SIZE]);
/* Does the program choose a source in this control data? */
bool sb_net_has_source(const void *control, uint64_t len);

/* Has the program bound it, and the kernel not yet? Then do it. */
bool sb_net_is_bound_later(const struct sb_net *net, int fd);
void sb_net_settle(struct sb_call *call, int fd);

/* Facts about a socket. */
int sb_net_option(int fd, int level, int option);
bool sb_net_read_local(int fd, struct sb_net_place *out);

#define SB_SOL_IP 0
#define SB_SOL_IPV6 41
#define SB_IP_FREEBIND 15
#define SB_IP_BIND_ADDRESS_NO_PORT 24
#define SB_IPV6_V6ONLY 26

#endif
