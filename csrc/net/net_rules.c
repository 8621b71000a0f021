/* SPDX-License-Identifier: MIT */
/*
 * net_rules.c - what the runtime binds, connects and sends to in place of a guest's address.
 *
 * How it works
 *   The class of an address says whose it is; the rows of "ports" say where the socket of a port
 *   really lies. A port without a row leads to a port on which nobody listens: so a server of the
 *   machine on 0.0.0.0 is never taken for one of a container.
 * Does not know
 *   Descriptors, and what the kernel says of them.
 */
#include "net/net_rules.h"

#include <errno.h>

#include "base/mem.h"

/* The kernel may have chosen a port from here on, without a note. */
#define EPHEMERAL 32768
/* Nobody listens there: port 0 of those below low_ports. */
#define DEAD_PORT SB_NET_LOW_BASE

/* ---- bind --------------------------------------------------------------- */

static uint16_t default_port(const struct sb_net *net, uint32_t container, uint16_t port)
{
	uint64_t version;
	const struct sb_net_state *state = sb_net_state(net->table, container, &version);
	const uint32_t low = state == NULL ? 1024 : SB_MIN(state->low_ports, 1024U);

	return port != 0 && port < low ? (uint16_t)(SB_NET_LOW_BASE + port) : port;
}

/* A published port lies on an IPv4 address of the machine. A relay serves the machine's IPv6. */
static bool bind_published(const struct sb_net *net, const struct sb_net_place *name, bool udp,
			   bool v6only, struct sb_net_binding *out)
{
	uint32_t host;
	uint16_t port;

	if (v6only || !sb_net_find_published(net->table, net->self, udp, name->port, &host, &port))
		return false;
	sb_net_set_v4(&out->place, host, port);
	out->flags |= SB_NET_PUBLISHED_PORT;
	out->fixed = true;
	return true;
}

bool sb_net_is_alone(const struct sb_net_table *table, uint32_t container)
{
	uint64_t version;
	const struct sb_net_state *state = sb_net_state(table, container, &version);

	return state != NULL && state->egress == SB_NET_EGRESS_NONE && state->address_count == 0;
}

/* Bind to the container's own addresses. */
static void bind_own(const struct sb_net *net, const struct sb_net_place *name,
		     struct sb_net_binding *out)
{
	struct sb_net_port row;
	const bool known = sb_net_find_port(net->ports, net->self, out->kind, name->port, &row) &&
			   (row.flags & SB_NET_PUBLISHED_PORT) == 0;

	const uint16_t port = known ? row.value : default_port(net, net->self, name->port);

	out->spare = !known && port < SB_NET_SPARE_FIRST && (out->kind & SB_NET_UDP) == 0 &&
		     sb_net_is_alone(net->table, net->self);
	out->fixed = known;
	if (out->kind & SB_NET_V6) /* all containers share ::1 */
		sb_net_set_v6(&out->place, sb_net_loopback_v6, port);
	else
		sb_net_set_v4(&out->place, net->base, port);
}

int sb_net_bind(const struct sb_net *net, const struct sb_net_place *name,
		const struct sb_net_socket *socket, struct sb_net_binding *out)
{
	const bool udp = socket->udp;
	const bool v6only = socket->v6only;
	const enum sb_net_class class = sb_net_classify(net, name);
	const bool v6 = name->is_v6 && (v6only || class == SB_NET_IS_LOOPBACK);

	*out = (struct sb_net_binding){.place = *name};
	out->native = class == SB_NET_IS_GROUP || (v6only && !name->is_v6) ||
		      (class == SB_NET_IS_ANY && udp && name->port == 0);
	out->later =
		!udp && name->port == 0 && !socket->now &&
		(class == SB_NET_IS_ANY || (class == SB_NET_IS_LOOPBACK && sb_net_is_near(name)));
	if (out->native || out->later)
		return 0;
	if (class == SB_NET_IS_OUTSIDE || class == SB_NET_IS_PEER || class == SB_NET_IS_GATEWAY)
		return -EADDRNOTAVAIL;
	out->kind = (udp ? SB_NET_UDP : 0U) | (v6 ? SB_NET_V6 : 0U);
	if (class == SB_NET_IS_ANY)
		out->flags = SB_NET_ANY;
	if (class == SB_NET_IS_LOOPBACK)
		out->flags = SB_NET_LOOPBACK;
	if (name->is_v6 && !v6)
		out->flags |= SB_NET_DUAL;
	out->note = name->port != 0 || name->is_v6 || udp;
	if (class == SB_NET_IS_LOOPBACK || name->port == 0 ||
	    !bind_published(net, name, udp, v6only, out))
		bind_own(net, name, out);
	return 0;
}

/* ---- connect and send --------------------------------------------------- */

/* Where a datagram socket will probably lie once a program binds the port, which none has bound
 * yet. */
static void await(const struct sb_net *net, uint32_t container, uint32_t base,
		  struct sb_net_target *out)
{
	const uint16_t port = out->place.port;
	uint32_t host;
	uint16_t host_port;

	sb_net_set_v4(&out->awaited, base, default_port(net, container, port));
	if (sb_net_find_published(net->table, container, true, port, &host, &host_port))
		sb_net_set_v4(&out->awaited, host == 0 ? base : host, host_port);
}

/* Where the port of a container lies for a client from outside (outer) or from its own loopback. */
static void lead_to(const struct sb_net *net, uint32_t container, uint32_t base, bool outer,
		    bool udp, struct sb_net_target *out)
{
	const uint16_t port = out->place.port;
	const uint32_t kind = udp ? SB_NET_UDP : 0;
	struct sb_net_port row;
	uint32_t host;
	uint16_t host_port;

	if (!sb_net_find_port(net->ports, container, kind, port, &row)) {
		if (udp && port != 0 && port < EPHEMERAL)
			await(net, container, base, out);
		sb_net_set_v4(&out->place, base, port < EPHEMERAL ? DEAD_PORT : port);
		return;
	}
	if (outer && (row.flags & SB_NET_LOOPBACK) != 0) {
		sb_net_set_v4(&out->place, base, DEAD_PORT);
		return;
	}
	sb_net_set_v4(&out->place, base, row.value);
	if ((row.flags & SB_NET_PUBLISHED_PORT) != 0 &&
	    sb_net_find_published(net->table, container, udp, port, &host, &host_port) && host != 0)
		sb_net_set_v4(&out->place, host, host_port);
}

void sb_net_lead(const struct sb_net *net, bool udp, uint16_t port, struct sb_net_place *out)
{
	const uint32_t kind = udp ? SB_NET_UDP : 0;
	struct sb_net_target target = {.place.port = port};
	struct sb_net_port row;

	if (!sb_net_find_port(net->ports, net->self, kind, port, &row)) {
		row.flags = 0;
		if (sb_net_find_port(net->ports, net->self, kind | SB_NET_V6, port, &row) &&
		    (row.flags & SB_NET_LOOPBACK) == 0) {
			sb_net_set_v6(out, sb_net_loopback_v6, row.value);
			return;
		}
	}
	lead_to(net, net->self, net->base, true, udp, &target);
	*out = target.place;
	/* The answer to a datagram comes from there. */
	if ((row.flags & SB_NET_PUBLISHED_PORT) != 0 && out->v4 == net->base)
		out->v4 = SB_NET_LOOPBACK_V4;
}

static int reach_own(const struct sb_net *net, const struct sb_net_place *name, bool udp,
		     struct sb_net_target *out)
{
	const uint32_t kind = udp ? SB_NET_UDP : 0;
	struct sb_net_port row;

	out->is_loopback = true;
	if (!name->is_v6) {
		/* It may be a client of the machine that gets an answer. */
		if (udp && name->port >= EPHEMERAL && name->v4 == SB_NET_LOOPBACK_V4 &&
		    !sb_net_find_port(net->ports, net->self, kind, name->port, &row))
			return 0;
		lead_to(net, net->self, net->base, false, udp, out);
		return 0;
	}
	if (sb_net_find_port(net->ports, net->self, kind | SB_NET_V6, name->port, &row)) {
		sb_net_set_v6(&out->place, sb_net_loopback_v6, row.value);
		return 0;
	}
	if (sb_net_find_port(net->ports, net->self, kind, name->port, &row) &&
	    (row.flags & SB_NET_DUAL) != 0) {
		out->from_six = !udp;
		lead_to(net, net->self, net->base, false, udp, out);
		return 0;
	}
	sb_net_set_v6(&out->place, sb_net_loopback_v6,
		      udp && name->port >= EPHEMERAL ? name->port : DEAD_PORT);
	return 0;
}

static int reach_peer(const struct sb_net *net, uint32_t address, bool udp,
		      struct sb_net_target *out)
{
	const uint64_t word = sb_net_endpoint(net->table, address);
	const uint32_t container = sb_net_endpoint_container(word);
	const uint32_t base = sb_net_base(net->table, container);

	if (word == 0 || base == 0 ||
	    sb_net_address_on(net->table, net->self, sb_net_endpoint_network(word)) == 0)
		return -EHOSTUNREACH;
	out->from_base = true;
	lead_to(net, container, base, true, udp, out);
	return 0;
}

static bool is_within(const unsigned char *address, const unsigned char *network, uint32_t prefix)
{
	const uint32_t bits = SB_MIN(prefix, 128U);
	const unsigned char mask = (unsigned char)(0xff00U >> (bits % 8));

	if (memcmp(address, network, bits / 8) != 0)
		return false;
	return bits % 8 == 0 || ((address[bits / 8] ^ network[bits / 8]) & mask) == 0;
}

static bool is_resolver(const struct sb_net_state *state, const struct sb_net_place *place)
{
	const uint32_t count = SB_MIN(state->resolver_count, (uint32_t)SB_NET_RESOLVERS);
	unsigned char address[16];

	if (place->port != SB_NET_NAMES_PORT)
		return false;
	sb_net_widen(place, address);
	for (uint32_t i = 0; i < count; i++) {
		if (memcmp(state->resolvers[i], address, 16) == 0)
			return true;
	}
	return false;
}

/* Does the container mean the networks' own name server? It answers whatever else the container may
 * reach. */
static bool reach_names(const struct sb_net *net, const struct sb_net_state *state,
			const struct sb_net_place *name, struct sb_net_target *out)
{
	uint32_t address;
	uint16_t port;

	if (name->is_v6 || name->v4 != SB_NET_NAMES_V4 || !is_resolver(state, name) ||
	    !sb_net_name_server(net->table, &address, &port))
		return false;
	sb_net_set_v4(&out->place, address, port);
	out->from_base = true;
	out->changed = true;
	return true;
}

static bool is_allowed(const struct sb_net_state *state, const struct sb_net_place *place)
{
	const uint32_t count = SB_MIN(state->allowed_count, (uint32_t)SB_NET_ALLOWED);
	unsigned char address[16];

	sb_net_widen(place, address);
	for (uint32_t i = 0; i < count; i++) {
		const struct sb_net_allowed *one = &state->allowed[i];

		if ((one->port == 0 || one->port == place->port) &&
		    is_within(address, one->address, one->prefix))
			return true;
	}
	return false;
}

static int may_leave(const struct sb_net_state *state, const struct sb_net_place *place)
{
	switch (state->egress) {
	case SB_NET_EGRESS_FREE:
		return 0;
	case SB_NET_EGRESS_LISTED:
		return is_allowed(state, place) ? 0 : -ENETUNREACH;
	default:
		return -ENETUNREACH;
	}
}

int sb_net_reach(const struct sb_net *net, const struct sb_net_place *name, bool udp,
		 struct sb_net_target *out)
{
	uint64_t version;
	const struct sb_net_state *state = sb_net_state(net->table, net->self, &version);
	struct sb_net_port relay;
	int err = 0;

	*out = (struct sb_net_target){.place = *name};
	if (state == NULL)
		return -ENETDOWN;
	if (reach_names(net, state, name, out))
		return 0;
	if (state->egress != SB_NET_EGRESS_NONE && is_resolver(state, name)) {
		out->is_outside = true;
		return 0;
	}
	switch (sb_net_classify(net, name)) {
	case SB_NET_IS_ANY:
	case SB_NET_IS_LOOPBACK:
		err = reach_own(net, name, udp, out);
		break;
	case SB_NET_IS_OWN:
		out->from_base = true;
		/* Datagrams may be the answer to a client on the loopback. */
		lead_to(net, net->self, net->base, !udp, udp, out);
		break;
	case SB_NET_IS_PEER:
		err = state->address_count == 0 ? -ENETUNREACH
						: reach_peer(net, name->v4, udp, out);
		break;
	case SB_NET_IS_GATEWAY:
		if (udp && sb_net_find_port(net->ports, net->self, SB_NET_UDP | SB_NET_RELAY,
					    name->port, &relay)) {
			out->changed = true;
			return 0;
		}
		err = may_leave(state, name);
		out->is_gateway = true;
		sb_net_set_v4(&out->place, SB_NET_LOOPBACK_V4, name->port);
		break;
	case SB_NET_IS_GROUP:
	case SB_NET_IS_OUTSIDE:
		err = may_leave(state, name);
		out->is_outside = true;
		return err;
	}
	out->changed = true;
	return err;
}
