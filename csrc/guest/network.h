/* SPDX-License-Identifier: MIT */
/*
 * network.h - the files of the container's network, mapped at the first use.
 */
#ifndef SB_NETWORK_H
#define SB_NETWORK_H

#include "guest/guest.h"
#include "net/net_rules.h"

/* Map them unless that is done. */
int sb_net_attach(struct sb_call *call) SB_MUST_CHECK;

/* Map them unless that is done. -ENETDOWN: they are not there, or the container has left them. */
int sb_net_get(struct sb_call *call, struct sb_net *out) SB_MUST_CHECK;

#endif
