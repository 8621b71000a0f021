/* SPDX-License-Identifier: MIT */
/*
 * inet.c - bind, connect and send of a container with addresses of its own.
 *
 * How it works
 *   net_rules.c decides; this file carries the decision out. How a socket was bound (to any
 *   address, or to the loopback) is marked in two options of the socket, IP_FREEBIND and
 *   IP_BIND_ADDRESS_NO_PORT, which have no effect once it is bound. So the mark goes wherever the
 *   socket goes: through fork, execve and SCM_RIGHTS. Both options together say that the program
 *   has bound the socket to any address and port, and the kernel has not bound it yet.
 * Rules
 *   Outside of a commit section the steps before the final call may be made twice: a signal rolls
 *   the call back to the guest's instruction.
 */
#include "calls/net/inet.h"

#include <errno.h>
#include <sys/socket.h>
#include <time.h>

#include "calls/net/net_log.h"
#include "calls/net/peer_user.h"

#define IP_PKTINFO_TYPE 8
#define IPV6_PKTINFO_TYPE 50

/* ---- facts about a socket ----------------------------------------------- */

int sb_net_option(int fd, int level, int option)
{
	int value = 0;
	uint32_t len = sizeof(value);
	const long ret =
		sb_syscall(__NR_getsockopt, fd, level, option, SB_P(&value), SB_P(&len), 0);

	return ret < 0 ? (int)ret : value;
}

static void set_option(int fd, int option, int value)
{
	sb_syscall(__NR_setsockopt, fd, SB_SOL_IP, option, SB_P(&value), sizeof(value), 0);
}

static void set_mark(int fd, uint32_t bound)
{
	set_option(fd, SB_IP_FREEBIND, bound == SB_NET_ANY);
	set_option(fd, SB_IP_BIND_ADDRESS_NO_PORT, bound == SB_NET_LOOPBACK);
}

bool sb_net_read_local(int fd, struct sb_net_place *out)
{
	struct sb_socket_name name = {.len = SB_SOCKET_NAME_MAX};

	return sb_syscall(__NR_getsockname, fd, SB_P(name.bytes), SB_P(&name.len), 0, 0, 0) == 0 &&
	       sb_net_place_read(name.bytes, name.len, out);
}

/* ---- bind --------------------------------------------------------------- */

static long try_bind(int fd, struct sb_socket_name *name, const struct sb_net_place *place)
{
	sb_net_place_write(place, name->bytes);
	return sb_syscall(__NR_bind, fd, SB_P(name->bytes), name->len, 0, 0, 0);
}

/* Bind to a free port that cannot be foreseen. */
static long bind_spare(int fd, struct sb_socket_name *name, struct sb_net_binding *binding)
{
	const uint32_t count = SB_NET_SPARE_LAST - SB_NET_SPARE_FIRST + 1;
	struct sb_timespec now = {0, 0};
	long ret = -EADDRINUSE;

	sys_clock_gettime(CLOCK_MONOTONIC, &now);
	for (uint32_t i = 0; i < count && ret == -EADDRINUSE; i++) {
		binding->place.port =
			(uint16_t)(SB_NET_SPARE_FIRST + ((uint32_t)now.nsec / 64 + i) % count);
		ret = try_bind(fd, name, &binding->place);
	}
	return ret;
}

/* Return an address of this container to which nothing is bound for longer than a question
 * takes. */
static uint32_t question_address(const struct sb_net *net)
{
	return SB_NET_QUESTIONS | (net->base & 0xffff);
}

/* The address and port are taken. Is it by a socket of the container, at the port that it asked
 * for? A socket of the machine at 0.0.0.0 takes a port at every address. Ports that the kernel
 * chose are not noted. */
static bool is_taken_inside(const struct sb_net *net, int fd, const struct sb_net_binding *binding,
			    uint16_t port)
{
	static const int options[] = {SO_REUSEADDR, SO_REUSEPORT};
	struct sb_socket_name name = {.len = binding->place.wide ? 28 : 16};
	struct sb_net_place place = binding->place;
	struct sb_net_port row;
	int type = binding->kind & SB_NET_UDP ? SOCK_DGRAM : SOCK_STREAM;
	int question;
	long ret;

	if (place.is_v6 || place.port != port ||
	    sb_net_find_port(net->ports, net->self, binding->kind | SB_NET_REVERSE, port, &row))
		return false;
	name.family = place.wide ? AF_INET6 : AF_INET;
	question = (int)sb_syscall(__NR_socket, name.family, type | SOCK_CLOEXEC, 0, 0, 0, 0);
	if (question < 0)
		return false;
	for (size_t i = 0; i < SB_ARRAY_LEN(options); i++) {
		int value = sb_net_option(fd, SOL_SOCKET, options[i]);

		sb_syscall(__NR_setsockopt, question, SOL_SOCKET, options[i], SB_P(&value),
			   sizeof(value), 0);
	}
	sb_net_set_v4(&place, question_address(net), port);
	ret = try_bind(question, &name, &place);
	sys_close(question);
	return ret == 0;
}

static int note(const struct sb_net *net, int fd, const struct sb_net_binding *binding,
		uint16_t port)
{
	struct sb_net_port row = {port, binding->place.port, binding->flags};
	struct sb_net_place local;
	int err;

	if (port == 0) {
		if (!sb_net_read_local(fd, &local))
			return 0;
		row.port = local.port;
		row.value = local.port;
	}
	err = sb_net_put_port(net->ports, net->self, binding->kind, &row);
	if (err < 0 || (row.value == row.port && (binding->flags & SB_NET_PUBLISHED_PORT) == 0))
		return port == 0 ? 0 : err;
	row = (struct sb_net_port){binding->place.port, port, binding->flags};
	return sb_net_put_port(net->ports, net->self, binding->kind | SB_NET_REVERSE, &row);
}

static long bind_now(struct sb_call *call, const struct sb_net *net, int fd,
		     struct sb_socket_name *name, uint16_t port, struct sb_net_binding *binding)
{
	long ret;

	sb_commit_begin(call->fs);
	ret = binding->spare ? -EADDRINUSE : try_bind(fd, name, &binding->place);
	if (ret == -EADDRINUSE && !binding->fixed && (port != 0 || binding->spare) &&
	    (binding->spare || !is_taken_inside(net, fd, binding, port)))
		ret = bind_spare(fd, name, binding);
	if (ret == 0 && binding->note && note(net, fd, binding, port) < 0)
		ret = -ENOBUFS;
	if (ret == 0)
		set_mark(fd, binding->flags & (SB_NET_ANY | SB_NET_LOOPBACK));
	sb_commit_end(call->fs);
	return ret;
}

/* Was it bound to an address of the loopback without a port? Until it is connected the kernel has
 * no port for it, and it can be bound again. */
static bool is_client_of_loopback(const struct sb_net *net, int fd, struct sb_net_place *local)
{
	return sb_net_read_local(fd, local) && sb_net_is_near(local) && local->v4 != net->base;
}

bool sb_net_is_bound_later(const struct sb_net *net, int fd)
{
	struct sb_net_place local;

	return sb_net_option(fd, SB_SOL_IP, SB_IP_BIND_ADDRESS_NO_PORT) == 1 &&
	       (sb_net_option(fd, SB_SOL_IP, SB_IP_FREEBIND) == 1 ||
		is_client_of_loopback(net, fd, &local));
}

static long bind_natively(struct sb_call *call, int fd, const struct sb_socket_name *name)
{
	return sb_guest_block(call, __NR_bind, fd, SB_P(name->bytes), name->len, 0, 0, 0);
}

/* Only a socket of that family without an address can be bound. */
static long bind_later(struct sb_call *call, const struct sb_net *net, int fd,
		       struct sb_socket_name *name, const struct sb_net_place *place)
{
	struct sb_net_place local;

	if (sb_net_option(fd, SOL_SOCKET, SO_DOMAIN) != name->family ||
	    !sb_net_read_local(fd, &local) || local.port != 0)
		return bind_natively(call, fd, name);
	if (sb_net_is_bound_later(net, fd))
		return -EINVAL;
	sb_commit_begin(call->fs); /* a second time it would be bound already */
	set_option(fd, SB_IP_FREEBIND, sb_net_is_any(place));
	set_option(fd, SB_IP_BIND_ADDRESS_NO_PORT, 1);
	return sb_net_is_any(place) ? 0 : try_bind(fd, name, place);
}

static int describe(int fd, bool wide, struct sb_net_socket *out)
{
	const int type = sb_net_option(fd, SOL_SOCKET, SO_TYPE);

	out->udp = type != SOCK_STREAM;
	out->v6only = wide && sb_net_option(fd, SB_SOL_IPV6, SB_IPV6_V6ONLY) == 1;
	return type < 0 ? type : 0;
}

long sb_net_on_bind(struct sb_call *call, int fd, struct sb_socket_name *name)
{
	struct sb_net_binding binding;
	struct sb_net_socket socket = {0};
	struct sb_net_place place;
	struct sb_net net;
	const bool is_place = sb_net_place_read(name->bytes, name->len, &place);
	long ret = describe(fd, is_place && place.wide, &socket);

	if (ret == 0)
		ret = sb_net_get(call, &net);
	if (ret < 0)
		return ret;
	if (!is_place)
		return bind_natively(call, fd, name);
	if (place.wide && sb_net_option(fd, SOL_SOCKET, SO_DOMAIN) == AF_INET)
		return -EAFNOSUPPORT; /* Landlock would say EINVAL */
	ret = sb_net_bind(&net, &place, &socket, &binding);
	if (ret < 0)
		return ret;
	if (binding.native)
		return bind_natively(call, fd, name);
	if (binding.later)
		return bind_later(call, &net, fd, name, &place);
	if (!socket.udp && sb_net_is_bound_later(&net, fd))
		return -EINVAL;
	return bind_now(call, &net, fd, name, place.port, &binding);
}

void sb_net_settle(struct sb_call *call, int fd)
{
	const int family = sb_net_option(fd, SOL_SOCKET, SO_DOMAIN);
	struct sb_socket_name name = {.len = family == AF_INET6 ? 28 : 16};
	struct sb_net_socket socket = {.now = true};
	struct sb_net_binding binding;
	struct sb_net_place local;
	struct sb_net_place place;
	struct sb_net net;

	name.family = (unsigned short)family;
	if ((family != AF_INET && family != AF_INET6) ||
	    !sb_net_place_read(name.bytes, name.len, &place) ||
	    describe(fd, place.wide, &socket) < 0 || socket.udp || sb_net_get(call, &net) < 0)
		return;
	if (is_client_of_loopback(&net, fd, &local))
		sb_net_set_v4(&place, local.v4, 0);
	if (sb_net_bind(&net, &place, &socket, &binding) < 0)
		return;
	sb_commit_begin(call->fs); /* half a mark would say that it is not bound */
	set_option(fd, SB_IP_BIND_ADDRESS_NO_PORT, 0); /* with it the socket gets no port */
	/* On an error the call that follows fails, too, or the name is not known. */
	if (bind_now(call, &net, fd, &name, 0, &binding) < 0)
		return;
}

void sb_net_on_listen(struct sb_call *call, int fd)
{
	struct sb_net_place local;
	struct sb_net net;

	/* After a failed connect the socket still shows the port, which is no longer its own. */
	if (sb_net_read_local(fd, &local) &&
	    (local.port == 0 || (sb_net_get(call, &net) == 0 && sb_net_is_bound_later(&net, fd))))
		sb_net_settle(call, fd);
}

/* ---- connect ------------------------------------------------------------ */

/* Bind a socket without an address to the container's, so that the other side sees which container
 * calls. */
static void bind_source(uint32_t source, int fd, bool wide, bool udp)
{
	struct sb_socket_name name = {.len = wide ? 28 : 16};
	const struct sb_net_place base = {.wide = wide, .v4 = source};

	name.family = wide ? AF_INET6 : AF_INET;
	if (!udp)
		set_option(fd, SB_IP_BIND_ADDRESS_NO_PORT, 1);
	try_bind(fd, &name, &base);
}

/* Does no socket of the machine have this port at 0.0.0.0? Such a socket would receive what is sent
 * to the port. */
static bool is_free_everywhere(uint16_t port)
{
	struct sb_socket_name name = {.family = AF_INET, .len = 16};
	struct sb_net_place place = {0};
	struct sb_timespec now = {0, 0};
	const int question =
		(int)sb_syscall(__NR_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0, 0, 0, 0);
	long ret;

	if (question < 0)
		return false;
	sys_clock_gettime(CLOCK_MONOTONIC,
			  &now); /* so that two questions at once do not disturb each other */
	sb_net_set_v4(&place, SB_NET_QUESTIONS | ((uint32_t)now.nsec & 0xffff), port);
	ret = try_bind(question, &name, &place);
	sys_close(question);
	return ret == 0;
}

/* On the machine's 127.0.0.1 a datagram socket of the container meets both the machine's sockets
 * and those of the container at ports that the kernel chose. A socket without an address notes
 * which one was meant, to name the sender of an answer. */
static void note_way(const struct sb_net *net, int fd, const struct sb_net_target *target)
{
	struct sb_net_place local;

	if ((!target->is_loopback && !target->is_gateway) || target->place.is_v6 ||
	    !sb_net_read_local(fd, &local) || (!local.is_v6 && local.v4 == net->base))
		return;
	set_option(fd, SB_IP_FREEBIND, target->is_gateway);
	set_option(fd, SB_IP_BIND_ADDRESS_NO_PORT, target->is_loopback);
}

/* Connect a datagram socket to the place where a server will be, as it may come later. */
static void aim(const struct sb_net *net, int fd, struct sb_net_target *target)
{
	const struct sb_net_place *awaited = &target->awaited;

	if (awaited->port != 0 && is_free_everywhere(awaited->port))
		sb_net_set_v4(&target->place, awaited->v4, awaited->port);
	note_way(net, fd, target);
}

static bool is_bound_to_base(const struct sb_net *net, int fd)
{
	struct sb_net_place local;

	return sb_net_read_local(fd, &local) && !local.is_v6 && local.v4 == net->base;
}

long sb_net_on_connect(struct sb_call *call, int fd, struct sb_socket_name *name)
{
	const int type = sb_net_option(fd, SOL_SOCKET, SO_TYPE);
	const bool udp = type != SOCK_STREAM;
	struct sb_net_target target = {0};
	struct sb_net_place place;
	struct sb_net net;
	long ret = type < 0 ? type : sb_net_get(call, &net);

	if (ret < 0)
		return ret;
	if (!sb_net_place_read(name->bytes, name->len, &place))
		return sb_guest_block(call, __NR_connect, fd, SB_P(name->bytes), name->len, 0, 0,
				      0);
	ret = sb_net_reach(&net, &place, udp, &target);
	if (ret == 0 && !udp && target.changed && !target.is_gateway &&
	    sb_net_is_impostor(call, &target.place))
		ret = -ECONNREFUSED;
	if (ret == 0) {
		if (target.from_base || target.from_six)
			bind_source(target.from_base ? net.base : SB_NET_SIX, fd, place.wide, udp);
		if (udp)
			aim(&net, fd, &target);
		sb_net_place_write(&target.place, name->bytes);
		ret = sb_guest_block(call, __NR_connect, fd, SB_P(name->bytes), name->len, 0, 0, 0);
	}
	if (ret == -EINVAL && target.is_outside && is_bound_to_base(&net, fd))
		ret = -ENETUNREACH;
	sb_net_log(call, &(struct sb_net_event){"connect", udp, fd, &place, ret});
	return ret;
}

/* ---- send --------------------------------------------------------------- */

int sb_net_on_send(struct sb_call *call, int fd, struct sb_socket_name *name,
		   struct sb_net_route *out)
{
	const int type = sb_net_option(fd, SOL_SOCKET, SO_TYPE);
	const bool udp = type != SOCK_STREAM;
	struct sb_net_target target;
	struct sb_net_place local;
	struct sb_net_place place;
	struct sb_net net;
	int err = type < 0 ? type : sb_net_get(call, &net);

	*out = (struct sb_net_route){0};
	if (err < 0)
		return err;
	if (!sb_net_place_read(name->bytes, name->len, &place))
		return 0;
	err = sb_net_reach(&net, &place, udp, &target);
	if (err < 0) {
		sb_net_log(call, &(struct sb_net_event){"send", udp, -1, &place, err});
		return err;
	}
	out->is_datagram = udp;
	out->place = place;
	sb_net_place_write(&target.place, name->bytes);
	if (!udp || !sb_net_read_local(fd, &local) || target.place.is_v6)
		return 0;
	note_way(&net, fd, &target);
	out->from_own = target.is_outside && !local.is_v6 && local.v4 == net.base;
	if (target.from_base && (local.is_v6 || local.v4 == 0))
		out->source = net.base;
	return 0;
}

long sb_net_sent(struct sb_call *call, const struct sb_net_route *route, long ret)
{
	if (ret == -EINVAL && route->from_own)
		ret = -ENETUNREACH;
	if (route->is_datagram)
		sb_net_log(call, &(struct sb_net_event){"send", true, -1, &route->place, ret});
	return ret;
}

struct control { /* struct cmsghdr */
	uint64_t len;
	int32_t level;
	int32_t type;
};

struct packet_info { /* struct in_pktinfo */
	int32_t interface;
	uint32_t source;
	uint32_t destination;
};

void sb_net_source_control(const struct sb_net_route *route, unsigned char out[SB_NET_CONTROL_SIZE])
{
	const struct control header = {sizeof(struct control) + sizeof(struct packet_info),
				       SB_SOL_IP, IP_PKTINFO_TYPE};
	const struct packet_info info = {.source = __builtin_bswap32(route->source)};

	memset(out, 0, SB_NET_CONTROL_SIZE);
	memcpy(out, &header, sizeof(header));
	memcpy(out + sizeof(header), &info, sizeof(info));
}

bool sb_net_has_source(const void *control, uint64_t len)
{
	const char *at = control;
	struct control header;

	while (len >= sizeof(header)) {
		memcpy(&header, at, sizeof(header));
		if ((header.level == SB_SOL_IP && header.type == IP_PKTINFO_TYPE) ||
		    (header.level == SB_SOL_IPV6 && header.type == IPV6_PKTINFO_TYPE))
			return true;
		if (header.len < sizeof(header) || ((header.len + 7) & ~7ULL) > len)
			return false;
		at += (header.len + 7) & ~7ULL;
		len -= (header.len + 7) & ~7ULL;
	}
	return false;
}
