/* SPDX-License-Identifier: MIT */
/*
 * netdevice.h - netdevice(7): the container's interfaces by ioctl.
 */
#ifndef SB_NETDEVICE_H
#define SB_NETDEVICE_H

#include "guest/guest.h"

/* Answer a request about interfaces; the kernel gets all others. */
long sb_net_on_ioctl(struct sb_call *call);

#endif
