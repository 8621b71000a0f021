/* SPDX-License-Identifier: MIT */
/*
 * net_log.h - the lines behind --network-log.
 */
#ifndef SB_NET_LOG_H
#define SB_NET_LOG_H

#include "guest/guest.h"
#include "net/net_rules.h"

struct sb_net_event {
	const char *what;
	bool udp;
	int fd; /* of a connection; -1: none */
	const struct sb_net_place *place;
	long ret; /* of a datagram: its length, or -errno */
};
void sb_net_log(struct sb_call *call, const struct sb_net_event *event);

#endif
