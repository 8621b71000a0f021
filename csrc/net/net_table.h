/* SPDX-License-Identifier: MIT */
/*
 * net_table.h - look up rows of the network files, and change them.
 *
 * Rules
 *   Pure: the caller maps both files. sb_net_check refuses a wrong file. What a row says is checked
 *   where it is used, and never serves as an index before.
 */
#ifndef SB_NET_TABLE_H
#define SB_NET_TABLE_H

#include "base/base.h"
#include "base/net_abi.h"

/* A row of "ports". */
struct sb_net_port {
	uint16_t port;
	uint16_t value; /* the real port; in a reverse row the container's port */
	uint8_t flags;
};

/* 0 or -EINVAL. */
int sb_net_check(const struct sb_net_table *table, uint64_t size) SB_MUST_CHECK;
int sb_net_check_ports(const struct sb_net_ports *ports, uint64_t size) SB_MUST_CHECK;

/* Where the networks' name server listens; false: nowhere. */
bool sb_net_name_server(const struct sb_net_table *table, uint32_t *address, uint16_t *port);

/* ---- endpoints: a word, or 0 when the address is no container's ---- */
uint64_t sb_net_endpoint(const struct sb_net_table *table, uint32_t address);
static inline uint32_t sb_net_endpoint_container(uint64_t word)
{
	return (uint32_t)(word & 0xffff);
}
static inline uint32_t sb_net_endpoint_network(uint64_t word)
{
	return (uint32_t)(word >> 16 & 0xffff);
}
int sb_net_put_endpoint(struct sb_net_table *table, uint32_t address, uint32_t network,
			uint32_t container) SB_MUST_CHECK;
int sb_net_drop_endpoint(struct sb_net_table *table, uint32_t address) SB_MUST_CHECK;

/* ---- containers ---- */

/* NULL when the number is not in use. The state may change while it is read: read what is
 * needed, then ask sb_net_is_current. */
const struct sb_net_state *sb_net_state(const struct sb_net_table *table, uint32_t container,
					uint64_t *version);
bool sb_net_is_current(const struct sb_net_table *table, uint32_t container, uint64_t version);
/* Its base address, 0 when there is no such container. */
uint32_t sb_net_base(const struct sb_net_table *table, uint32_t container);
/* Its address on a network, 0 when it is not on it. */
uint32_t sb_net_address_on(const struct sb_net_table *table, uint32_t container, uint32_t network);
void sb_net_put_state(struct sb_net_table *table, uint32_t container,
		      const struct sb_net_state *state);

/* ---- published ports ---- */
bool sb_net_find_published(const struct sb_net_table *table, uint32_t container, bool udp,
			   uint16_t port, uint32_t *host, uint16_t *host_port);
int sb_net_publish(struct sb_net_table *table, uint32_t container, bool udp, uint16_t port,
		   uint32_t host, uint16_t host_port) SB_MUST_CHECK;
int sb_net_unpublish(struct sb_net_table *table, uint32_t container, bool udp,
		     uint16_t port) SB_MUST_CHECK;

/* ---- ports that are in use ---- */
bool sb_net_find_port(const struct sb_net_ports *ports, uint32_t container, uint32_t kind,
		      uint16_t port, struct sb_net_port *out);
/* Add a row, or replace the row of the same container, kind and port. -ENOSPC when the table is
 * full. */
int sb_net_put_port(struct sb_net_ports *ports, uint32_t container, uint32_t kind,
		    const struct sb_net_port *row) SB_MUST_CHECK;
void sb_net_drop_port(struct sb_net_ports *ports, uint32_t container, uint32_t kind, uint16_t port);

#endif
