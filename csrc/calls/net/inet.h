/* SPDX-License-Identifier: MIT */
/*
 * inet.h - IPv4 and IPv6 names of a container with addresses of its own.
 *
 * on_socket.c and on_socket_message.c call it. A container on the machine's own network never comes
 * here.
 */
#ifndef SB_INET_H
#define SB_INET_H

#include "guest/network.h"
#include "net/net_rules.h"
#include "calls/net/socket_name.h"

/* Is it an IPv4 or IPv6 name of a container with addresses of its own? */
static inline bool sb_net_is_name(const struct sb_call *call, const struct sb_socket_name *name)
{
	return call->fs->tree->control->net_container != 0 && name->len > 2 &&
	       (name->family == 2 || name->family == 10); /* AF_INET, AF_INET6 */
}

/* These make the whole call. */
long sb_net_on_bind(struct sb_call *call, int fd, struct sb_socket_name *name);
long sb_net_on_connect(struct sb_call *call, int fd, struct sb_socket_name *name);
/* Give a socket without an address one. */
void sb_net_on_listen(struct sb_call *call, int fd);

/* The way of a message. */
struct sb_net_route {
	uint32_t source; /* 0: the kernel chooses */
	bool from_own;   /* EINVAL means that no way leads out from the container's address */
	bool is_datagram;
	struct sb_net_place place; /* as the program gave it */
};
/* Find the way of a message to name; changes the name. */
int sb_net_on_send(struct sb_call *call, int fd, struct sb_socket_name *name,
		   struct sb_net_route *out) SB_MUST_CHECK;
/* Return what the program is told of the kernel's answer ret. */
long sb_net_sent(struct sb_call *call, const struct sb_net_route *route, long ret);
#define SB_NET_CONTROL_SIZE 32
/* Write a control message that sets the source. */
void sb_net_source_control(const struct sb_net_route *route,
			   unsigned char out[SB_NET_CONTROL_SIZE]);
/* Does the program choose a source in this control data? */
bool sb_net_has_source(const void *control, uint64_t len);

/* Has the program bound the socket, and the kernel not yet? Then sb_net_settle() binds it. */
bool sb_net_is_bound_later(const struct sb_net *net, int fd);
void sb_net_settle(struct sb_call *call, int fd);

/* An option of a socket or -errno; its local address. */
int sb_net_option(int fd, int level, int option);
bool sb_net_read_local(int fd, struct sb_net_place *out);

#define SB_SOL_IP 0
#define SB_SOL_IPV6 41
#define SB_IP_FREEBIND 15
#define SB_IP_BIND_ADDRESS_NO_PORT 24
#define SB_IPV6_V6ONLY 26

#endif
