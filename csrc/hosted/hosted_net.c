/* SPDX-License-Identifier: MIT */
/*
 * hosted_net.c - make and write the network files.
 *
 * Hosted build only. A caller that writes holds the lock of the files from open to close.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sys.h"
#include "hosted/hosted.h"
#include "layers/mapped_file.h"
#include "net/net_rules.h"
#include "pure/path.h"

struct sb_hosted_net {
	struct sb_map table;
	struct sb_map ports;
};

static struct sb_net_table *table_of(struct sb_hosted_net *net)
{
	return net->table.at;
}

/* ---- the files ------------------------------------------------------------ */

struct head { /* how both files begin; "ports" has no size */
	char magic[8];
	uint32_t version;
	uint32_t reserved;
	uint64_t size;
};

static int make(const char *path, const char *draft, const struct head *head, uint64_t size)
{
	const size_t head_len = head->size != 0 ? sizeof(*head) : offsetof(struct head, size);
	int fd = (int)sys_openat(AT_FDCWD, draft,
				 O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	long ret;

	if (fd < 0)
		return fd;
	ret = sys_ftruncate(fd, (int64_t)size);
	if (ret == 0)
		ret = sys_write(fd, (const char *)head, head_len);
	sys_close(fd);
	return ret < 0 ? (int)ret : (int)sys_renameat2(AT_FDCWD, draft, AT_FDCWD, path, 0);
}

static int open_file(const char *directory, const char *name, const struct head *head,
		     uint64_t size, struct sb_map *map)
{
	struct sb_path *path = malloc(2 * sizeof(*path));
	int err = path == NULL ? -ENOMEM : sb_path_set(path, directory, strlen(directory));

	if (err == 0)
		err = sb_path_join(path, name, strlen(name));
	if (err == 0)
		err = sb_map_file(path->buf, true, map);
	if (err == -ENOENT) {
		err = sb_path_set(path + 1, path->buf, path->len);
		if (err == 0)
			err = sb_path_add(path + 1, ".new", 4);
		if (err == 0)
			err = make(path->buf, path[1].buf, head, size);
		if (err == 0)
			err = sb_map_file(path->buf, true, map);
	}
	free(path);
	return err;
}

static int open_table(const char *directory, struct sb_map *map)
{
	const struct head head = {"SBNET", SB_NET_VERSION, 0, sizeof(struct sb_net_table)};
	int err = open_file(directory, "table", &head, sizeof(struct sb_net_table), map);

	return err < 0 ? err : sb_net_check(map->at, map->size);
}

static int open_ports(const char *directory, struct sb_map *map)
{
	const struct head head = {"SBPORTS", SB_NET_VERSION, 0, 0};
	int err = open_file(directory, "ports", &head, sizeof(struct sb_net_ports), map);

	return err < 0 ? err : sb_net_check_ports(map->at, map->size);
}

struct sb_hosted_net *sb_hosted_net_open(const char *directory, int *error)
{
	struct sb_hosted_net *net = calloc(1, sizeof(*net));

	if (net == NULL) {
		*error = -ENOMEM;
		return NULL;
	}
	*error = open_table(directory, &net->table);
	if (*error == 0)
		*error = open_ports(directory, &net->ports);
	if (*error < 0) {
		sb_hosted_net_close(net);
		return NULL;
	}
	return net;
}

void sb_hosted_net_close(struct sb_hosted_net *net)
{
	sb_unmap(&net->table);
	sb_unmap(&net->ports);
	free(net);
}

const struct sb_net_table *sb_hosted_net_table(struct sb_hosted_net *net)
{
	return net->table.at;
}

const struct sb_net_ports *sb_hosted_net_ports(struct sb_hosted_net *net)
{
	return net->ports.at;
}

void sb_hosted_net_set_name_server(struct sb_hosted_net *net, uint64_t place)
{
	__atomic_store_n(&table_of(net)->name_server, place, __ATOMIC_RELEASE);
}

/* ---- containers ------------------------------------------------------------ */

int sb_hosted_net_take(struct sb_hosted_net *net, const char *id, const struct sb_net_state *state)
{
	struct sb_net_table *table = table_of(net);

	if (strlen(id) >= sizeof(table->containers[0].id) || state->address == 0)
		return -EINVAL;
	for (uint32_t number = 1; number < SB_NET_CONTAINERS; number++) {
		if (sb_net_base(table, number) != 0)
			continue;
		memset(table->containers[number].id, 0, sizeof(table->containers[number].id));
		memcpy(table->containers[number].id, id, strlen(id));
		sb_net_put_state(table, number, state);
		return (int)number;
	}
	return -ENOSPC;
}

int sb_hosted_net_update(struct sb_hosted_net *net, uint32_t number,
			 const struct sb_net_state *state)
{
	if (number >= SB_NET_CONTAINERS || sb_net_base(table_of(net), number) == 0 ||
	    state->address == 0)
		return -EINVAL;
	sb_net_put_state(table_of(net), number, state);
	return 0;
}

static void drop_rows(struct sb_hosted_net *net, uint32_t number)
{
	struct sb_net_table *table = net->table.at;
	struct sb_net_ports *ports = net->ports.at;

	for (uint32_t i = 0; i < SB_NET_ENDPOINTS; i++) {
		const uint64_t word = table->endpoints[i];

		if (word > 1 && sb_net_endpoint_container(word) == number &&
		    sb_net_drop_endpoint(table, (uint32_t)(word >> 32)) < 0)
			continue;
	}
	for (uint32_t i = 0; i < SB_NET_PUBLISHED; i++) {
		const uint64_t key = table->published[i].key;

		if (key > 1 && key >> 32 == number &&
		    sb_net_unpublish(table, number, (key >> 16 & 1) != 0, (uint16_t)key) < 0)
			continue;
	}
	/* From the end, since a dropped row becomes free when nothing lies behind it. */
	for (uint32_t i = SB_NET_PORTS; i-- > 0;) {
		uint64_t word = ports->rows[i];
		const uint64_t next = ports->rows[(i + 1) % SB_NET_PORTS];

		if (word == 1 || (word > 1 && word >> 48 == number))
			__atomic_compare_exchange_n(&ports->rows[i], &word, next == 0 ? 0 : 1,
						    false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
	}
}

int sb_hosted_net_release(struct sb_hosted_net *net, uint32_t number)
{
	struct sb_net_table *table = table_of(net);
	struct sb_net_state *none;

	if (number == SB_NET_HOST || number >= SB_NET_CONTAINERS)
		return -EINVAL;
	drop_rows(net, number);
	none = calloc(1, sizeof(*none));
	if (none == NULL)
		return -ENOMEM;
	sb_net_put_state(table, number, none);
	free(none);
	memset(table->containers[number].id, 0, sizeof(table->containers[number].id));
	return 0;
}

int sb_hosted_net_put_endpoint(struct sb_hosted_net *net, uint32_t address, uint32_t network,
			       uint32_t container)
{
	return sb_net_put_endpoint(table_of(net), address, network, container);
}

int sb_hosted_net_drop_endpoint(struct sb_hosted_net *net, uint32_t address)
{
	return sb_net_drop_endpoint(table_of(net), address);
}

int sb_hosted_net_publish(struct sb_hosted_net *net, uint32_t container, uint32_t udp,
			  uint32_t port, uint32_t host, uint32_t host_port)
{
	if (port > 0xffff || host_port > 0xffff)
		return -EINVAL;
	return sb_net_publish(table_of(net), container, udp != 0, (uint16_t)port, host,
			      (uint16_t)host_port);
}

int sb_hosted_net_unpublish(struct sb_hosted_net *net, uint32_t container, uint32_t udp,
			    uint32_t port)
{
	return port > 0xffff ? -EINVAL
			     : sb_net_unpublish(table_of(net), container, udp != 0, (uint16_t)port);
}

/* ---- relays ------------------------------------------------------------------ */

int sb_hosted_net_lead(struct sb_hosted_net *net, uint32_t container, uint32_t udp, uint32_t port,
		       unsigned char address[16])
{
	const struct sb_net here = {net->table.at, net->ports.at, container,
				    sb_net_base(net->table.at, container)};
	struct sb_net_place place = {0};

	if (here.base == 0 || port > 0xffff)
		return -ENOENT;
	sb_net_lead(&here, udp != 0, (uint16_t)port, &place);
	sb_net_widen(&place, address);
	return place.port;
}

int sb_hosted_net_relay(struct sb_hosted_net *net, uint32_t container, uint32_t port, uint32_t on)
{
	const struct sb_net_port row = {(uint16_t)port, (uint16_t)port, 0};

	if (on != 0)
		return sb_net_put_port(net->ports.at, container, SB_NET_UDP | SB_NET_RELAY, &row);
	sb_net_drop_port(net->ports.at, container, SB_NET_UDP | SB_NET_RELAY, row.port);
	return 0;
}
