/* SPDX-License-Identifier: MIT */
/*
 * inet_name.c - addresses that the kernel gave, in the container's terms.
 *
 * Collects what net_rules.c needs to know of the socket; asks the kernel only if the answer depends
 * on it.
 */
#include "calls/net/inet_name.h"

#include <errno.h>
#include <sys/socket.h>

#include "calls/net/net_log.h"
#include "net/net_show.h"

static bool read_peer(int fd, struct sb_net_place *out)
{
	struct sb_socket_name name = {.len = SB_SOCKET_NAME_MAX};

	return sb_syscall(__NR_getpeername, fd, SB_P(name.bytes), SB_P(&name.len), 0, 0, 0) == 0 &&
	       sb_net_place_read(name.bytes, name.len, out);
}

static uint8_t how_bound(int fd)
{
	if (sb_net_option(fd, SB_SOL_IP, SB_IP_FREEBIND) == 1)
		return SB_NET_ANY;
	return sb_net_option(fd, SB_SOL_IP, SB_IP_BIND_ADDRESS_NO_PORT) == 1 ? SB_NET_LOOPBACK : 0;
}

void sb_net_local_name(struct sb_call *call, int fd, struct sb_socket_name *name)
{
	struct sb_net_ends ends = {0};
	struct sb_net_place shown;
	struct sb_net net;

	if (!sb_net_place_read(name->bytes, name->len, &ends.local) || sb_net_get(call, &net) < 0)
		return;
	ends.udp = sb_net_option(fd, SOL_SOCKET, SO_TYPE) == SOCK_DGRAM;
	if (ends.local.port == 0 && !ends.udp && sb_net_is_bound_later(&net, fd)) {
		sb_net_settle(call, fd);
		if (!sb_net_read_local(fd, &ends.local))
			return;
	}
	ends.connected = read_peer(fd, &ends.peer);
	/* The mark of a TCP client says only how its address was chosen. */
	if (!ends.connected || ends.udp)
		ends.bound = how_bound(fd);
	sb_net_show_local(&net, &ends, &shown);
	sb_net_place_write(&shown, name->bytes);
}

static void show_peer(struct sb_call *call, int fd, struct sb_socket_name *name,
		      struct sb_net_ends ends, bool initiated)
{
	struct sb_net_place shown;
	struct sb_net net;

	if (!sb_net_place_read(name->bytes, name->len, &ends.peer) || sb_net_get(call, &net) < 0)
		return;
	if (!ends.peer.is_v6 && (ends.peer.v4 == SB_NET_LOOPBACK_V4 || ends.peer.v4 == net.base ||
				 ends.peer.v4 == SB_NET_SIX))
		sb_net_read_local(fd, &ends.local);
	if (ends.udp && (ends.peer.v4 == net.base || ends.peer.v4 == SB_NET_LOOPBACK_V4))
		ends.bound = how_bound(fd);
	sb_net_show_peer(&net, &ends, initiated, &shown);
	sb_net_place_write(&shown, name->bytes);
}

void sb_net_peer_name(struct sb_call *call, int fd, struct sb_socket_name *name)
{
	const bool udp = sb_net_option(fd, SOL_SOCKET, SO_TYPE) == SOCK_DGRAM;

	show_peer(call, fd, name, (struct sb_net_ends){.connected = true, .udp = udp}, true);
}

void sb_net_accepted_name(struct sb_call *call, int fd, struct sb_socket_name *name)
{
	struct sb_net_place place;

	show_peer(call, fd, name, (struct sb_net_ends){.connected = true}, false);
	if (sb_net_place_read(name->bytes, name->len, &place))
		sb_net_log(call, &(struct sb_net_event){"accept", false, fd, &place, 0});
}

void sb_net_received_name(struct sb_call *call, int fd, struct sb_socket_name *name)
{
	show_peer(call, fd, name,
		  (struct sb_net_ends){.connected = true, .received = true, .udp = true}, true);
}
