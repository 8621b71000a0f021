/* SPDX-License-Identifier: MIT */
/*
 * interfaces.c - list network interfaces by getifaddrs, by ioctl and by netlink requests.
 *
 *   interfaces getifaddrs|ioctl|requests
 */
#include "see.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static const char *text_of(const struct sockaddr *address)
{
	static char text[4][INET6_ADDRSTRLEN];
	static unsigned turn;
	char *chosen = text[turn++ % 4];

	if (address == NULL)
		return "none";
	if (address->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr,
			  chosen, sizeof(text[0]));
	else if (address->sa_family == AF_INET6)
		inet_ntop(AF_INET6,
			  &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, chosen,
			  sizeof(text[0]));
	else
		return "other";
	return chosen;
}

static void by_getifaddrs(void)
{
	struct ifaddrs *all = NULL;

	MUST(getifaddrs(&all));
	for (struct ifaddrs *one = all; one != NULL; one = one->ifa_next) {
		if (one->ifa_addr == NULL || one->ifa_addr->sa_family == AF_PACKET)
			continue;
		say("%s %s %s %s", one->ifa_name, text_of(one->ifa_addr), text_of(one->ifa_netmask),
		    (one->ifa_flags & IFF_LOOPBACK) != 0 ? "loopback" : "");
	}
	freeifaddrs(all);
	for (unsigned i = 1; i < 4; i++) {
		char name[IF_NAMESIZE];

		say("%u is %s", i, if_indextoname(i, name) == NULL ? error_name(errno) : name);
	}
	say("lo is %u, nothing is %u", if_nametoindex("lo"), if_nametoindex("nothing"));
}

static void by_ioctl(void)
{
	int fd = (int)MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	struct ifreq rows[8];
	struct ifconf all = {.ifc_len = sizeof(rows), .ifc_req = rows};
	struct ifreq one;
	int pipes[2];

	MUST(ioctl(fd, SIOCGIFCONF, &all));
	for (size_t i = 0; i < (size_t)all.ifc_len / sizeof(rows[0]); i++) {
		one = rows[i];
		say("%s %s", rows[i].ifr_name, text_of(&rows[i].ifr_addr));
		MUST(ioctl(fd, SIOCGIFNETMASK, &one));
		say("  mask %s", text_of(&one.ifr_addr));
		MUST(ioctl(fd, SIOCGIFFLAGS, &one));
		say("  up %d", (one.ifr_flags & IFF_UP) != 0);
	}
	memset(&one, 0, sizeof(one));
	strcpy(one.ifr_name, "nothing");
	SEE(ioctl(fd, SIOCGIFADDR, &one));
	SEE(ioctl(fd, SIOCGIFADDR, 8));
	SEE(ioctl(-1, SIOCGIFADDR, &one));
	strcpy(one.ifr_name, "lo");
	SEE(ioctl(fd, SIOCSIFMTU, &one));
	MUST(pipe(pipes));
	SEE(ioctl(pipes[0], SIOCGIFADDR, &one));
	SEE(ioctl(pipes[0], FIONREAD, &fd));
}

/* Netlink requests by send() and write(), and requests that fail. */
static void requests(void)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg body;
	} ask = {.head = {.nlmsg_len = sizeof(ask),
			  .nlmsg_type = RTM_GETLINK,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			  .nlmsg_seq = 7}};
	struct sockaddr_nl name = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
	struct nlmsghdr head;
	char buf[16384];
	socklen_t len = sizeof(name);
	int fd = (int)MUST(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
	int audit;

	SEE(bind(fd, (struct sockaddr *)&name, sizeof(name)) == 0);
	MUST(getsockname(fd, (struct sockaddr *)&name, &len));
	say("family %d, has a number %d", name.nl_family, name.nl_pid != 0);
	say("%d", send(fd, &ask, sizeof(ask), 0) == sizeof(ask));
	say("%d", recv(fd, buf, sizeof(buf), 0) > 0);
	memcpy(&head, buf, sizeof(head));
	say("type %d seq %d for us %d", head.nlmsg_type, head.nlmsg_seq,
	    head.nlmsg_pid == name.nl_pid);
	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
	ask.head.nlmsg_seq = 8;
	say("%d", write(fd, &ask, sizeof(ask)) == sizeof(ask));
	len = sizeof(name);
	say("%d", recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&name, &len) > 0);
	memcpy(&head, buf, sizeof(head));
	say("type %d seq %d from %u", head.nlmsg_type, head.nlmsg_seq, name.nl_pid);
	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
	ask.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	ask.head.nlmsg_type = RTM_DELLINK;
	ask.body.ifi_index = 1;
	say("%d", send(fd, &ask, sizeof(ask), 0) == sizeof(ask));
	say("%d", recv(fd, buf, sizeof(buf), 0) > 0);
	memcpy(&head, buf, sizeof(head));
	memcpy(&len, buf + sizeof(head), sizeof(len));
	say("type %d error %s", head.nlmsg_type, error_name(-(int)len));
	SEE(send(fd, (void *)8, sizeof(ask), 0));
	audit = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 9);
	say("audit %d", audit >= 0);
}

static const struct part parts[] = {
	{"getifaddrs", by_getifaddrs},
	{"ioctl", by_ioctl},
	{"requests", requests},
};

int main(int argc, char **argv)
{
	return run_group(argc, argv, parts, COUNT(parts));
}
