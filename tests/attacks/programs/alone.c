/* SPDX-License-Identifier: MIT */
/*
 * alone.c - reach the machine's servers from a container without a network.
 *
 *   alone PORT UDP-PORT (of servers on 127.0.0.1)
 */
#include "attack.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define IPPROTO_MPTCP_ 262
#define IPPROTO_SMC_ 256
#define AF_SMC_ 43
#define MSG_FASTOPEN_ 0x20000000

static struct sockaddr_in server;

static long socket_past(int family, int type, int protocol)
{
	return PAST(SYS_socket, family, type | SOCK_CLOEXEC, protocol);
}

static long connect_past(int type, int protocol)
{
	long fd = socket_past(AF_INET, type, protocol);

	return fd < 0 ? fd : PAST(SYS_connect, fd, &server, sizeof(server));
}

/* Send a byte together with the beginning of the connection. */
static long open_fast(void)
{
	long fd = socket_past(AF_INET, SOCK_STREAM, 0);

	return fd < 0 ? fd : PAST(SYS_sendto, fd, "x", 1, MSG_FASTOPEN_, &server, sizeof(server));
}

static long open_fast_by_message(void)
{
	long fd = socket_past(AF_INET, SOCK_STREAM, 0);
	struct iovec vector = {"x", 1};
	const struct msghdr message = {.msg_name = &server,
				       .msg_namelen = sizeof(server),
				       .msg_iov = &vector,
				       .msg_iovlen = 1};

	return fd < 0 ? fd : PAST(SYS_sendmsg, fd, &message, MSG_FASTOPEN_);
}

static long send_datagram(in_port_t port)
{
	struct sockaddr_in to = server;
	long fd = socket_past(AF_INET, SOCK_DGRAM, 0);

	to.sin_port = port;
	return fd < 0 ? fd : PAST(SYS_sendto, fd, "x", 1, 0, &to, sizeof(to));
}

static long bind_past(void)
{
	long fd = socket_past(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(8099)};

	return fd < 0 ? fd : PAST(SYS_bind, fd, &at, sizeof(at));
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	server = (struct sockaddr_in){.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)atoi(argv[1]))};
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	attempt("connect by TCP", connect_past(SOCK_STREAM, 0));
	attempt("connect by MPTCP", connect_past(SOCK_STREAM, IPPROTO_MPTCP_));
	attempt("connect by Fast Open", open_fast());
	attempt("connect by Fast Open in a message", open_fast_by_message());
	attempt("send a datagram", send_datagram(htons((uint16_t)atoi(argv[2]))));
	attempt("ask netlink for routes", socket_past(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
	attempt("listen on a port of the machine", bind_past());
	attempt("a socket of SMC", socket_past(AF_SMC_, SOCK_STREAM, 0));
	attempt("a socket of SMC over TCP", socket_past(AF_INET, SOCK_STREAM, IPPROTO_SMC_));
	attempt("a socket of SCTP", socket_past(AF_INET, SOCK_STREAM, IPPROTO_SCTP));
	attempt("a socket for echo requests", socket_past(AF_INET, SOCK_DGRAM, IPPROTO_ICMP));
	return 0;
}
