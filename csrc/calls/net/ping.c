/* SPDX-License-Identifier: MIT */
/*
 * ping.c - ICMP echo requests (ping), where the machine does not let its user send them.
 *
 * How it works
 *   A program asks for a datagram socket of ICMP, or for a raw one. If the kernel refuses it
 *   (net.ipv4.ping_group_range) the program gets a UDP socket with a mark. A request by this socket
 *   to an address of 127.0.0.0/8 is answered here: the container's loopback, its gateway and the
 *   other containers of its networks are all this machine, which is up. A socket that has the asked
 *   address for a moment sends the answer, so the receiver sees the right sender.
 * Rules
 *   Requests to the outside cannot be sent: EPERM, as from a firewall. Other errors are those of
 *   ping_v4_sendmsg() in the kernel, also for a raw socket, which can send only echo requests and
 *   receives only answers, behind an IP header. A program that has a raw socket, has sent nothing
 *   by it, and sends datagrams to the ports of traceroute would wait for errors that never come:
 *   EPERM, too.
 * Does not know
 *   IPv6, and sockets of ICMP that the kernel made.
 */
#include "calls/net/ping.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "calls/net/inet.h"
#include "calls/net/message.h"

#define SB_SO_MAX_PACING_RATE 47 /* has no effect on a UDP socket on the loopback */
#define SB_PING_MARK 0x70696e67
#define SB_RAW_MARK 0x70696e68
#define SB_ECHO_REQUEST 8
#define SB_MAX_VECTORS 16
#define SB_TRACE_FIRST 33434 /* traceroute's first port, and the last that it reaches */
#define SB_TRACE_LAST (SB_TRACE_FIRST + 1023)

struct echo { /* struct icmphdr */
	unsigned char type;
	unsigned char code;
	unsigned char sum[2];
	unsigned char id[2];
	unsigned char sequence[2];
};

struct ip_header { /* struct iphdr without options */
	unsigned char version; /* and the length in words */
	unsigned char service;
	unsigned char len[2];
	unsigned char id[2];
	unsigned char fragment[2];
	unsigned char hops;
	unsigned char protocol;
	unsigned char sum[2];
	unsigned char source[4];
	unsigned char destination[4];
};

long sb_ping_socket(struct sb_call *call, int type, int protocol, long refusal)
{
	const int flags = type & (SOCK_CLOEXEC | SOCK_NONBLOCK);
	const bool raw = (type & ~flags) == SOCK_RAW;
	const uint32_t mark = raw ? SB_RAW_MARK : SB_PING_MARK;
	long fd;

	if (protocol != IPPROTO_ICMP || (!raw && (type & ~flags) != SOCK_DGRAM) ||
	    (raw && !sb_ids_has_cap(call->ids, SB_CAP_NET_RAW)))
		return refusal;
	sb_commit_begin(call->fs);
	fd = sb_syscall(__NR_socket, AF_INET, SOCK_DGRAM | flags, 0, 0, 0, 0);
	if (fd >= 0)
		sb_syscall(__NR_setsockopt, (int)fd, SOL_SOCKET, SB_SO_MAX_PACING_RATE, SB_P(&mark),
			   sizeof(mark), 0);
	sb_commit_end(call->fs);
	if (raw && fd >= 0)
		call->proc->deaf = 1;
	return fd;
}

static int mark_of(int fd)
{
	return sb_net_option(fd, SOL_SOCKET, SB_SO_MAX_PACING_RATE);
}

bool sb_ping_is_one(int fd)
{
	const int mark = mark_of(fd);

	return mark == SB_PING_MARK || mark == SB_RAW_MARK;
}

bool sb_ping_is_request(const struct sb_call *call, int fd, const struct sb_socket_name *name)
{
	const uint32_t port = (uint32_t)name->bytes[2] << 8 | name->bytes[3];

	if (name->family != AF_INET || name->len < 16)
		return false;
	if (port == 0)
		return sb_ping_is_one(fd);
	return call->proc->deaf != 0 && port >= SB_TRACE_FIRST && port <= SB_TRACE_LAST;
}

/* Copy all bytes of a message to out; returns how many, or -errno. */
static long gather(uint64_t iov, uint64_t count, char *out, size_t size)
{
	struct sb_vector part;
	size_t len = 0;

	if (count > SB_MAX_VECTORS)
		return -EMSGSIZE;
	for (uint64_t i = 0; i < count; i++) {
		int err = sb_guest_read(&part, iov + i * sizeof(part), sizeof(part));

		if (err < 0)
			return err;
		if (part.len > size - len)
			return -EMSGSIZE;
		if (sb_guest_read(out + len, part.base, part.len) < 0)
			return -EFAULT;
		len += part.len;
	}
	return (long)len;
}

/* RFC 1071 */
static void put_sum(const char *data, size_t len, unsigned char sum[2])
{
	uint32_t total = 0;

	for (size_t i = 0; i < len; i++)
		total += (uint32_t)(unsigned char)data[i] << (i % 2 == 0 ? 8 : 0);
	while (total >> 16 != 0)
		total = (total & 0xffff) + (total >> 16);
	total = ~total;
	sum[0] = (unsigned char)(total >> 8);
	sum[1] = (unsigned char)total;
}

/* May this place be asked? 0 and the container's base address, or -errno. */
static int check_place(struct sb_call *call, const struct sb_net_place *place, uint32_t *base)
{
	struct sb_net_target target;
	struct sb_net net;
	int err = 0;

	*base = 0;
	if (call->fs->tree->control->net_container != 0) {
		err = sb_net_get(call, &net);
		if (err == 0)
			err = sb_net_reach(&net, place, true, &target);
		if (err == 0)
			*base = net.base;
	}
	if (err < 0)
		return err;
	return sb_net_is_loopback(place) ? 0 : -EPERM;
}

static void write_name(struct sb_socket_name *name, uint32_t address, uint16_t port)
{
	const struct sb_net_place place = {.v4 = address, .port = port};

	memset(name->bytes, 0, 16);
	name->family = AF_INET;
	name->len = 16;
	sb_net_place_write(&place, name->bytes);
}

/* Find the address where the program's socket receives. */
static long own_port(int fd, uint32_t base, struct sb_net_place *local)
{
	struct sb_socket_name name;
	long ret = 0;

	if (!sb_net_read_local(fd, local))
		return -EBADF;
	if (local->port != 0)
		return 0;
	write_name(&name, base, 0);
	ret = sb_syscall(__NR_bind, fd, SB_P(name.bytes), 16, 0, 0, 0);
	if (ret == 0 && !sb_net_read_local(fd, local))
		ret = -EBADF;
	return ret;
}

/* Send the answer from the address from. */
static long answer(uint32_t from, const struct sb_net_place *to, const char *data, size_t len)
{
	struct sb_socket_name name;
	int fd = (int)sb_syscall(__NR_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0, 0, 0, 0);
	long ret;

	if (fd < 0)
		return fd;
	write_name(&name, from, 0);
	ret = sb_syscall(__NR_bind, fd, SB_P(name.bytes), 16, 0, 0, 0);
	write_name(&name, to->v4, to->port);
	if (ret == 0)
		ret = sb_syscall(__NR_sendto, fd, SB_P(data), (long)len, MSG_DONTWAIT,
				 SB_P(name.bytes), 16);
	sys_close(fd);
	return ret;
}

static void put16(uint32_t value, unsigned char out[2])
{
	out[0] = (unsigned char)(value >> 8);
	out[1] = (unsigned char)value;
}

static void put32(uint32_t value, unsigned char out[4])
{
	put16(value >> 16, out);
	put16(value, out + 2);
}

/* Turn a request of len bytes into its answer; head goes before it. */
static void make_answer(char *data, size_t len, bool raw, const struct sb_net_place *from,
			const struct sb_net_place *to, struct ip_header *head)
{
	struct echo echo;

	memcpy(&echo, data, sizeof(echo));
	echo.type = 0;
	if (!raw)
		put16(to->port, echo.id); /* as the kernel sets it */
	memset(echo.sum, 0, sizeof(echo.sum));
	memcpy(data, &echo, sizeof(echo));
	put_sum(data, len, echo.sum);
	memcpy(data, &echo, sizeof(echo));
	*head = (struct ip_header){.version = 0x45, .hops = 64, .protocol = IPPROTO_ICMP};
	put16((uint32_t)(sizeof(*head) + len), head->len);
	put32(from->v4, head->source);
	put32(to->v4, head->destination);
	put_sum((const char *)head, sizeof(*head), head->sum);
}

long sb_ping_send(struct sb_call *call, int fd, const struct sb_socket_name *name, uint64_t iov,
		  uint64_t count)
{
	struct ip_header head;
	char *data = call->work->buffer + sizeof(head);
	struct sb_net_place local = {0};
	struct sb_net_place place;
	struct echo echo;
	const bool raw = mark_of(fd) == SB_RAW_MARK;
	uint32_t base;
	long len = gather(iov, count, data, sizeof(call->work->buffer) - sizeof(head));
	long ret;

	if (!sb_net_place_read(name->bytes, name->len, &place))
		return -EINVAL;
	if (place.port != 0)
		return -EPERM;
	if (len < 0)
		return len;
	if ((size_t)len < sizeof(echo))
		return -EINVAL;
	memcpy(&echo, data, sizeof(echo));
	if (echo.type != SB_ECHO_REQUEST || echo.code != 0)
		return -EINVAL;
	call->proc->deaf = 0;
	ret = check_place(call, &place, &base);
	if (ret < 0)
		return ret;
	sb_commit_begin(call->fs);
	ret = own_port(fd, base, &local);
	if (ret == 0) {
		if (local.v4 == 0)
			local.v4 = SB_NET_LOOPBACK_V4;
		make_answer(data, (size_t)len, raw, &place, &local, &head);
		if (raw) {
			data -= sizeof(head);
			memcpy(data, &head, sizeof(head));
		}
		ret = answer(place.v4, &local, data, (size_t)len + (raw ? sizeof(head) : 0));
	}
	sb_commit_end(call->fs);
	return ret < 0 ? ret : len;
}
