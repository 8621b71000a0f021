/* SPDX-License-Identifier: MIT */
/*
 * net_table.c - look up rows of the network files, and change them.
 *
 * How it works
 *   Three hash tables with linear probing. A row is one 64-bit word, or a key word that is stored
 *   after its value. A dropped row is only marked; it becomes unused when the row behind it is.
 * Rules
 *   "table" has one writer at a time (Python's lock), "ports" any number.
 */
#include "net/net_table.h"

#include <errno.h>

#include "base/mem.h"

#define UNUSED 0
#define DROPPED 1
/* How far rows of "ports" may lie from their place: a look-up in a full table ends there. */
#define REACH 4096

static uint64_t load(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static void store(uint64_t *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static uint32_t place(uint64_t key, uint32_t size)
{
	key *= 0x9e3779b97f4a7c15ULL;
	return (uint32_t)(key >> 40) % size;
}

int sb_net_check(const struct sb_net_table *table, uint64_t size)
{
	static const char magic[8] = "SBNET";

	if (size < sizeof(*table) || memcmp(table->magic, magic, sizeof(magic)) != 0 ||
	    table->version != SB_NET_VERSION || table->size != sizeof(*table))
		return -EINVAL;
	return 0;
}

int sb_net_check_ports(const struct sb_net_ports *ports, uint64_t size)
{
	static const char magic[8] = "SBPORTS";

	if (size < sizeof(*ports) || memcmp(ports->magic, magic, sizeof(magic)) != 0 ||
	    ports->version != SB_NET_VERSION)
		return -EINVAL;
	return 0;
}

bool sb_net_name_server(const struct sb_net_table *table, uint32_t *address, uint16_t *port)
{
	const uint64_t place = load(&table->name_server);

	*address = (uint32_t)(place >> 16);
	*port = (uint16_t)place;
	return place != 0;
}

/* ---- endpoints ---------------------------------------------------------- */

static uint32_t endpoint_at(const struct sb_net_table *table, uint32_t address)
{
	uint32_t at = place(address, SB_NET_ENDPOINTS);

	for (uint32_t i = 0; i < SB_NET_ENDPOINTS; i++) {
		const uint64_t word = load(&table->endpoints[at]);

		if (word == UNUSED)
			break;
		if (word != DROPPED && word >> 32 == address)
			return at;
		at = (at + 1) % SB_NET_ENDPOINTS;
	}
	return SB_NET_ENDPOINTS;
}

uint64_t sb_net_endpoint(const struct sb_net_table *table, uint32_t address)
{
	const uint32_t at = endpoint_at(table, address);
	const uint64_t word = at == SB_NET_ENDPOINTS ? 0 : load(&table->endpoints[at]);

	return word >> 32 == address ? word : 0;
}

int sb_net_put_endpoint(struct sb_net_table *table, uint32_t address, uint32_t network,
			uint32_t container)
{
	const uint64_t word = (uint64_t)address << 32 | (uint64_t)network << 16 | container;
	uint32_t at = endpoint_at(table, address);

	if (address == 0 || network == 0 || network > 0xffff || container >= SB_NET_CONTAINERS)
		return -EINVAL;
	if (at != SB_NET_ENDPOINTS)
		return -EEXIST;
	at = place(address, SB_NET_ENDPOINTS);
	for (uint32_t i = 0; i < SB_NET_ENDPOINTS; i++) {
		if (table->endpoints[at] <= DROPPED) {
			store(&table->endpoints[at], word);
			return 0;
		}
		at = (at + 1) % SB_NET_ENDPOINTS;
	}
	return -ENOSPC;
}

int sb_net_drop_endpoint(struct sb_net_table *table, uint32_t address)
{
	uint32_t at = endpoint_at(table, address);

	if (at == SB_NET_ENDPOINTS)
		return -ENOENT;
	store(&table->endpoints[at], DROPPED);
	if (table->endpoints[(at + 1) % SB_NET_ENDPOINTS] != UNUSED)
		return 0;
	while (table->endpoints[at] == DROPPED) {
		store(&table->endpoints[at], UNUSED);
		at = (at + SB_NET_ENDPOINTS - 1) % SB_NET_ENDPOINTS;
	}
	return 0;
}

/* ---- containers --------------------------------------------------------- */

const struct sb_net_state *sb_net_state(const struct sb_net_table *table, uint32_t container,
					uint64_t *version)
{
	if (container == SB_NET_HOST || container >= SB_NET_CONTAINERS)
		return NULL;
	*version = load(&table->containers[container].version);
	return *version == 0 ? NULL : &table->containers[container].state[*version & 1];
}

bool sb_net_is_current(const struct sb_net_table *table, uint32_t container, uint64_t version)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return load(&table->containers[container].version) == version;
}

uint32_t sb_net_base(const struct sb_net_table *table, uint32_t container)
{
	for (;;) {
		uint64_t version;
		const struct sb_net_state *state = sb_net_state(table, container, &version);
		const uint32_t address = state == NULL ? 0 : state->address;

		if (state == NULL || sb_net_is_current(table, container, version))
			return address;
	}
}

uint32_t sb_net_address_on(const struct sb_net_table *table, uint32_t container, uint32_t network)
{
	for (;;) {
		uint64_t version;
		const struct sb_net_state *state = sb_net_state(table, container, &version);
		uint32_t address = 0;

		if (state == NULL)
			return 0;
		for (uint32_t i = 0; i < SB_MIN(state->address_count, (uint32_t)SB_NET_ADDRESSES);
		     i++) {
			if (state->addresses[i].network == network && address == 0)
				address = state->addresses[i].address;
		}
		if (sb_net_is_current(table, container, version))
			return address;
	}
}

void sb_net_put_state(struct sb_net_table *table, uint32_t container,
		      const struct sb_net_state *state)
{
	struct sb_net_container *row = &table->containers[container];
	const uint64_t next = load(&row->version) + 1;

	memcpy(&row->state[next & 1], state, sizeof(*state));
	store(&row->version, next);
}

/* ---- published ports ---------------------------------------------------- */

static uint64_t published_key(uint32_t container, bool udp, uint16_t port)
{
	return (uint64_t)container << 32 | (uint64_t)udp << 16 | port;
}

static uint32_t published_at(const struct sb_net_table *table, uint64_t key)
{
	uint32_t at = place(key, SB_NET_PUBLISHED);

	for (uint32_t i = 0; i < SB_NET_PUBLISHED; i++) {
		const uint64_t have = load(&table->published[at].key);

		if (have == UNUSED)
			break;
		if (have == key)
			return at;
		at = (at + 1) % SB_NET_PUBLISHED;
	}
	return SB_NET_PUBLISHED;
}

bool sb_net_find_published(const struct sb_net_table *table, uint32_t container, bool udp,
			   uint16_t port, uint32_t *host, uint16_t *host_port)
{
	const uint64_t key = published_key(container, udp, port);
	const uint32_t at = published_at(table, key);
	uint64_t value;

	if (at == SB_NET_PUBLISHED)
		return false;
	value = load(&table->published[at].value);
	if (load(&table->published[at].key) != key)
		return false;
	*host = (uint32_t)(value >> 16);
	*host_port = (uint16_t)value;
	return true;
}

int sb_net_publish(struct sb_net_table *table, uint32_t container, bool udp, uint16_t port,
		   uint32_t host, uint16_t host_port)
{
	const uint64_t key = published_key(container, udp, port);
	uint32_t at = published_at(table, key);

	if (container == SB_NET_HOST || container >= SB_NET_CONTAINERS || port == 0 ||
	    host_port == 0)
		return -EINVAL;
	if (at != SB_NET_PUBLISHED)
		return -EEXIST;
	at = place(key, SB_NET_PUBLISHED);
	for (uint32_t i = 0; i < SB_NET_PUBLISHED; i++) {
		struct sb_net_published *row = &table->published[at];

		if (row->key <= DROPPED) {
			store(&row->value, (uint64_t)host << 16 | host_port);
			store(&row->key, key);
			return 0;
		}
		at = (at + 1) % SB_NET_PUBLISHED;
	}
	return -ENOSPC;
}

int sb_net_unpublish(struct sb_net_table *table, uint32_t container, bool udp, uint16_t port)
{
	uint32_t at = published_at(table, published_key(container, udp, port));

	if (at == SB_NET_PUBLISHED)
		return -ENOENT;
	store(&table->published[at].key, DROPPED);
	if (table->published[(at + 1) % SB_NET_PUBLISHED].key != UNUSED)
		return 0;
	while (table->published[at].key == DROPPED) {
		store(&table->published[at].key, UNUSED);
		at = (at + SB_NET_PUBLISHED - 1) % SB_NET_PUBLISHED;
	}
	return 0;
}

/* ---- ports that are in use ---------------------------------------------- */

#define KEY_MASK 0xffffff00ffff0000ULL

static uint64_t port_key(uint32_t container, uint32_t kind, uint16_t port)
{
	return (uint64_t)container << 48 | (uint64_t)kind << 40 | (uint64_t)port << 16;
}

static const uint64_t *port_at(const struct sb_net_ports *ports, uint64_t key)
{
	uint32_t at = place(key >> 16, SB_NET_PORTS);

	for (uint32_t i = 0; i < REACH; i++) {
		const uint64_t *row = &ports->rows[at];
		const uint64_t word = load(row);

		if (word == UNUSED)
			break;
		if (word != DROPPED && (word & KEY_MASK) == key)
			return row;
		at = (at + 1) % SB_NET_PORTS;
	}
	return NULL;
}

bool sb_net_find_port(const struct sb_net_ports *ports, uint32_t container, uint32_t kind,
		      uint16_t port, struct sb_net_port *out)
{
	const uint64_t key = port_key(container, kind, port);
	const uint64_t *row = port_at(ports, key);
	const uint64_t word = row == NULL ? 0 : load(row);

	if (row == NULL || (word & KEY_MASK) != key)
		return false;
	out->port = port;
	out->value = (uint16_t)word;
	out->flags = (uint8_t)(word >> 32);
	return true;
}

int sb_net_put_port(struct sb_net_ports *ports, uint32_t container, uint32_t kind,
		    const struct sb_net_port *row)
{
	const uint64_t key = port_key(container, kind, row->port);
	const uint64_t word = key | (uint64_t)row->flags << 32 | row->value;
	uint64_t *old = (uint64_t *)(uintptr_t)port_at(ports, key);
	uint32_t at = place(key >> 16, SB_NET_PORTS);

	if (old != NULL) {
		store(old, word);
		return 0;
	}
	for (uint32_t i = 0; i < REACH; i++) {
		uint64_t have = load(&ports->rows[at]);

		if (have <= DROPPED &&
		    __atomic_compare_exchange_n(&ports->rows[at], &have, word, false,
						__ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			return 0;
		at = (at + 1) % SB_NET_PORTS;
	}
	return -ENOSPC;
}

void sb_net_drop_port(struct sb_net_ports *ports, uint32_t container, uint32_t kind, uint16_t port)
{
	uint64_t *row = (uint64_t *)(uintptr_t)port_at(ports, port_key(container, kind, port));

	if (row != NULL)
		store(row, DROPPED);
}
