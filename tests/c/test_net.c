/* SPDX-License-Identifier: MIT */
/* test_net.c - the rules of the containers' network on tables in memory, and malformed input. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>

#include "check.h"
#include "net/net_link.h"
#include "net/net_rules.h"
#include "procfs/proc_net.h"
#include "net/net_show.h"

#define SELF 1
#define PEER 2
#define STRANGER 3
#define ADDRESS(network, last) (0x7f500000U | (network) << 8 | (last))
#define GATEWAY ADDRESS(1, 1)
#define LOCALHOST 0x7f000001U

static struct sb_net_table *table;
static struct sb_net_ports *ports;
static struct sb_net net;

static void add(uint32_t number, uint32_t network, uint32_t last)
{
	struct sb_net_state *state = calloc(1, sizeof(*state));

	state->address = ADDRESS(network, last);
	state->low_ports = 1024;
	state->address_count = 1;
	state->addresses[0] =
		(struct sb_net_address){state->address, ADDRESS(network, 1), network, 24, {0}};
	sb_net_put_state(table, number, state);
	CHECK_INT(sb_net_put_endpoint(table, state->address, network, number), 0);
	free(state);
}

static void start(void)
{
	free(table);
	free(ports);
	table = calloc(1, sizeof(*table));
	ports = calloc(1, sizeof(*ports));
	add(SELF, 1, 2);
	add(PEER, 1, 3);
	add(STRANGER, 2, 2);
	CHECK_INT(sb_net_put_endpoint(table, GATEWAY, 1, SB_NET_HOST), 0);
	net = (struct sb_net){table, ports, SELF, ADDRESS(1, 2)};
}

static struct sb_net_place place(const char *address, uint16_t port)
{
	union {
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		unsigned char bytes[28];
	} name;
	struct sb_net_place out;

	memset(&name, 0, sizeof(name));
	if (strchr(address, ':') == NULL) {
		name.in.sin_family = AF_INET;
		name.in.sin_port = htons(port);
		CHECK_INT(inet_pton(AF_INET, address, &name.in.sin_addr), 1);
	} else {
		name.in6.sin6_family = AF_INET6;
		name.in6.sin6_port = htons(port);
		CHECK_INT(inet_pton(AF_INET6, address, &name.in6.sin6_addr), 1);
	}
	CHECK(sb_net_place_read(name.bytes, sizeof(name), &out));
	return out;
}

static const char *text(const struct sb_net_place *p)
{
	static char out[80];
	char address[INET6_ADDRSTRLEN];
	const uint32_t v4 = htonl(p->v4);

	inet_ntop(p->is_v6 ? AF_INET6 : AF_INET, p->is_v6 ? (const void *)p->v6 : &v4, address,
		  sizeof(address));
	snprintf(out, sizeof(out), "%s%s %d", p->wide && !p->is_v6 ? "six " : "", address, p->port);
	return out;
}

static void note(uint32_t container, uint32_t kind, uint16_t port, uint16_t value, uint8_t flags)
{
	struct sb_net_port row = {port, value, flags};

	CHECK_INT(sb_net_put_port(ports, container, kind, &row), 0);
	row = (struct sb_net_port){value, port, flags};
	CHECK_INT(sb_net_put_port(ports, container, kind | SB_NET_REVERSE, &row), 0);
}

static const char *bound(const char *address, uint16_t port, bool udp, bool v6only)
{
	const struct sb_net_place name = place(address, port);
	const struct sb_net_socket socket = {.udp = udp, .v6only = v6only};
	struct sb_net_binding binding;
	const int err = sb_net_bind(&net, &name, &socket, &binding);

	if (err < 0)
		return err == -EADDRNOTAVAIL ? "EADDRNOTAVAIL" : "?";
	if (binding.native)
		return "native";
	return binding.later ? "later" : text(&binding.place);
}

static void test_sockets_are_bound_to_the_containers_own_places(void)
{
	start();
	CHECK_STR(bound("0.0.0.0", 8080, false, false), "127.80.1.2 8080");
	CHECK_STR(bound("127.0.0.1", 8080, false, false), "127.80.1.2 8080");
	CHECK_STR(bound("127.80.1.2", 8080, false, false), "127.80.1.2 8080");
	CHECK_STR(bound("0.0.0.0", 80, false, false), "127.80.1.2 64592");
	CHECK_STR(bound("::", 8080, false, false), "six 127.80.1.2 8080");
	CHECK_STR(bound("::", 8080, false, true), "::1 8080");
	CHECK_STR(bound("::1", 443, false, false), "::1 64955");
	CHECK_STR(bound("::ffff:127.0.0.1", 8080, false, false), "six 127.80.1.2 8080");
	CHECK_STR(bound("0.0.0.0", 0, true, false), "native");
	CHECK_STR(bound("0.0.0.0", 0, false, false), "later");
	CHECK_STR(bound("127.0.0.1", 0, false, false), "later");
	CHECK_STR(bound("127.0.0.2", 0, false, false), "later");
	CHECK_STR(bound("127.0.0.1", 0, true, false), "127.80.1.2 0");
	CHECK_STR(bound("127.81.0.1", 0, false, false), "127.80.1.2 0");
	CHECK_STR(bound("224.0.0.1", 5353, true, false), "native");
	CHECK_STR(bound("127.80.1.3", 8080, false, false), "EADDRNOTAVAIL");
	CHECK_STR(bound("127.80.1.1", 8080, false, false), "EADDRNOTAVAIL");
	CHECK_STR(bound("192.0.2.1", 8080, false, false), "EADDRNOTAVAIL");
	CHECK_STR(bound("2001:db8::1", 8080, false, false), "EADDRNOTAVAIL");
	note(SELF, 0, 5432, 61234, SB_NET_ANY);
	CHECK_STR(bound("0.0.0.0", 5432, false, false), "127.80.1.2 61234");
}

static void test_published_ports_are_bound_to_the_hosts_ports(void)
{
	start();
	CHECK_INT(sb_net_publish(table, SELF, false, 80, 0, 8081), 0);
	CHECK_INT(sb_net_publish(table, SELF, true, 53, LOCALHOST, 5353), 0);
	CHECK_INT(sb_net_publish(table, SELF, false, 80, 0, 8082), -EEXIST);
	CHECK_STR(bound("0.0.0.0", 80, false, false), "0.0.0.0 8081");
	CHECK_STR(bound("::", 80, false, false), "six 0.0.0.0 8081");
	CHECK_STR(bound("::", 80, false, true), "::1 64592");
	CHECK_STR(bound("127.80.1.2", 80, false, false), "0.0.0.0 8081");
	CHECK_STR(bound("127.0.0.1", 80, false, false), "127.80.1.2 64592");
	CHECK_STR(bound("0.0.0.0", 80, true, false), "127.80.1.2 64592");
	CHECK_STR(bound("0.0.0.0", 53, true, false), "127.0.0.1 5353");
	CHECK_STR(bound("::", 53, true, false), "six 127.0.0.1 5353");
	CHECK_INT(sb_net_unpublish(table, SELF, false, 80), 0);
	CHECK_INT(sb_net_unpublish(table, SELF, false, 80), -ENOENT);
	CHECK_STR(bound("0.0.0.0", 80, false, false), "127.80.1.2 64592");
}

static const char *led(uint16_t port, bool udp)
{
	struct sb_net_place out = {0};

	sb_net_lead(&net, udp, port, &out);
	return text(&out);
}

static void test_relays_lead_to_the_containers_servers(void)
{
	start();
	CHECK_INT(sb_net_publish(table, SELF, false, 82, 0, 8082), 0);
	CHECK_INT(sb_net_publish(table, SELF, false, 83, LOCALHOST, 8083), 0);
	note(SELF, 0, 80, 64592, SB_NET_ANY);
	note(SELF, 0, 81, 64593, SB_NET_LOOPBACK);
	note(SELF, 0, 82, 8082, SB_NET_ANY | SB_NET_PUBLISHED_PORT);
	note(SELF, 0, 83, 8083, SB_NET_ANY | SB_NET_PUBLISHED_PORT);
	note(SELF, SB_NET_UDP | SB_NET_V6, 53, 61000, SB_NET_ANY);
	note(SELF, SB_NET_UDP | SB_NET_V6, 54, 61001, SB_NET_LOOPBACK);
	CHECK_STR(led(80, false), "127.80.1.2 64592");
	CHECK_STR(led(81, false), "127.80.1.2 64512");
	CHECK_STR(led(82, false), "127.0.0.1 8082");
	CHECK_STR(led(83, false), "127.0.0.1 8083");
	CHECK_STR(led(84, false), "127.80.1.2 64512");
	CHECK_STR(led(53, true), "::1 61000");
	CHECK_STR(led(54, true), "127.80.1.2 64512");
}

static const char *reached(const char *address, uint16_t port, bool udp)
{
	const struct sb_net_place name = place(address, port);
	struct sb_net_target target;
	const int err = sb_net_reach(&net, &name, udp, &target);

	if (err < 0)
		return err == -EHOSTUNREACH ? "EHOSTUNREACH" : "ENETUNREACH";
	return text(&target.place);
}

static void test_connections_lead_to_the_servers_of_peers(void)
{
	start();
	note(SELF, 0, 80, 64592, SB_NET_ANY);
	note(PEER, 0, 80, 64592, SB_NET_ANY);
	note(PEER, 0, 81, 64593, SB_NET_LOOPBACK);
	note(PEER, 0, 82, 8082, SB_NET_ANY | SB_NET_PUBLISHED_PORT);
	note(STRANGER, 0, 80, 64592, SB_NET_ANY);
	CHECK_INT(sb_net_publish(table, PEER, false, 82, 0, 8082), 0);
	CHECK_STR(reached("127.0.0.1", 80, false), "127.80.1.2 64592");
	CHECK_STR(reached("0.0.0.0", 80, false), "127.80.1.2 64592");
	CHECK_STR(reached("::ffff:127.0.0.1", 80, false), "six 127.80.1.2 64592");
	CHECK_STR(reached("127.80.1.3", 80, false), "127.80.1.3 64592");
	CHECK_STR(reached("127.80.1.3", 82, false), "127.80.1.3 8082");
	/* No container listens there, even if a server of the host has these ports. */
	CHECK_STR(reached("127.0.0.1", 5432, false), "127.80.1.2 64512");
	CHECK_STR(reached("127.80.1.3", 5432, false), "127.80.1.3 64512");
	CHECK_STR(reached("127.80.1.3", 81, false), "127.80.1.3 64512");
	CHECK_STR(reached("::1", 80, false), "::1 64512");
	CHECK_STR(reached("127.80.2.2", 80, false), "EHOSTUNREACH");
	CHECK_STR(reached("127.80.1.1", 22, false), "127.0.0.1 22");
	CHECK_STR(reached("192.0.2.1", 80, false), "192.0.2.1 80");
	note(SELF, SB_NET_V6, 80, 61000, SB_NET_ANY);
	CHECK_STR(reached("::1", 80, false), "::1 61000");
	note(SELF, SB_NET_UDP | SB_NET_RELAY, 40000, 40000, 0);
	CHECK_STR(reached("127.80.1.1", 40000, true), "127.80.1.1 40000");
	CHECK_STR(reached("127.80.1.1", 40000, false), "127.0.0.1 40000");
	CHECK_STR(reached("127.80.1.1", 40001, true), "127.0.0.1 40001");
}

static void test_egress_is_limited_to_allowed_addresses(void)
{
	struct sb_net_state *state = calloc(1, sizeof(*state));
	uint64_t version;

	start();
	*state = *sb_net_state(table, SELF, &version);
	state->egress = SB_NET_EGRESS_LISTED;
	state->allowed_count = 2;
	memcpy(state->allowed[0].address, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\x02\x80", 16);
	state->allowed[0].prefix = 96 + 25;
	memcpy(state->allowed[1].address, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
	state->allowed[1].prefix = 128;
	state->allowed[1].port = 443;
	state->resolver_count = 1;
	memcpy(state->resolvers[0], "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\x35", 16);
	sb_net_put_state(table, SELF, state);
	CHECK_STR(reached("192.0.2.128", 80, false), "192.0.2.128 80");
	CHECK_STR(reached("192.0.2.127", 80, false), "ENETUNREACH");
	CHECK_STR(reached("2001:db8::1", 443, false), "2001:db8::1 443");
	CHECK_STR(reached("2001:db8::1", 80, false), "ENETUNREACH");
	CHECK_STR(reached("127.0.0.53", 53, true), "127.0.0.53 53");
	CHECK_STR(reached("127.0.0.53", 54, true), "127.80.1.2 64512");
	CHECK_STR(reached("127.80.1.1", 80, false), "ENETUNREACH");
	CHECK_STR(reached("127.80.1.3", 40000, false), "127.80.1.3 40000");
	state->egress = SB_NET_EGRESS_NONE;
	sb_net_put_state(table, SELF, state);
	CHECK_STR(reached("192.0.2.128", 80, false), "ENETUNREACH");
	CHECK_STR(reached("127.0.0.53", 53, true), "127.80.1.2 64512");
	free(state);
}

static const char *shown(const char *local, uint16_t port, const char *peer, uint16_t peer_port,
			 uint8_t how, bool want_peer)
{
	struct sb_net_ends ends = {.local = place(local, port), .bound = how};
	struct sb_net_place out;

	ends.connected = peer != NULL;
	if (peer != NULL)
		ends.peer = place(peer, peer_port);
	if (want_peer)
		sb_net_show_peer(&net, &ends, true, &out);
	else
		sb_net_show_local(&net, &ends, &out);
	return text(&out);
}

static void test_the_name_server_is_found_at_its_well_known_address(void)
{
	struct sb_net_state *state = calloc(1, sizeof(*state));
	struct sb_net_place name = place("127.0.0.11", 53);
	struct sb_net_place wide = place("::ffff:127.0.0.11", 53);
	struct sb_net_ends ends = {.udp = true, .connected = true};
	struct sb_net_target target;
	struct sb_net_place shown;
	uint64_t version;

	start();
	/* Without one, and in a container that has other servers, it is the loopback. */
	CHECK_INT(sb_net_reach(&net, &name, true, &target), 0);
	CHECK_STR(text(&target.place), "127.80.1.2 64512");
	table->name_server = (uint64_t)ADDRESS(0, 1) << 16 | 40000;
	CHECK_INT(sb_net_reach(&net, &name, true, &target), 0);
	CHECK_STR(text(&target.place), "127.80.1.2 64512");

	*state = *sb_net_state(table, SELF, &version);
	state->egress = SB_NET_EGRESS_NONE;
	sb_net_widen(&name, state->resolvers[0]);
	state->resolver_count = 1;
	sb_net_put_state(table, SELF, state);
	for (int udp = 0; udp < 2; udp++) {
		CHECK_INT(sb_net_reach(&net, &name, udp, &target), 0);
		CHECK_STR(text(&target.place), "127.80.0.1 40000");
		CHECK(target.from_base && target.changed);
		CHECK_INT(sb_net_reach(&net, &wide, udp, &target), 0);
		CHECK_STR(text(&target.place), "six 127.80.0.1 40000");
	}
	name.port = 54;
	CHECK_INT(sb_net_reach(&net, &name, false, &target), 0);
	CHECK_STR(text(&target.place), "127.80.1.2 64512");

	/* Its answers come from there. */
	ends.local = place("127.80.1.2", 45678);
	ends.peer = place("127.80.0.1", 40000);
	sb_net_show_peer(&net, &ends, true, &shown);
	CHECK_STR(text(&shown), "127.0.0.11 53");
	ends.peer = place("::ffff:127.80.0.1", 40000);
	sb_net_show_peer(&net, &ends, true, &shown);
	CHECK_STR(text(&shown), "six 127.0.0.11 53");
	ends.peer = place("127.80.0.1", 40001);
	sb_net_show_peer(&net, &ends, true, &shown);
	CHECK_STR(text(&shown), "127.80.0.1 40001");
	free(state);
}

static void test_programs_see_the_names_that_they_used(void)
{
	start();
	note(SELF, 0, 80, 64592, SB_NET_ANY);
	note(SELF, 0, 82, 8082, SB_NET_ANY | SB_NET_PUBLISHED_PORT);
	note(PEER, 0, 80, 64592, SB_NET_ANY);
	CHECK_STR(shown("127.80.1.2", 64592, NULL, 0, SB_NET_ANY, false), "0.0.0.0 80");
	CHECK_STR(shown("127.80.1.2", 64592, NULL, 0, SB_NET_LOOPBACK, false), "127.0.0.1 80");
	CHECK_STR(shown("127.80.1.2", 64592, NULL, 0, 0, false), "127.80.1.2 80");
	CHECK_STR(shown("127.80.1.2", 64592, "127.80.1.3", 40000, SB_NET_ANY, false),
		  "127.80.1.2 80");
	CHECK_STR(shown("127.80.1.2", 64592, "127.0.0.1", 40000, 0, false), "127.0.0.1 80");
	CHECK_STR(shown("127.80.1.2", 64592, "127.0.0.1", 40000, 0, true), "127.0.0.1 40000");
	CHECK_STR(shown("0.0.0.0", 8082, NULL, 0, SB_NET_ANY, false), "0.0.0.0 82");
	CHECK_STR(shown("127.0.0.1", 8082, "127.0.0.1", 40000, 0, false), "127.80.1.2 82");
	CHECK_STR(shown("127.0.0.1", 8082, "127.0.0.1", 40000, 0, true), "127.80.1.1 40000");
	CHECK_STR(shown("127.0.0.1", 40000, "127.0.0.1", 22, 0, false), "127.80.1.2 40000");
	CHECK_STR(shown("127.80.1.2", 64592, "127.0.0.2", 40000, 0, true), "127.0.0.2 40000");
	CHECK_STR(shown("10.0.0.5", 8082, "10.0.0.9", 40000, 0, true), "10.0.0.9 40000");
	CHECK_STR(shown("10.0.0.5", 40000, "192.0.2.1", 80, 0, false), "127.80.1.2 40000");
	CHECK_STR(shown("127.80.1.2", 40000, "127.80.1.3", 64592, 0, true), "127.80.1.3 80");
	CHECK_STR(shown("127.0.0.1", 40000, "127.80.1.2", 64592, 0, true), "127.0.0.1 80");
	note(SELF, 0, 83, 8083, SB_NET_LOOPBACK);
	CHECK_STR(shown("127.80.1.2", 64592, "127.80.1.2", 8083, 0, true), "127.0.0.1 83");
	CHECK_STR(shown("127.80.1.2", 8083, "127.80.1.2", 64592, 0, false), "127.0.0.1 83");
	CHECK_STR(shown("::ffff:127.80.1.2", 64592, NULL, 0, SB_NET_ANY, false), ":: 80");
	CHECK_STR(shown("2001:db8::5", 4000, "2001:db8::1", 80, 0, true), "2001:db8::1 80");
}

static const char *socket_line(const char *line)
{
	static char buf[512];
	struct sb_proc_out out = {.buf = buf, .max = sizeof(buf) - 1};

	sb_proc_socket_line(&net, false, 1000, line, strlen(line), &out);
	buf[out.len] = '\0';
	return buf;
}

static void test_socket_lists_show_the_containers_sockets(void)
{
	start();
	note(SELF, 0, 80, 64592, SB_NET_ANY);
	CHECK_STR(socket_line("  sl  local_address rem_address   st\n"),
		  "  sl  local_address rem_address   st\n");
	CHECK_STR(socket_line("   0: 0201507F:FC50 00000000:0000 0A 00000000:00000000 00:00000000 "
			      "00000000  1000        0 7 1\n"),
		  "   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 "
		  "00000000     0        0 7 1\n");
	CHECK_STR(socket_line("   0: 0201507F:FC50 00000000:0000 0A 00000000:00000000 00:00000000 "
			      "00000000  1001        0 7 1\n"),
		  "");
	CHECK_STR(socket_line("   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 "
			      "00000000  1000        0 7 1\n"),
		  "");
	CHECK_STR(socket_line("   1: 0100007F"), "");
	CHECK_STR(socket_line(""), "");
}

static void test_a_table_survives_many_changes(void)
{
	start();
	for (uint32_t round = 0; round < 20; round++) {
		for (uint32_t i = 0; i < 3000; i++)
			CHECK_INT(sb_net_put_endpoint(table, 0x7f600000U + i, 5, 9), 0);
		for (uint32_t i = 0; i < 3000; i++)
			CHECK(sb_net_endpoint(table, 0x7f600000U + i) != 0);
		for (uint32_t i = 0; i < 3000; i++)
			CHECK_INT(sb_net_drop_endpoint(table, 0x7f600000U + i), 0);
	}
	CHECK(sb_net_endpoint(table, 0x7f600000U) == 0);
	CHECK(sb_net_endpoint(table, GATEWAY) != 0);
	CHECK_INT(sb_net_check(table, sizeof(*table)), -EINVAL);
	CHECK_INT(sb_net_check(table, 8), -EINVAL);
	CHECK_INT(sb_net_check_ports(ports, sizeof(*ports)), -EINVAL);
}

/* Random requests get complete answers or none. */
static void test_random_netlink_requests_get_complete_answers(void)
{
	unsigned char out[4096];

	start();
	srand(1);
	for (int round = 0; round < 200000; round++) {
		unsigned char *request = malloc(64);
		const uint32_t len = (uint32_t)rand() % 65;
		struct sb_link_header head = {
			.len = rand() % 4 == 0 ? (uint32_t)rand() % 80 : len,
			.type = (uint16_t)(RTM_BASE + rand() % 24),
			.flags = (uint16_t)(NLM_F_REQUEST | (rand() % 2 ? NLM_F_DUMP : 0)),
		};
		int made;

		for (uint32_t i = 0; i < 64; i++)
			request[i] = (unsigned char)(rand() % 3 == 0 ? rand() : 0);
		memcpy(request, &head, sizeof(head));
		request = realloc(request, len + 1);
		made = sb_link_answer(&net, request, len, 7, round % 2, out, sizeof(out));
		for (int at = 0; at < made;) {
			memcpy(&head, out + at, sizeof(head));
			CHECK(head.len >= sizeof(head) && (int)head.len <= made - at);
			at += (int)(head.len + 3) & ~3;
		}
		free(request);
	}
	CHECK_INT(sb_link_answer(&net, out, 0, 7, false, out, sizeof(out)), 0);
}

static void test_random_lines_of_socket_lists_do_not_overflow(void)
{
	static const char alphabet[] = "0123456789ABCDEF::  \nabcxyz";

	srand(2);
	for (int round = 0; round < 200000; round++) {
		const size_t len = (size_t)rand() % 120;
		char *line = malloc(len + 1);
		char buf[200];
		struct sb_proc_out out = {.buf = buf, .max = sizeof(buf)};

		for (size_t i = 0; i < len; i++)
			line[i] = alphabet[(size_t)rand() % (sizeof(alphabet) - 1)];
		line = realloc(line, len + (len == 0));
		sb_proc_socket_line(&net, round % 2 == 0, 0, line, len, &out);
		CHECK(out.len <= sizeof(buf));
		free(line);
	}
}

int main(void)
{
	test_sockets_are_bound_to_the_containers_own_places();
	test_published_ports_are_bound_to_the_hosts_ports();
	test_relays_lead_to_the_containers_servers();
	test_connections_lead_to_the_servers_of_peers();
	test_egress_is_limited_to_allowed_addresses();
	test_the_name_server_is_found_at_its_well_known_address();
	test_programs_see_the_names_that_they_used();
	test_socket_lists_show_the_containers_sockets();
	test_a_table_survives_many_changes();
	test_random_netlink_requests_get_complete_answers();
	test_random_lines_of_socket_lists_do_not_overflow();
	free(table);
	free(ports);
	return 0;
}
