/* SPDX-License-Identifier: MIT */
/*
 * netdevice.h - netdevice(7): the container's interfaces by ioctl.
 *
 * Level 3.
 */
#ifndef SB_NETDEVICE_H
#define SB_NETDEVICE_H

#include "guest/guest.h"

/* Passes requests that are not about interfaces. */
long sb_net_on_ioctl(struct sb_call *call);

#endif
