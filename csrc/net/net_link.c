/* SPDX-License-Identifier: MIT */
/*
 * net_link.c - what the kernel would say of a container's interfaces.
 *
 * How it works
 *   One datagram answers a request: the messages, then "done" or an acknowledgement. Changes are
 *   refused, as for a process without privileges. A dump is empty where a container has nothing.
 */
#include "net/net_link.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "base/mem.h"

#define FLAGS_LOOPBACK 0x10049 /* UP LOOPBACK RUNNING LOWER_UP */
#define FLAGS_ETHERNET 0x11043 /* UP BROADCAST RUNNING MULTICAST LOWER_UP */
#define LOOPBACK_INDEX 1
#define QUEUE_LENGTH 1000

struct answer {
	unsigned char *buf;
	uint32_t len;
	uint32_t max;
	uint32_t start; /* of the current message */
	bool full;
	struct sb_link_header head;
};

/* ---- the interfaces ------------------------------------------------------ */

uint32_t sb_link_mask(uint32_t prefix)
{
	return prefix == 0 ? 0 : 0xffffffffU << (32 - SB_MIN(prefix, 32U));
}

static void name_link(struct sb_link *link, uint32_t number)
{
	uint32_t at = 3;

	memcpy(link->name, "eth", 3);
	if (number >= 10)
		link->name[at++] = (char)('0' + number / 10);
	link->name[at] = (char)('0' + number % 10);
}

/* The address that the user chose, or 02:42 and the IPv4 address. */
static void set_hardware(struct sb_link *link, const struct sb_net_address *from)
{
	static const unsigned char none[sizeof(link->hardware)];

	memcpy(link->hardware, from->hardware, sizeof(link->hardware));
	if (memcmp(link->hardware, none, sizeof(none)) != 0)
		return;
	link->hardware[0] = 0x02;
	link->hardware[1] = 0x42;
	for (int byte = 0; byte < 4; byte++)
		link->hardware[2 + byte] = (unsigned char)(from->address >> (24 - 8 * byte));
}

uint32_t sb_link_list(const struct sb_net *net, struct sb_link *out)
{
	uint64_t version;
	const struct sb_net_state *state = sb_net_state(net->table, net->self, &version);
	const uint32_t count =
		state == NULL ? 0 : SB_MIN(state->address_count, (uint32_t)SB_NET_ADDRESSES);

	memset(out, 0, SB_LINK_MAX * sizeof(*out));
	out[0] = (struct sb_link){.index = LOOPBACK_INDEX,
				  .flags = FLAGS_LOOPBACK,
				  .address = SB_NET_LOOPBACK_V4,
				  .prefix = 8,
				  .name = "lo"};
	for (uint32_t i = 0; i < count; i++) {
		const struct sb_net_address *from = &state->addresses[i];
		struct sb_link *link = &out[i + 1];

		link->index = i + 2;
		link->flags = FLAGS_ETHERNET;
		link->address = from->address;
		link->prefix = SB_MIN(from->prefix, 32U);
		link->gateway = from->gateway;
		set_hardware(link, from);
		name_link(link, i);
	}
	return count + 1;
}

/* ---- messages ------------------------------------------------------------ */

static void put(struct answer *a, const void *data, uint32_t len)
{
	const uint32_t room = (len + 3) & ~3U;

	if (a->full || room > a->max - a->len) {
		a->full = true;
		return;
	}
	memset(a->buf + a->len, 0, room);
	memcpy(a->buf + a->len, data, len);
	a->len += room;
}

static void begin(struct answer *a, uint16_t type, uint16_t flags)
{
	struct sb_link_header head = a->head;

	head.type = type;
	head.flags = flags;
	a->start = a->len;
	put(a, &head, sizeof(head));
}

static void end(struct answer *a)
{
	const uint32_t len = a->len - a->start;

	if (!a->full)
		memcpy(a->buf + a->start, &len, sizeof(len));
}

static void attribute(struct answer *a, uint16_t type, const void *data, uint32_t len)
{
	const struct rtattr head = {(unsigned short)(sizeof(head) + len), type};

	put(a, &head, sizeof(head));
	put(a, data, len);
}

static void attribute_u32(struct answer *a, uint16_t type, uint32_t value)
{
	attribute(a, type, &value, sizeof(value));
}

static void attribute_u8(struct answer *a, uint16_t type, uint8_t value)
{
	attribute(a, type, &value, sizeof(value));
}

static void attribute_v4(struct answer *a, uint16_t type, uint32_t address)
{
	attribute_u32(a, type, __builtin_bswap32(address));
}

static void attribute_text(struct answer *a, uint16_t type, const char *text)
{
	attribute(a, type, text, (uint32_t)strlen(text) + 1);
}

static void put_link(struct answer *a, const struct sb_link *link, uint16_t flags)
{
	const bool is_loopback = link->index == LOOPBACK_INDEX;
	const struct ifinfomsg info = {
		.ifi_type = is_loopback ? ARPHRD_LOOPBACK : ARPHRD_ETHER,
		.ifi_index = (int)link->index,
		.ifi_flags = link->flags,
	};
	unsigned char broadcast[6] = {0};

	if (!is_loopback)
		memset(broadcast, 0xff, sizeof(broadcast));
	begin(a, RTM_NEWLINK, flags);
	put(a, &info, sizeof(info));
	attribute_text(a, IFLA_IFNAME, link->name);
	attribute_u32(a, IFLA_TXQLEN, QUEUE_LENGTH);
	attribute_u8(a, IFLA_OPERSTATE, is_loopback ? 0 : 6);
	attribute_u8(a, IFLA_LINKMODE, 0);
	attribute_u32(a, IFLA_MTU, SB_LINK_MTU);
	attribute_u32(a, IFLA_GROUP, 0);
	attribute_text(a, IFLA_QDISC, "noqueue");
	attribute(a, IFLA_ADDRESS, link->hardware, sizeof(link->hardware));
	attribute(a, IFLA_BROADCAST, broadcast, sizeof(broadcast));
	end(a);
}

static void put_address(struct answer *a, const struct sb_link *link)
{
	const bool is_loopback = link->index == LOOPBACK_INDEX;
	const struct ifaddrmsg info = {
		.ifa_family = AF_INET,
		.ifa_prefixlen = (uint8_t)link->prefix,
		.ifa_flags = IFA_F_PERMANENT,
		.ifa_scope = is_loopback ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE,
		.ifa_index = link->index,
	};
	const struct ifa_cacheinfo forever = {.ifa_prefered = 0xffffffff, .ifa_valid = 0xffffffff};

	begin(a, RTM_NEWADDR, NLM_F_MULTI);
	put(a, &info, sizeof(info));
	attribute_v4(a, IFA_ADDRESS, link->address);
	attribute_v4(a, IFA_LOCAL, link->address);
	if (!is_loopback)
		attribute_v4(a, IFA_BROADCAST, link->address | ~sb_link_mask(link->prefix));
	attribute_text(a, IFA_LABEL, link->name);
	attribute_u32(a, IFA_FLAGS, IFA_F_PERMANENT);
	attribute(a, IFA_CACHEINFO, &forever, sizeof(forever));
	end(a);
}

static void put_loopback_six(struct answer *a)
{
	const struct ifaddrmsg info = {
		.ifa_family = AF_INET6,
		.ifa_prefixlen = 128,
		.ifa_flags = IFA_F_PERMANENT,
		.ifa_scope = RT_SCOPE_HOST,
		.ifa_index = LOOPBACK_INDEX,
	};
	const struct ifa_cacheinfo forever = {.ifa_prefered = 0xffffffff, .ifa_valid = 0xffffffff};

	begin(a, RTM_NEWADDR, NLM_F_MULTI);
	put(a, &info, sizeof(info));
	attribute(a, IFA_ADDRESS, sb_net_loopback_v6, 16);
	attribute(a, IFA_CACHEINFO, &forever, sizeof(forever));
	attribute_u32(a, IFA_FLAGS, IFA_F_PERMANENT);
	end(a);
}

/* The route through a gateway, or (0) to the network of the interface itself. */
static void put_route(struct answer *a, const struct sb_link *link, uint32_t gateway)
{
	const struct rtmsg info = {
		.rtm_family = AF_INET,
		.rtm_dst_len = (unsigned char)(gateway != 0 ? 0 : link->prefix),
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = gateway != 0 ? RTPROT_BOOT : RTPROT_KERNEL,
		.rtm_scope = gateway != 0 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
		.rtm_type = RTN_UNICAST,
	};

	begin(a, RTM_NEWROUTE, NLM_F_MULTI);
	put(a, &info, sizeof(info));
	attribute_u32(a, RTA_TABLE, RT_TABLE_MAIN);
	if (gateway != 0) {
		attribute_v4(a, RTA_GATEWAY, gateway);
	} else {
		attribute_v4(a, RTA_DST, link->address & sb_link_mask(link->prefix));
		attribute_v4(a, RTA_PREFSRC, link->address);
	}
	attribute_u32(a, RTA_OIF, link->index);
	end(a);
}

static void put_error(struct answer *a, int error, const struct sb_link_header *request)
{
	begin(a, NLMSG_ERROR, 0);
	put(a, &error, sizeof(error));
	put(a, request, sizeof(*request));
	end(a);
}

static void put_done(struct answer *a)
{
	const int zero = 0;

	begin(a, NLMSG_DONE, NLM_F_MULTI);
	put(a, &zero, sizeof(zero));
	end(a);
}

/* ---- requests ------------------------------------------------------------ */

struct request {
	struct sb_link_header head;
	const unsigned char *body;
	uint32_t body_len;
	struct sb_link links[SB_LINK_MAX];
	uint32_t count;
};

static uint8_t family_of(const struct request *r)
{
	return r->body_len > 0 ? r->body[0] : AF_UNSPEC;
}

/* The interface that a request names by number or attribute; NULL when there is none. */
static const struct sb_link *named_link(const struct request *r)
{
	struct ifinfomsg info;
	uint32_t at = sizeof(info);
	struct rtattr head;

	if (r->body_len < sizeof(info))
		return NULL;
	memcpy(&info, r->body, sizeof(info));
	for (uint32_t i = 0; info.ifi_index > 0 && i < r->count; i++) {
		if (r->links[i].index == (uint32_t)info.ifi_index)
			return &r->links[i];
	}
	while (info.ifi_index <= 0 && r->body_len - at >= sizeof(head)) {
		memcpy(&head, r->body + at, sizeof(head));
		if (head.rta_len < sizeof(head) || head.rta_len > r->body_len - at)
			return NULL;
		for (uint32_t i = 0; i < r->count; i++) {
			const char *name = r->links[i].name;
			const uint32_t room = head.rta_len - (uint32_t)sizeof(head);
			const uint32_t len = (uint32_t)strlen(name);

			if ((head.rta_type == IFLA_IFNAME || head.rta_type == IFLA_ALT_IFNAME) &&
			    room >= len && memcmp(r->body + at + sizeof(head), name, len) == 0 &&
			    (room == len || r->body[at + sizeof(head) + len] == '\0'))
				return &r->links[i];
		}
		at += SB_MIN((head.rta_len + 3U) & ~3U, r->body_len - at);
	}
	return NULL;
}

static void dump(struct answer *a, const struct request *r, bool has_six)
{
	const uint8_t family = family_of(r);
	uint32_t only = 0;

	if (r->head.type == RTM_GETADDR && r->body_len >= sizeof(struct ifaddrmsg))
		memcpy(&only, r->body + 4, sizeof(only)); /* ifa_index */
	for (uint32_t i = 0; i < r->count; i++) {
		const struct sb_link *link = &r->links[i];

		if (r->head.type == RTM_GETLINK)
			put_link(a, link, NLM_F_MULTI);
		if (r->head.type == RTM_GETADDR && family != AF_INET6 &&
		    (only == 0 || only == link->index))
			put_address(a, link);
		if (r->head.type == RTM_GETROUTE && family != AF_INET6 && i > 0) {
			if (i == 1 && link->gateway != 0)
				put_route(a, link, link->gateway);
			put_route(a, link, 0);
		}
	}
	if (r->head.type == RTM_GETADDR && family != AF_INET && has_six && only <= LOOPBACK_INDEX)
		put_loopback_six(a);
	put_done(a);
}

static bool is_change(uint16_t type)
{
	return (type - RTM_BASE) % 4 != 2; /* NEW, DEL, GET, SET */
}

int sb_link_answer(const struct sb_net *net, const unsigned char *request, uint32_t len,
		   uint32_t pid, bool has_six, unsigned char *out, uint32_t max)
{
	struct answer a = {.buf = out, .max = max};
	struct request r;
	const struct sb_link *link;
	int error = 0;

	if (len < sizeof(r.head))
		return 0;
	memcpy(&r.head, request, sizeof(r.head));
	r.body = request + sizeof(r.head);
	r.body_len = SB_MIN(len, r.head.len) - (uint32_t)sizeof(r.head);
	if (r.head.len < sizeof(r.head) || r.head.type < RTM_BASE)
		return 0; /* the kernel ignores it, too */
	r.count = sb_link_list(net, r.links);
	a.head = (struct sb_link_header){.seq = r.head.seq, .pid = pid};
	if (is_change(r.head.type)) {
		error = -EPERM;
	} else if ((r.head.flags & NLM_F_DUMP) != 0) {
		dump(&a, &r, has_six);
		return a.full ? -ENOBUFS : (int)a.len;
	} else if (r.head.type == RTM_GETLINK) {
		link = named_link(&r);
		error = link == NULL ? -ENODEV : 0;
		if (link != NULL)
			put_link(&a, link, 0);
	} else {
		error = -EOPNOTSUPP;
	}
	if (error != 0 || (r.head.flags & NLM_F_ACK) != 0)
		put_error(&a, error, &r.head);
	return a.full ? -ENOBUFS : (int)a.len;
}
