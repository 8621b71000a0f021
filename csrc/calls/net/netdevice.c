/* SPDX-License-Identifier: MIT */
/*
 * netdevice.c - netdevice(7): the container's interfaces by ioctl.
 *
 * Java, ifconfig and others use these requests, which are older than netlink. Only for containers
 * with addresses of their own.
 */
#include "calls/net/netdevice.h"

#include <errno.h>
#include <linux/if_arp.h>
#include <linux/sockios.h>
#include <sys/socket.h>

#include "calls/net/inet.h"
#include "net/net_link.h"

#define NAME_SIZE 16
#define FIRST_REQUEST SIOCGIFNAME
#define LAST_REQUEST 0x8970

struct request { /* struct ifreq */
	char name[NAME_SIZE];
	union {
		uint16_t family;
		int16_t flags;
		int32_t number;
		unsigned char bytes[24];
	};
};

struct listing { /* struct ifconf */
	int32_t len;
	uint32_t pad;
	uint64_t buf;
};

static void put_address(struct request *r, uint32_t address)
{
	memset(r->bytes, 0, sizeof(r->bytes));
	r->family = AF_INET;
	for (int i = 0; i < 4; i++)
		r->bytes[4 + i] = (unsigned char)(address >> (24 - 8 * i));
}

static long list_all(const struct sb_link *links, uint32_t count, uint64_t address)
{
	struct listing listing;
	struct request r;
	uint32_t room;

	if (sb_guest_read(&listing, address, sizeof(listing)) < 0)
		return -EFAULT;
	room = listing.buf == 0 ? count : (uint32_t)SB_MAX(listing.len, 0) / sizeof(r);
	room = SB_MIN(room, count);
	for (uint32_t i = 0; listing.buf != 0 && i < room; i++) {
		memset(&r, 0, sizeof(r));
		memcpy(r.name, links[i].name, NAME_SIZE);
		put_address(&r, links[i].address);
		if (sb_guest_write(listing.buf + i * sizeof(r), &r, sizeof(r)) < 0)
			return -EFAULT;
	}
	listing.len = (int32_t)(room * sizeof(r));
	return sb_guest_write(address, &listing.len, sizeof(listing.len));
}

static bool is_same_name(const char *a, const char *b)
{
	for (int i = 0; i < NAME_SIZE; i++) {
		if (a[i] != b[i])
			return false;
		if (a[i] == '\0')
			return true;
	}
	return true;
}

static const struct sb_link *find(const struct sb_link *links, uint32_t count,
				  const struct request *r, bool by_number)
{
	for (uint32_t i = 0; i < count; i++) {
		if (by_number ? links[i].index == (uint32_t)r->number
			      : is_same_name(links[i].name, r->name))
			return &links[i];
	}
	return NULL;
}

static void put_hardware(struct request *r, const struct sb_link *link)
{
	memset(r->bytes, 0, sizeof(r->bytes));
	r->family = link->index == 1 ? ARPHRD_LOOPBACK : ARPHRD_ETHER;
	memcpy(r->bytes + 2, link->hardware, sizeof(link->hardware));
}

static long fill(struct request *r, const struct sb_link *link, uint64_t request)
{
	const uint32_t mask = sb_link_mask(link->prefix);

	switch (request) {
	case SIOCGIFNAME:
		memcpy(r->name, link->name, NAME_SIZE);
		return 0;
	case SIOCGIFFLAGS:
		r->flags = (int16_t)link->flags;
		return 0;
	case SIOCGIFADDR:
	case SIOCGIFDSTADDR:
		put_address(r, link->address);
		return 0;
	case SIOCGIFBRDADDR:
		put_address(r, link->index == 1 ? 0 : link->address | ~mask);
		return 0;
	case SIOCGIFNETMASK:
		put_address(r, mask);
		return 0;
	case SIOCGIFMETRIC:
		r->number = 0;
		return 0;
	case SIOCGIFMTU:
		r->number = SB_LINK_MTU;
		return 0;
	case SIOCGIFHWADDR:
		put_hardware(r, link);
		return 0;
	case SIOCGIFINDEX:
		r->number = (int32_t)link->index;
		return 0;
	case SIOCGIFTXQLEN:
		r->number = 1000;
		return 0;
	case SIOCGIFMAP:
		memset(r->bytes, 0, sizeof(r->bytes));
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static bool is_change(uint64_t request)
{
	switch (request) {
	case SIOCSIFLINK:
	case SIOCSIFFLAGS:
	case SIOCSIFADDR:
	case SIOCSIFDSTADDR:
	case SIOCSIFBRDADDR:
	case SIOCSIFNETMASK:
	case SIOCSIFMETRIC:
	case SIOCSIFMTU:
	case SIOCSIFNAME:
	case SIOCSIFHWADDR:
	case SIOCSIFTXQLEN:
	case SIOCSIFMAP:
		return true;
	default:
		return false;
	}
}

long sb_net_on_ioctl(struct sb_call *call)
{
	const uint64_t request = (uint32_t)sb_arg(call, 1);
	struct sb_link links[SB_LINK_MAX];
	const struct sb_link *link;
	struct request r;
	struct sb_net net;
	uint32_t count;
	long ret;

	if (request < FIRST_REQUEST || request > LAST_REQUEST ||
	    sb_net_option((int)sb_arg(call, 0), SOL_SOCKET, SO_TYPE) < 0)
		return sb_guest_pass(call, __NR_ioctl);
	ret = sb_net_get(call, &net);
	if (ret < 0)
		return ret;
	count = sb_link_list(&net, links);
	if (request == SIOCGIFCONF)
		return list_all(links, count, sb_arg(call, 2));
	if (sb_guest_read(&r, sb_arg(call, 2), sizeof(r)) < 0)
		return -EFAULT;
	if (is_change(request))
		return -EPERM;
	link = find(links, count, &r, request == SIOCGIFNAME);
	if (link == NULL)
		return -ENODEV;
	ret = fill(&r, link, request);
	return ret < 0 ? ret : sb_guest_write(sb_arg(call, 2), &r, sizeof(r));
}
