/* SPDX-License-Identifier: MIT */
/*
 * net_place.c - socket addresses, and whose an address is.
 */
#include "net/net_place.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/mem.h"

const unsigned char sb_net_any_v6[16];
const unsigned char sb_net_loopback_v6[16] = {[15] = 1};
static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

static uint32_t read_v4(const unsigned char *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void write_v4(uint32_t address, unsigned char *at)
{
	for (int i = 0; i < 4; i++)
		at[i] = (unsigned char)(address >> (24 - 8 * i));
}

bool sb_net_place_read(const unsigned char *name, uint32_t len, struct sb_net_place *out)
{
	uint16_t family;

	if (len < 16)
		return false;
	memcpy(&family, name, sizeof(family));
	if (family != AF_INET && (family != AF_INET6 || len < 24))
		return false;
	out->wide = family == AF_INET6;
	out->is_v6 = false;
	out->port = (uint16_t)(name[2] << 8 | name[3]);
	memset(out->v6, 0, sizeof(out->v6));
	if (!out->wide) {
		out->v4 = read_v4(name + 4);
		return true;
	}
	memcpy(out->v6, name + 8, sizeof(out->v6));
	out->is_v6 = memcmp(out->v6, mapped, sizeof(mapped)) != 0;
	out->v4 = out->is_v6 ? 0 : read_v4(out->v6 + 12);
	return true;
}

void sb_net_place_write(const struct sb_net_place *place, unsigned char *name)
{
	name[2] = (unsigned char)(place->port >> 8);
	name[3] = (unsigned char)place->port;
	if (!place->wide) {
		write_v4(place->v4, name + 4);
		return;
	}
	if (place->is_v6) {
		memcpy(name + 8, place->v6, sizeof(place->v6));
		return;
	}
	memcpy(name + 8, mapped, sizeof(mapped));
	write_v4(place->v4, name + 20);
}

void sb_net_set_v4(struct sb_net_place *place, uint32_t address, uint16_t port)
{
	place->is_v6 = false;
	place->v4 = address;
	place->port = port;
}

void sb_net_set_v6(struct sb_net_place *place, const unsigned char address[16], uint16_t port)
{
	place->is_v6 = true;
	memcpy(place->v6, address, sizeof(place->v6));
	place->port = port;
}

bool sb_net_is_any(const struct sb_net_place *place)
{
	return place->is_v6 ? memcmp(place->v6, sb_net_any_v6, 16) == 0 : place->v4 == 0;
}

bool sb_net_is_loopback(const struct sb_net_place *place)
{
	return place->is_v6 ? memcmp(place->v6, sb_net_loopback_v6, 16) == 0
			    : place->v4 >> 24 == 127;
}

bool sb_net_is_near(const struct sb_net_place *place)
{
	return !place->is_v6 && place->v4 >> 16 == SB_NET_LOOPBACK_V4 >> 16 &&
	       place->v4 != SB_NET_SIX;
}

static bool is_group(const struct sb_net_place *place)
{
	if (place->is_v6)
		return place->v6[0] == 0xff;
	return place->v4 >> 28 == 14 || place->v4 == 0xffffffffU;
}

/* Is it the address of one of the container's interfaces? */
static bool is_own(const struct sb_net *net, uint32_t address)
{
	uint64_t version;
	const struct sb_net_state *state = sb_net_state(net->table, net->self, &version);
	uint32_t count;

	if (address == net->base || state == NULL)
		return address == net->base;
	count = SB_MIN(state->address_count, (uint32_t)SB_NET_ADDRESSES);
	for (uint32_t i = 0; i < count; i++) {
		if (state->addresses[i].address == address)
			return true;
	}
	return false;
}

enum sb_net_class sb_net_classify(const struct sb_net *net, const struct sb_net_place *place)
{
	uint64_t word;

	if (sb_net_is_any(place))
		return SB_NET_IS_ANY;
	if (is_group(place))
		return SB_NET_IS_GROUP;
	if (place->is_v6)
		return sb_net_is_loopback(place) ? SB_NET_IS_LOOPBACK : SB_NET_IS_OUTSIDE;
	if (is_own(net, place->v4))
		return SB_NET_IS_OWN;
	word = sb_net_endpoint(net->table, place->v4);
	if (word == 0)
		return sb_net_is_loopback(place) ? SB_NET_IS_LOOPBACK : SB_NET_IS_OUTSIDE;
	if (sb_net_endpoint_container(word) == net->self)
		return SB_NET_IS_OWN;
	return sb_net_endpoint_container(word) == SB_NET_HOST ? SB_NET_IS_GATEWAY : SB_NET_IS_PEER;
}

uint32_t sb_net_shown_address(const struct sb_net *net)
{
	uint64_t version;
	const struct sb_net_state *state = sb_net_state(net->table, net->self, &version);

	return state == NULL || state->address_count == 0 ? net->base : state->addresses[0].address;
}

void sb_net_widen(const struct sb_net_place *place, unsigned char out[16])
{
	if (place->is_v6) {
		memcpy(out, place->v6, 16);
		return;
	}
	memcpy(out, mapped, sizeof(mapped));
	write_v4(place->v4, out + 12);
}
