/* SPDX-License-Identifier: MIT */
/*
 * net_show.c - which socket address a program is shown in place of the real one.
 *
 * How it works
 *   The base address of a container becomes the address by which the other side knows it; the real
 *   port becomes the one that the program has bound.
 */
#include "net/net_show.h"

static bool is_published(const struct sb_net *net, uint32_t kind, uint16_t port)
{
	struct sb_net_port row;

	return sb_net_find_port(net->ports, net->self, kind | SB_NET_REVERSE, port, &row) &&
	       (row.flags & SB_NET_PUBLISHED_PORT) != 0;
}

static bool reverse(const struct sb_net *net, uint32_t container, uint32_t kind, uint16_t *port,
		    uint8_t *flags)
{
	struct sb_net_port row;

	if (!sb_net_find_port(net->ports, container, kind | SB_NET_REVERSE, *port, &row))
		return false;
	*port = row.value;
	*flags = row.flags;
	return true;
}

static uint32_t gateway_of(const struct sb_net *net)
{
	uint64_t version;
	const struct sb_net_state *state = sb_net_state(net->table, net->self, &version);

	if (state == NULL || state->address_count == 0 || state->addresses[0].gateway == 0)
		return SB_NET_LOOPBACK_V4;
	return state->addresses[0].gateway;
}

/* The address of another container on a network that both are on. */
static uint32_t shared_address(const struct sb_net *net, uint32_t container, uint32_t base)
{
	uint64_t version;
	const struct sb_net_state *state = sb_net_state(net->table, net->self, &version);
	const uint32_t count =
		state == NULL ? 0 : SB_MIN(state->address_count, (uint32_t)SB_NET_ADDRESSES);

	for (uint32_t i = 0; i < count; i++) {
		const uint32_t there =
			sb_net_address_on(net->table, container, state->addresses[i].network);

		if (there != 0)
			return there;
	}
	return base;
}

static void show_any(struct sb_net_place *out)
{
	if (out->wide)
		sb_net_set_v6(out, sb_net_any_v6, out->port);
	else
		out->v4 = 0;
}

static void show_six(struct sb_net_place *out)
{
	if (out->wide)
		sb_net_set_v6(out, sb_net_loopback_v6, out->port);
	else
		out->v4 = SB_NET_LOOPBACK_V4;
}

/* The peer is on the machine's loopback: a program of the same container, or the machine, which
 * is the gateway to a container. */
static uint32_t shown_loopback(const struct sb_net *net, const struct sb_net_ends *ends,
			       uint32_t kind)
{
	const struct sb_net_place *local = &ends->local;

	if (!local->is_v6 && local->v4 == net->base)
		return SB_NET_LOOPBACK_V4;
	if (ends->bound == SB_NET_LOOPBACK)
		return SB_NET_LOOPBACK_V4;
	if (sb_net_is_any(local) && ends->bound != SB_NET_ANY &&
	    !is_published(net, kind, local->port))
		return SB_NET_LOOPBACK_V4;
	return gateway_of(net);
}

/* The row of "ports" because of which a socket lies where it does. */
static bool find_real(const struct sb_net *net, uint32_t kind, uint16_t real,
		      struct sb_net_port *out)
{
	if (sb_net_find_port(net->ports, net->self, kind | SB_NET_REVERSE, real, out))
		return true;
	return sb_net_find_port(net->ports, net->self, kind, real, out) && out->value == real;
}

static bool is_of_loopback(const struct sb_net *net, uint16_t port)
{
	struct sb_net_port row;

	return find_real(net, 0, port, &row) && (row.flags & SB_NET_LOOPBACK) != 0;
}

/* Has the program bound one end of a stream to a port of its loopback? */
static bool is_stream_of_loopback(const struct sb_net *net, const struct sb_net_ends *ends)
{
	return !ends->udp && ends->connected && !ends->local.is_v6 && !ends->peer.is_v6 &&
	       ends->local.v4 == net->base && ends->peer.v4 == net->base &&
	       (is_of_loopback(net, ends->local.port) || is_of_loopback(net, ends->peer.port));
}

/* Is the peer in the same container, at an address of the loopback? */
static bool is_peer_near(const struct sb_net *net, const struct sb_net_ends *ends)
{
	return ends->connected && sb_net_is_near(&ends->peer) &&
	       sb_net_endpoint(net->table, ends->peer.v4) == 0;
}

/* Does the socket lead to the machine? A stream between 127.0.0.1 and 127.0.0.1 was connected
 * to a gateway; a datagram socket there may also be the container's own. */
static bool is_to_machine(const struct sb_net_ends *ends)
{
	return ends->connected && !ends->peer.is_v6 && ends->peer.v4 == SB_NET_LOOPBACK_V4 &&
	       (!ends->udp || ends->bound == SB_NET_ANY);
}

void sb_net_show_local(const struct sb_net *net, const struct sb_net_ends *ends,
		       struct sb_net_place *out)
{
	const struct sb_net_place *local = &ends->local;
	const uint32_t kind = (ends->udp ? SB_NET_UDP : 0U) |
			      (local->is_v6 && sb_net_is_loopback(local) ? SB_NET_V6 : 0U);
	uint8_t flags = 0;
	bool known;

	*out = *local;
	known = reverse(net, net->self, kind, &out->port, &flags);
	if (!known && local->is_v6 && sb_net_is_any(local))
		known = reverse(net, net->self, kind | SB_NET_V6, &out->port, &flags);
	if (sb_net_is_any(local)) {
		if (known && (flags & SB_NET_PUBLISHED_PORT) != 0)
			show_any(out); /* also for ::ffff:0.0.0.0 */
		return;
	}
	if (local->is_v6) {
		if (!ends->connected && sb_net_is_loopback(local) && ends->bound == SB_NET_ANY)
			show_any(out);
		return;
	}
	if (local->v4 == SB_NET_SIX ||
	    (ends->connected && !ends->peer.is_v6 && ends->peer.v4 == SB_NET_SIX)) {
		show_six(out);
		return;
	}
	if (local->v4 == net->base) {
		if (!ends->connected && ends->bound == SB_NET_ANY)
			show_any(out);
		else if (ends->bound == SB_NET_LOOPBACK || is_peer_near(net, ends) ||
			 is_stream_of_loopback(net, ends))
			out->v4 = SB_NET_LOOPBACK_V4;
		else
			out->v4 = sb_net_shown_address(net);
		return;
	}
	if (!ends->connected && known) {
		show_any(out); /* published on one address of the machine */
		return;
	}
	if (!sb_net_is_loopback(local) || (known && (flags & SB_NET_PUBLISHED_PORT) != 0) ||
	    is_to_machine(ends))
		out->v4 = sb_net_shown_address(net);
}

/* The datagram socket was connected before any program bound the port, to the place where a low
 * port will lie. */
static void show_awaited(const struct sb_net *net, uint32_t container, uint16_t *port)
{
	struct sb_net_port row;

	if (*port > SB_NET_LOW_BASE &&
	    !sb_net_find_port(net->ports, container, SB_NET_UDP, *port, &row))
		*port -= SB_NET_LOW_BASE;
}

/* Is it the networks' own name server? The address is shown to which the question went. */
static bool show_names(const struct sb_net *net, struct sb_net_place *out)
{
	uint32_t address;
	uint16_t port;

	if (!sb_net_name_server(net->table, &address, &port) || out->v4 != address ||
	    out->port != port)
		return false;
	sb_net_set_v4(out, SB_NET_NAMES_V4, SB_NET_NAMES_PORT);
	return true;
}

/* Does the peer send from the container's loopback? It comes from the base address, too, as do
 * senders to the container's own address; but the kernel chose the port of those, without a
 * note. */
static bool is_from_loopback(const struct sb_net *net, const struct sb_net_ends *ends,
			     uint32_t kind)
{
	struct sb_net_port row;

	return ends->bound == SB_NET_LOOPBACK &&
	       (!ends->received || find_real(net, kind, ends->peer.port, &row));
}

void sb_net_show_peer(const struct sb_net *net, const struct sb_net_ends *ends, bool initiated,
		      struct sb_net_place *out)
{
	const struct sb_net_place *peer = &ends->peer;
	const uint32_t kind = ends->udp ? SB_NET_UDP : 0;
	uint32_t container = net->self;
	uint8_t flags;

	*out = *peer;
	if (peer->is_v6) {
		if (initiated && sb_net_is_loopback(peer) &&
		    !reverse(net, net->self, kind | SB_NET_V6, &out->port, &flags))
			return;
		return;
	}
	if (!sb_net_is_loopback(peer) || show_names(net, out))
		return;
	if (peer->v4 == SB_NET_LOOPBACK_V4) {
		out->v4 = shown_loopback(net, ends, kind);
		if (out->v4 != SB_NET_LOOPBACK_V4)
			return;
	} else if (peer->v4 == SB_NET_SIX) {
		show_six(out);
		return;
	} else if (peer->v4 == net->base) {
		out->v4 = sb_net_shown_address(net);
		if (is_from_loopback(net, ends, kind) || is_stream_of_loopback(net, ends) ||
		    (sb_net_is_near(&ends->local) && !is_published(net, kind, ends->local.port)))
			out->v4 = SB_NET_LOOPBACK_V4;
		else if (ends->local.v4 == SB_NET_SIX)
			show_six(out);
	} else {
		container = sb_net_endpoint_container(sb_net_endpoint(net->table, peer->v4));
		if (container == SB_NET_HOST)
			return;
		out->v4 = shared_address(net, container, peer->v4);
	}
	if (initiated && !reverse(net, container, kind, &out->port, &flags) && ends->udp)
		show_awaited(net, container, &out->port);
}

bool sb_net_show_row(const struct sb_net *net, struct sb_net_row *row)
{
	const bool six = row->local.is_v6 && sb_net_is_loopback(&row->local);
	struct sb_net_ends ends = {.local = row->local, .peer = row->peer, .udp = row->udp};
	struct sb_net_port port = {0};
	uint32_t kind = row->udp ? SB_NET_UDP : 0;
	bool known = find_real(net, six ? kind | SB_NET_V6 : kind, row->local.port, &port);
	bool visible;

	if (!known && row->local.is_v6 && sb_net_is_any(&row->local))
		known = find_real(net, kind | SB_NET_V6, row->local.port, &port);
	ends.connected = !sb_net_is_any(&row->peer);
	ends.bound = port.flags & (SB_NET_ANY | SB_NET_LOOPBACK);
	if (six)
		visible = known;
	else if (!row->local.is_v6 && row->local.v4 == net->base)
		visible = row->local.port !=
			  SB_NET_LOW_BASE; /* the supervisor's socket, which keeps the address */
	else /* one on IPv6 is the relay's */
		visible = known && (port.flags & SB_NET_PUBLISHED_PORT) != 0 && !row->local.is_v6;
	if (ends.connected && !row->peer.is_v6 && row->peer.v4 == net->base)
		visible = true;
	if (!visible)
		return false;
	sb_net_show_local(net, &ends, &row->local);
	if (ends.connected)
		sb_net_show_peer(net, &ends, true, &row->peer);
	return true;
}
