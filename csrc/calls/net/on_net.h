/* SPDX-License-Identifier: MIT */
/*
 * on_net.h - IPv4 and IPv6 names of a container with addresses of its own.
 *
 * Level 3. What on_socket*.c hand over. A container on the machine's own
 * network never comes here.
 */
#ifndef SB_ON_NET_H
#define SB_ON_NET_H

#include "guest/guest.h"
#include "net/net_rules.h"
#include "calls/net/socket_name.h"

/* Is it a name for the functions here? */
static inline bool sb_net_is_name(const struct sb_call *call, const struct sb_socket_name *name)
{
	return call->fs->tree->control->net_container != 0 && name->len > 2 &&
	       (name->family == 2 || name->family == 10); /* AF_INET, AF_INET6 */
}

/* The network files, mapped at the first use. -ENETDOWN when they are not there. */
int sb_net_get(struct sb_call *call, struct sb_net *out) SB_MUST_CHECK;

/* on_net.c: the calls, whole. */
long sb_net_on_bind(struct sb_call *call, int fd, struct sb_socket_name *name);
long sb_net_on_connect(struct sb_call *call, int fd, struct sb_socket_name *name);
/* on_net_ioctl.c: passes requests that are not about interfaces. */
long sb_net_on_ioctl(struct sb_call *call);

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

/* on_net_name.c: names that the kernel gave, in the program's terms. */
void sb_net_local_name(struct sb_call *call, int fd, struct sb_socket_name *name);
void sb_net_peer_name(struct sb_call *call, int fd, struct sb_socket_name *name);
/* fd is the new socket. */
void sb_net_accepted_name(struct sb_call *call, int fd, struct sb_socket_name *name);
void sb_net_received_name(struct sb_call *call, int fd, struct sb_socket_name *name);

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

/* on_net_log.c */
struct sb_net_event {
	const char *what;
	bool udp;
	int fd; /* of the connection; -1: none */
	const struct sb_net_place *place;
	long ret; /* of a datagram: its bytes, or an error */
};
void sb_net_log(struct sb_call *call, const struct sb_net_event *event);

#endif
