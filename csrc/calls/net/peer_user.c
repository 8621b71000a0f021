/* SPDX-License-Identifier: MIT */
/*
 * peer_user.c - whose the other end of a stream on this machine is.
 *
 * How it works
 *   sock_diag(7) finds a socket by its addresses in one question, and says whose it is. Root may
 *   connect and listen everywhere, so a socket of user 0 is no stranger's. That is also what the
 *   kernel says of a socket that its owner has closed.
 * Rules
 *   Where the kernel does not answer, everybody is let in.
 */
#include "calls/net/peer_user.h"

#include <errno.h>
#include <linux/in.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>

#include "calls/net/socket_name.h"
#include "net/net_link.h"

#define TCP_LISTEN 10

struct question {
	struct sb_link_header head;
	struct inet_diag_req_v2 body;
};

struct answer {
	struct sb_link_header head;
	struct inet_diag_msg body;
	unsigned char more[256];
};

static void put_place(const struct sb_net_place *place, __be32 address[4], __be16 *port)
{
	*port = __builtin_bswap16(place->port);
	if (place->is_v6)
		memcpy(address, place->v6, sizeof(place->v6));
	else
		address[0] = __builtin_bswap32(place->v4);
}

/* Ask for the socket at *local that is connected to *remote, or else listens. */
static bool ask(const struct sb_net_place *local, const struct sb_net_place *remote,
		struct inet_diag_msg *out)
{
	struct question q = {
		.head = {.len = sizeof(q), .type = SOCK_DIAG_BY_FAMILY, .flags = NLM_F_REQUEST},
		.body = {.sdiag_family = local->is_v6 ? AF_INET6 : AF_INET,
			 .sdiag_protocol = IPPROTO_TCP,
			 .idiag_states = UINT32_MAX,
			 .id.idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}},
	};
	struct answer a;
	long kernel = sb_syscall(__NR_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC,
				 NETLINK_SOCK_DIAG, 0, 0, 0);
	long ret;

	if (kernel < 0)
		return false;
	put_place(local, q.body.id.idiag_src, &q.body.id.idiag_sport);
	put_place(remote, q.body.id.idiag_dst, &q.body.id.idiag_dport);
	ret = sb_syscall(__NR_sendto, kernel, SB_P(&q), sizeof(q), 0, 0, 0);
	if (ret >= 0)
		ret = sb_syscall(__NR_recvfrom, kernel, SB_P(&a), sizeof(a), MSG_DONTWAIT, 0, 0);
	sys_close((int)kernel);
	if (ret < (long)(sizeof(a.head) + sizeof(a.body)) || a.head.type != SOCK_DIAG_BY_FAMILY)
		return false;
	*out = a.body;
	return true;
}

static bool is_foreign(const struct sb_call *call, const struct inet_diag_msg *socket)
{
	return socket->idiag_uid != 0 && socket->idiag_uid != call->fs->tree->control->host_uid;
}

/* Read a name of a socket; nr is __NR_getsockname or __NR_getpeername. */
static bool read_end(int fd, long nr, struct sb_net_place *out)
{
	struct sb_socket_name name = {.len = SB_SOCKET_NAME_MAX};

	return sb_syscall(nr, fd, SB_P(name.bytes), SB_P(&name.len), 0, 0, 0) == 0 &&
	       sb_net_place_read(name.bytes, name.len, out);
}

bool sb_net_is_stranger(struct sb_call *call, int fd)
{
	struct sb_net_port row;
	struct sb_net_place local;
	struct sb_net_place peer;
	struct inet_diag_msg found;
	struct sb_net net;

	if (!read_end(fd, __NR_getsockname, &local) || sb_net_get(call, &net) < 0 ||
	    !read_end(fd, __NR_getpeername, &peer))
		return false;
	if (!local.is_v6 &&
	    (local.v4 >> 24 != 127 ||
	     (sb_net_find_port(net.ports, net.self, SB_NET_REVERSE, local.port, &row) &&
	      (row.flags & SB_NET_PUBLISHED_PORT) != 0)))
		return false;
	return ask(&peer, &local, &found) && found.idiag_state != TCP_LISTEN &&
	       is_foreign(call, &found);
}

bool sb_net_is_impostor(const struct sb_call *call, const struct sb_net_place *server)
{
	const struct sb_net_place nobody = {.is_v6 = server->is_v6};
	struct inet_diag_msg found;

	return ask(server, &nobody, &found) && found.idiag_state == TCP_LISTEN &&
	       is_foreign(call, &found);
}
