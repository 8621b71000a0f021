/* SPDX-License-Identifier: MIT */
/*
 * sock_diag.c - sock_diag(7): only the container's sockets, by its own addresses.
 *
 * The request goes to the kernel through a socket of the runtime. The messages that come back are
 * filtered, changed in place and passed on.
 */
#include "calls/net/sock_diag.h"

#include <errno.h>
#include <linux/in.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "calls/net/netlink_socket.h"
#include "net/net_link.h"
#include "net/net_show.h"

struct query {
	const struct sb_net *net;
	uint32_t uid; /* sockets of this user may be the container's */
	uint32_t pid; /* address of the socket that asked */
	bool is_inet;
	bool udp;
};

static void read_place(const uint32_t address[4], uint16_t port, bool wide,
		       struct sb_net_place *out)
{
	unsigned char name[28] = {0};
	const uint16_t family = wide ? AF_INET6 : AF_INET;

	memcpy(name, &family, sizeof(family));
	memcpy(name + 2, &port, sizeof(port));
	memcpy(name + (wide ? 8 : 4), address, wide ? 16 : 4);
	sb_net_place_read(name, sizeof(name), out);
}

static void write_place(const struct sb_net_place *place, uint32_t address[4], uint16_t *port)
{
	unsigned char name[28] = {0};

	sb_net_place_write(place, name);
	memcpy(port, name + 2, sizeof(*port));
	memcpy(address, name + (place->wide ? 8 : 4), place->wide ? 16 : 4);
}

/* Change it to the container's addresses; false: the socket is not the container's. */
static bool change_socket(const struct query *q, struct inet_diag_msg *message)
{
	const bool wide = message->idiag_family == AF_INET6;
	struct sb_net_row row = {.udp = q->udp};

	if (message->idiag_uid != q->uid)
		return false;
	read_place(message->id.idiag_src, message->id.idiag_sport, wide, &row.local);
	read_place(message->id.idiag_dst, message->id.idiag_dport, wide, &row.peer);
	if (!sb_net_show_row(q->net, &row))
		return false;
	write_place(&row.local, message->id.idiag_src, &message->id.idiag_sport);
	write_place(&row.peer, message->id.idiag_dst, &message->id.idiag_dport);
	message->idiag_uid = 0;
	return true;
}

/* Keep the messages in buf that the container may see; returns the new length. */
static uint32_t filter(const struct query *q, unsigned char *buf, uint32_t len, bool *done)
{
	struct sb_link_header head;
	uint32_t kept = 0;

	for (uint32_t at = 0; len - at >= sizeof(head);) {
		struct inet_diag_msg message;
		uint32_t room;
		bool keep = true;

		memcpy(&head, buf + at, sizeof(head));
		if (head.len < sizeof(head) || head.len > len - at)
			break;
		room = SB_MIN((head.len + 3) & ~3U, len - at);
		*done |= head.type == NLMSG_DONE || head.type == NLMSG_ERROR ||
			 (head.flags & NLM_F_MULTI) == 0;
		head.pid = q->pid;
		memcpy(buf + at, &head, sizeof(head));
		if (q->is_inet && head.type >= NLMSG_MIN_TYPE &&
		    head.len >= sizeof(head) + sizeof(message)) {
			memcpy(&message, buf + at + sizeof(head), sizeof(message));
			keep = change_socket(q, &message);
			memcpy(buf + at + sizeof(head), &message, sizeof(message));
		}
		if (keep) {
			memmove(buf + kept, buf + at, room);
			kept += room;
		}
		at += room;
	}
	return kept;
}

static int relay(struct sb_call *call, const struct query *q, int kernel, int fd)
{
	unsigned char *buf = (unsigned char *)call->work->buffer;
	bool done = false;
	int err = 0;

	while (err == 0 && !done) {
		long len = sb_syscall(__NR_recvfrom, kernel, SB_P(buf), sizeof(call->work->buffer),
				      0, 0, 0);

		if (len <= 0)
			return len < 0 ? (int)len : -EIO;
		len = filter(q, buf, (uint32_t)len, &done);
		if (len > 0)
			err = sb_link_deliver(fd, q->pid, buf, (uint32_t)len);
	}
	return err;
}

int sb_diag_answer(struct sb_call *call, const struct sb_net *net, int fd, uint32_t pid,
		   const unsigned char *request, uint32_t len)
{
	const unsigned char *body = request + sizeof(struct sb_link_header);
	struct query q = {.net = net, .uid = call->fs->tree->control->host_uid, .pid = pid};
	const long kernel = sb_syscall(__NR_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC,
				       NETLINK_SOCK_DIAG, 0, 0, 0);
	long ret;

	if (kernel < 0)
		return (int)kernel;
	if (len < sizeof(struct sb_link_header) + 2) {
		sys_close((int)kernel);
		return -EINVAL;
	}
	q.is_inet = body[0] == AF_INET || body[0] == AF_INET6; /* sdiag_family */
	q.udp = body[1] == IPPROTO_UDP;                        /* sdiag_protocol */
	ret = sb_syscall(__NR_sendto, kernel, SB_P(request), len, 0, 0, 0);
	if (ret >= 0)
		ret = relay(call, &q, (int)kernel, fd);
	sys_close((int)kernel);
	return (int)SB_MIN(ret, 0L);
}
