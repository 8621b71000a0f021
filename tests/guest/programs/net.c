/* SPDX-License-Identifier: MIT */
/*
 * net.c - IPv4 and IPv6 sockets on one machine: what is bound, named and reached.
 *
 *   net tcp|udp|six|both|errors|options|pass|taken PORT
 *
 * PORT and the 19 ports above it are free and not privileged; nothing ever listens at the last
 * one. Addresses are printed as the program asked for them; ports that the kernel chose are not.
 */
#include "see.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#define NOBODY (base_port + 19)
#define PATIENCE 30000 /* milliseconds: enough on a busy machine; an idle one answers at once */

static int base_port;

/* Print a port that the kernel chose as "eph". */
static const char *name_text(const struct sockaddr_storage *name)
{
	static char text[4][128];
	static unsigned turn;
	char *chosen = text[turn++ % 4];
	char address[INET6_ADDRSTRLEN] = "?";
	int port = 0;

	if (name->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)name;

		inet_ntop(AF_INET, &in->sin_addr, address, sizeof(address));
		port = ntohs(in->sin_port);
	} else if (name->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)name;

		inet_ntop(AF_INET6, &in6->sin6_addr, address, sizeof(address));
		port = ntohs(in6->sin6_port);
	} else {
		snprintf(address, sizeof(address), "family %d", name->ss_family);
	}
	if (port >= base_port && port < base_port + 100)
		snprintf(chosen, sizeof(text[0]), "%s +%d", address, port - base_port);
	else
		snprintf(chosen, sizeof(text[0]), "%s %s", address, port == 0 ? "0" : "eph");
	return chosen;
}

static socklen_t make_name(struct sockaddr_storage *out, const char *address, int port)
{
	struct sockaddr_in *in = (void *)out;
	struct sockaddr_in6 *in6 = (void *)out;

	memset(out, 0, sizeof(*out));
	if (strchr(address, ':') == NULL) {
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)port);
		inet_pton(AF_INET, address, &in->sin_addr);
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons((uint16_t)port);
	inet_pton(AF_INET6, address, &in6->sin6_addr);
	return sizeof(*in6);
}

static int bind_to(int fd, const char *address, int port)
{
	struct sockaddr_storage name;
	const socklen_t len = make_name(&name, address, port);

	return bind(fd, (struct sockaddr *)&name, len);
}

static int connect_to(int fd, const char *address, int port)
{
	struct sockaddr_storage name;
	const socklen_t len = make_name(&name, address, port);

	return connect(fd, (struct sockaddr *)&name, len);
}

static const char *local_of(int fd)
{
	struct sockaddr_storage name = {0};
	socklen_t len = sizeof(name);

	if (getsockname(fd, (struct sockaddr *)&name, &len) != 0)
		return error_name(errno);
	return name_text(&name);
}

static const char *peer_of(int fd)
{
	struct sockaddr_storage name = {0};
	socklen_t len = sizeof(name);

	if (getpeername(fd, (struct sockaddr *)&name, &len) != 0)
		return error_name(errno);
	return name_text(&name);
}

static int port_of(int fd)
{
	struct sockaddr_in6 name = {0};
	socklen_t len = sizeof(name);

	MUST(getsockname(fd, (struct sockaddr *)&name, &len));
	return ntohs(name.sin6_port); /* at the same place in sockaddr_in */
}

static int make(int family, int type)
{
	return (int)MUST(socket(family, type | SOCK_CLOEXEC, 0));
}

static int make_six(int type, int only)
{
	int fd = make(AF_INET6, type);

	MUST(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)));
	return fd;
}

/* ---- TCP ---------------------------------------------------------------- */

static void talk(int listener, int family, const char *to, int port)
{
	struct sockaddr_storage name = {0};
	socklen_t len = sizeof(name);
	int client = make(family, SOCK_STREAM);
	char byte = 0;
	int server;

	if (connect_to(client, to, port) != 0) {
		say("connect to %s: %s", to, error_name(errno));
		close(client);
		return;
	}
	server = (int)MUST(accept4(listener, (struct sockaddr *)&name, &len, SOCK_CLOEXEC));
	say("connect to %s: client %s -> %s", to, local_of(client), peer_of(client));
	say("  accepted from %s (length %d)", name_text(&name), (int)len);
	say("  server %s <- %s", local_of(server), peer_of(server));
	say("  same port: %d", port_of(client) == ntohs(((struct sockaddr_in *)&name)->sin_port));
	MUST(write(client, "x", 1));
	MUST(read(server, &byte, 1));
	say("  byte %c", byte);
	close(client);
	close(server);
}

static void tcp(void)
{
	static const char *const binds[] = {"0.0.0.0", "127.0.0.1"};

	for (size_t i = 0; i < COUNT(binds); i++) {
		int fd = make(AF_INET, SOCK_STREAM);
		const int port = base_port + (int)i;

		say("unbound: %s", local_of(fd));
		SEE(bind_to(fd, binds[i], port));
		say("bound: %s", local_of(fd));
		SEE(bind_to(fd, binds[i], port + 10));
		SEE(listen(fd, 5));
		say("listening: %s, peer %s", local_of(fd), peer_of(fd));
		talk(fd, AF_INET, "127.0.0.1", port);
		talk(fd, AF_INET, "0.0.0.0", port);
		talk(fd, AF_INET6, "::ffff:127.0.0.1", port);
		talk(fd, AF_INET6, "::1", port);
		close(fd);
	}
}

static void tcp_chosen(void)
{
	static const char *const binds[] = {"0.0.0.0", "127.0.0.1", "::", "::1"};

	for (size_t i = 0; i < COUNT(binds); i++) {
		const int family = i < 2 ? AF_INET : AF_INET6;
		int fd = make(family, SOCK_STREAM);

		MUST(bind_to(fd, binds[i], 0));
		say("bound: %s", local_of(fd));
		MUST(listen(fd, 5));
		say("listening: %s", local_of(fd));
		talk(fd, AF_INET, "127.0.0.1", port_of(fd));
		talk(fd, AF_INET6, "::1", port_of(fd));
		close(fd);
	}
}

/* ---- UDP ---------------------------------------------------------------- */

static void exchange(int server, int family, const char *to, int port, bool connected)
{
	struct sockaddr_storage name = {0};
	struct sockaddr_storage to_name;
	const socklen_t to_len = make_name(&to_name, to, port);
	socklen_t len = sizeof(name);
	int client = make(family, SOCK_DGRAM);
	struct pollfd wait = {.fd = client, .events = POLLIN};
	char text[16] = "";

	if (connected) {
		MUST(connect_to(client, to, port));
		say("connected to %s: %s -> %s", to, local_of(client), peer_of(client));
		if (send(client, "ask", 3, 0) != 3)
			say("send: %s", error_name(errno));
	} else if (sendto(client, "ask", 3, 0, (struct sockaddr *)&to_name, to_len) != 3) {
		say("sendto %s: %s", to, error_name(errno));
		close(client);
		return;
	}
	wait.fd = server;
	if (poll(&wait, 1, PATIENCE) != 1) {
		say("sent to %s: nothing arrives", to);
		close(client);
		return;
	}
	MUST(recvfrom(server, text, sizeof(text), 0, (struct sockaddr *)&name, &len));
	say("sent to %s: server got %s, port is the client's: %d", to, text,
	    ntohs(((struct sockaddr_in *)&name)->sin_port) == port_of(client));
	MUST(sendto(server, "tell", 4, 0, (struct sockaddr *)&name, len));
	wait.fd = client;
	if (poll(&wait, 1, PATIENCE) != 1) {
		say("no answer");
	} else {
		struct iovec vector = {text, sizeof(text)};
		struct msghdr message = {.msg_name = &name,
					 .msg_namelen = sizeof(name),
					 .msg_iov = &vector,
					 .msg_iovlen = 1};

		memset(&name, 0, sizeof(name));
		MUST(recvmsg(client, &message, 0));
		say("  client got %.4s from %s (length %d)", text, name_text(&name),
		    (int)message.msg_namelen);
	}
	close(client);
}

static void udp(void)
{
	static const char *const binds[] = {"0.0.0.0", "127.0.0.1"};

	for (size_t i = 0; i < COUNT(binds); i++) {
		int fd = make(AF_INET, SOCK_DGRAM);
		const int port = base_port + (int)i;

		SEE(bind_to(fd, binds[i], port));
		say("bound: %s", local_of(fd));
		exchange(fd, AF_INET, "127.0.0.1", port, false);
		exchange(fd, AF_INET, "127.0.0.1", port, true);
		exchange(fd, AF_INET6, "::ffff:127.0.0.1", port, false);
		close(fd);
		fd = make(AF_INET, SOCK_DGRAM);
		MUST(bind_to(fd, binds[i], 0));
		exchange(fd, AF_INET, "127.0.0.1", port_of(fd), false);
		exchange(fd, AF_INET, "127.0.0.1", port_of(fd), true);
		close(fd);
	}
}

static void udp_many(void)
{
	struct sockaddr_storage name;
	const socklen_t len = make_name(&name, "127.0.0.1", base_port);
	struct sockaddr_storage from[2];
	char text[2][8] = {"", ""};
	struct iovec vectors[2] = {{"one", 3}, {"two", 3}};
	struct mmsghdr many[2];
	int server = make(AF_INET, SOCK_DGRAM);
	int client = make(AF_INET, SOCK_DGRAM);

	MUST(bind_to(server, "0.0.0.0", base_port));
	MUST(bind_to(client, "127.0.0.1", base_port + 1));
	memset(many, 0, sizeof(many));
	for (int i = 0; i < 2; i++) {
		many[i].msg_hdr.msg_name = &name;
		many[i].msg_hdr.msg_namelen = len;
		many[i].msg_hdr.msg_iov = &vectors[i];
		many[i].msg_hdr.msg_iovlen = 1;
	}
	SEE(sendmmsg(client, many, 2, 0));
	for (int i = 0; i < 2; i++) {
		vectors[i].iov_base = text[i];
		vectors[i].iov_len = sizeof(text[i]) - 1;
		many[i].msg_hdr.msg_name = &from[i];
		many[i].msg_hdr.msg_namelen = sizeof(from[i]);
	}
	SEE(recvmmsg(server, many, 2, 0, NULL));
	for (int i = 0; i < 2; i++)
		say("%s", text[i]);
	say("%d %d", (int)many[0].msg_hdr.msg_namelen, (int)many[1].msg_len);
}

/* ---- IPv6 --------------------------------------------------------------- */

static void six(void)
{
	static const struct {
		const char *address;
		int only;
	} binds[] = {{"::", 0}, {"::", 1}, {"::1", 0}, {"::1", 1}, {"::ffff:127.0.0.1", 0}};

	for (size_t i = 0; i < COUNT(binds); i++) {
		int fd = make_six(SOCK_STREAM, binds[i].only);
		const int port = base_port + (int)i;

		say("%s, IPv6 only: %d", binds[i].address, binds[i].only);
		SEE(bind_to(fd, binds[i].address, port));
		say("bound: %s", local_of(fd));
		SEE(listen(fd, 5));
		say("listening: %s", local_of(fd));
		talk(fd, AF_INET, "127.0.0.1", port);
		talk(fd, AF_INET6, "::1", port);
		close(fd);
	}
}

/* Like nginx and postgres: one port, with a socket for each family. */
static void both(void)
{
	static const char *const pairs[][2] = {
		{"0.0.0.0", "::"}, {"127.0.0.1", "::1"}, {"0.0.0.0", "::1"}};

	for (size_t i = 0; i < COUNT(pairs); i++) {
		const int port = base_port + (int)i;
		int four = make(AF_INET, SOCK_STREAM);
		int only = make_six(SOCK_STREAM, 1);
		int dual = make_six(SOCK_STREAM, 0);

		say("%s and %s", pairs[i][0], pairs[i][1]);
		SEE(bind_to(four, pairs[i][0], port));
		SEE(bind_to(only, pairs[i][1], port));
		SEE(listen(four, 5));
		SEE(listen(only, 5));
		SEE(bind_to(dual, "::ffff:127.0.0.1", port));
		talk(four, AF_INET, "127.0.0.1", port);
		talk(only, AF_INET6, "::1", port);
		say("%s, %s", local_of(four), local_of(only));
		close(four);
		close(only);
		close(dual);
	}
}

/* ---- errors ------------------------------------------------------------- */

static void errors(void)
{
	struct sockaddr_storage name;
	socklen_t len = make_name(&name, "127.0.0.1", base_port);
	int stream = make(AF_INET, SOCK_STREAM);
	int other = make(AF_INET, SOCK_STREAM);
	int datagram = make(AF_INET, SOCK_DGRAM);
	int six_socket = make(AF_INET6, SOCK_STREAM);
	struct sockaddr *to = (struct sockaddr *)&name;

	SEE(connect_to(stream, "127.0.0.1", NOBODY));
	SEE(listen(datagram, 1));
	SEE(bind(stream, to, 3));
	SEE(bind(stream, to, 15));
	SEE(bind(stream, to, 1000));
	SEE(bind(stream, NULL, 16));
	SEE(bind(-1, to, len));
	SEE(bind(0, to, len));
	SEE(connect(-1, to, len));
	SEE(connect(0, to, len));
	SEE(connect(stream, to, 7));
	SEE(connect(stream, (struct sockaddr *)8, len));
	SEE(bind_to(stream, "192.0.2.7", base_port));
	SEE(bind_to(stream, "::1", base_port));
	SEE(bind_to(six_socket, "127.0.0.1", base_port));
	SEE(bind_to(six_socket, "2001:db8::7", base_port));
	SEE(bind_to(stream, "127.0.0.1", base_port));
	SEE(bind_to(stream, "127.0.0.1", base_port + 1));
	SEE(listen(stream, 1));
	SEE(bind_to(other, "0.0.0.0", base_port));
	SEE(bind_to(other, "127.0.0.1", base_port));
	SEE(connect_to(other, "127.0.0.1", base_port));
	SEE(connect_to(other, "127.0.0.1", base_port));
	SEE(sendto(datagram, "x", 1, 0, to, 2));
	SEE(sendto(datagram, "x", 1, 0, NULL, 0));
	SEE(sendto(datagram, "x", 1, 0, (struct sockaddr *)8, 16));
	SEE(getpeername(datagram, to, &len));
	SEE(getsockname(-1, to, &len));
	SEE(getsockname(datagram, (struct sockaddr *)8, &len));
	len = 4;
	memset(&name, 0, sizeof(name));
	SEE(getsockname(stream, to, &len));
	say("length %d, family %d", (int)len, name.ss_family);
	memset(&name, 0, sizeof(name));
	name.ss_family = AF_UNSPEC;
	SEE(connect(datagram, to, sizeof(struct sockaddr_in)));
}

/* Connect without blocking. */
static void waiting(void)
{
	int listener = make(AF_INET, SOCK_STREAM);
	int refused = make(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
	int client = make(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
	struct pollfd wait = {.events = POLLOUT};
	int error = -1;
	socklen_t len = sizeof(error);

	MUST(bind_to(listener, "0.0.0.0", base_port));
	MUST(listen(listener, 1));
	say("%s", connect_to(client, "127.0.0.1", base_port) == -1 ? error_name(errno) : "0");
	wait.fd = client;
	SEE(poll(&wait, 1, PATIENCE));
	MUST(getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &len));
	say("error %d, %s -> %s", error, local_of(client), peer_of(client));
	say("%s", connect_to(client, "127.0.0.1", base_port) == -1 ? error_name(errno) : "0");
	connect_to(refused, "127.0.0.1", NOBODY);
	wait.fd = refused;
	SEE(poll(&wait, 1, PATIENCE));
	MUST(getsockopt(refused, SOL_SOCKET, SO_ERROR, &error, &len));
	say("error %s", error_name(error));
}

static void options(void)
{
	const int one = 1;
	int a = make(AF_INET, SOCK_STREAM);
	int b = make(AF_INET, SOCK_STREAM);
	int c = make(AF_INET, SOCK_STREAM);

	MUST(setsockopt(a, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)));
	MUST(setsockopt(b, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)));
	SEE(bind_to(a, "0.0.0.0", base_port));
	SEE(bind_to(b, "0.0.0.0", base_port));
	SEE(bind_to(c, "0.0.0.0", base_port));
	SEE(listen(a, 1));
	SEE(listen(b, 1));
	say("%s %s", local_of(a), local_of(b));
}

/* A socket keeps its name in a child, and when it is sent to another process. */
static void pass(void)
{
	int pair[2];
	int fd = make(AF_INET, SOCK_STREAM);
	char control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec vector = {"x", 1};
	struct msghdr message = {.msg_iov = &vector,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	pid_t child;
	char byte;

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	MUST(bind_to(fd, "127.0.0.1", base_port));
	MUST(listen(fd, 1));
	fflush(stdout);
	child = (pid_t)MUST(fork());
	if (child == 0) {
		say("in a child: %s", local_of(fd));
		close(fd);
		vector.iov_base = &byte;
		MUST(recvmsg(pair[1], &message, 0));
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
		say("received: %s", local_of(fd));
		fflush(stdout);
		_exit(0);
	}
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	MUST(sendmsg(pair[0], &message, 0));
	say_status("child", wait_for(child));
}

/* Bind to any port; then bind, listen and connect in the orders that programs use. */
static void later(void)
{
	static const char *const binds[] = {"0.0.0.0", "::"};

	for (size_t i = 0; i < COUNT(binds); i++) {
		const int family = i == 0 ? AF_INET : AF_INET6;
		int server = make(family, SOCK_STREAM);
		int client = make(family, SOCK_STREAM);
		int unbound = make(family, SOCK_STREAM);
		int asked;

		SEE(bind_to(server, binds[i], 0));
		SEE(bind_to(server, binds[i], 0));
		SEE(bind_to(server, binds[i], base_port));
		SEE(listen(server, 1));
		say("%s", local_of(server));
		asked = port_of(server);
		SEE(bind_to(client, binds[i], 0));
		say("%s", local_of(client));
		SEE(port_of(client) == port_of(client));
		close(client);
		client = make(family, SOCK_STREAM);
		SEE(bind_to(client, binds[i], 0));
		SEE(connect_to(client, i == 0 ? "127.0.0.1" : "::1", asked));
		say("%s -> %s", local_of(client), peer_of(client));
		SEE(bind_to(client, binds[i], 0));
		SEE(listen(unbound, 1));
		say("%s", local_of(unbound));
		SEE(connect_to(make(AF_INET, SOCK_STREAM), "127.0.0.1", port_of(unbound)));
		close(server);
		close(client);
		close(unbound);
	}
	SEE(bind_to(make(AF_INET, SOCK_STREAM), "::", 0));
	SEE(bind_to(make(AF_INET6, SOCK_STREAM), "0.0.0.0", 0));
	SEE(listen(-1, 1));
	SEE(listen(0, 1));
}

/* Try to bind the port that the kernel chose for another socket, at various addresses. */
static void taken(void)
{
	static const char *const pairs[][2] = {{"127.0.0.1", "127.0.0.1"},
					       {"0.0.0.0", "127.0.0.1"},
					       {"127.0.0.1", "0.0.0.0"},
					       {"0.0.0.0", "0.0.0.0"},
					       {"127.0.0.1", "::"},
					       {"::", "127.0.0.1"},
					       {"::1", "::1"}};

	for (size_t i = 0; i < COUNT(pairs) * 4; i++) {
		const char *first = pairs[i / 4][0];
		const char *second = pairs[i / 4][1];
		const int reuse[] = {(int)(i & 1), (int)(i & 2) / 2};
		int server = make(strchr(first, ':') ? AF_INET6 : AF_INET, SOCK_STREAM);
		int other = make(strchr(second, ':') ? AF_INET6 : AF_INET, SOCK_STREAM);
		int port;

		say("%s, %s, reuse %d %d", first, second, reuse[0], reuse[1]);
		MUST(setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &reuse[0], sizeof(int)));
		MUST(setsockopt(other, SOL_SOCKET, SO_REUSEADDR, &reuse[1], sizeof(int)));
		MUST(bind_to(server, first, 0));
		MUST(listen(server, 1));
		port = port_of(server);
		SEE(bind_to(other, second, port));
		close(server);
		close(other);
	}
}

/* Clients that bind to a loopback address before they connect. */
static void sources(void)
{
	static const struct {
		int family;
		const char *from;
		int offset; /* -1: any port */
	} clients[] = {{AF_INET, "127.0.0.1", -1},
		       {AF_INET, "127.0.0.2", -1},
		       {AF_INET, "127.0.0.1", 3},
		       {AF_INET6, "::ffff:127.0.0.3", -1},
		       {AF_INET, "0.0.0.0", -1}};
	static const char *const binds[] = {"0.0.0.0", "127.0.0.1"};

	for (size_t i = 0; i < COUNT(binds) * COUNT(clients); i++) {
		const int family = clients[i / 2].family;
		const int offset = clients[i / 2].offset;
		const char *to = family == AF_INET ? "127.0.0.1" : "::ffff:127.0.0.1";
		const int port = base_port + (int)i % 2;
		const int on = 1;
		int server = make(AF_INET, SOCK_STREAM);
		int client = make(family, SOCK_STREAM);
		int accepted;

		MUST(setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
		MUST(setsockopt(client, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
		MUST(bind_to(server, binds[i % 2], port));
		MUST(listen(server, 1));
		MUST(bind_to(client, clients[i / 2].from, offset < 0 ? 0 : base_port + offset));
		SEE(bind_to(client, clients[i / 2].from, 0));
		MUST(connect_to(client, to, port));
		say("%s -> %s", local_of(client), peer_of(client));
		accepted = (int)MUST(accept(server, NULL, NULL));
		say("  %s <- %s", local_of(accepted), peer_of(accepted));
		close(client);
		close(accepted);
		close(server);
	}
	for (size_t i = 0; i < 2; i++) { /* the client was bound like a server */
		int server = make(AF_INET, SOCK_STREAM);
		int client = make(AF_INET, SOCK_STREAM);

		MUST(bind_to(server, clients[0].from, 0));
		if (i == 1)
			say("%s", local_of(server));
		SEE(connect_to(server, "127.0.0.1", NOBODY));
		SEE(listen(server, 1)); /* Linux 6.18 refuses it */
		say("%s", local_of(server));
		SEE(connect_to(client, "127.0.0.1", port_of(server)));
		close(client);
		close(server);
	}
}

/* Connect a datagram socket before the server has bound the port. */
static void awaited(void)
{
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);
	int server = make(AF_INET, SOCK_DGRAM);
	int client = make(AF_INET, SOCK_DGRAM);
	int low = make(AF_INET, SOCK_DGRAM);
	struct pollfd wait = {.fd = client, .events = POLLIN};

	MUST(connect_to(low, "127.0.0.1", 853));
	MUST(getpeername(low, (struct sockaddr *)&peer, &len));
	say("port %d", ntohs(peer.sin_port));
	MUST(connect_to(client, "127.0.0.1", base_port));
	say("%s -> %s", local_of(client), peer_of(client));
	SEE(send(client, "lost", 4, 0));
	SEE(poll(&wait, 1, PATIENCE));
	SEE(recv(client, &peer, 1, 0));
	MUST(bind_to(server, "127.0.0.1", base_port));
	SEE(send(client, "found", 5, 0));
	wait.fd = server;
	SEE(poll(&wait, 1, PATIENCE));
	MUST(connect_to(server, "127.0.0.1", port_of(client)));
	say("%s -> %s, %s", local_of(client), peer_of(client), peer_of(server));
	SEE(send(server, "back", 4, 0));
	wait.fd = client;
	SEE(poll(&wait, 1, PATIENCE));
	close(low);
	close(server);
	close(client);
}

static const struct part parts[] = {
	{"tcp", tcp},         {"tcp-chosen", tcp_chosen},
	{"udp", udp},         {"udp-many", udp_many},
	{"six", six},         {"both", both},
	{"errors", errors},   {"waiting", waiting},
	{"options", options}, {"pass", pass},
	{"later", later},     {"taken", taken},
	{"awaited", awaited}, {"sources", sources},
};

int main(int argc, char **argv)
{
	base_port = argc > 2 ? atoi(argv[2]) : 20000;
	return run_group(argc, argv, parts, COUNT(parts));
}
