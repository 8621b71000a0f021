/* SPDX-License-Identifier: MIT */
/*
 * verdict.h - what becomes of each system call number, for every way in.
 *
 * Level 1. The table itself is syscalls.def.
 */
#ifndef SB_VERDICT_H
#define SB_VERDICT_H

#include "base.h"

/* The newest system call number that was looked at; anything above is unknown
 * and refused, so that a new path call cannot slip past. (462: mseal) */
#define SB_NR_KNOWN 462

/* The filter's data: in si_errno of the SIGSYS it raises. */
#define SB_TRAP_MAGIC 0x5b0c

enum sb_verdict {
	SB_NATIVE,
	SB_TRAPPED,
	/* from here on: SB_REFUSED + errno */
	SB_REFUSED = 16,
};

/* sendto(2) without an address matters on these descriptors when the container has
 * addresses of its own: netlink sockets are put there. */
#define SB_LINK_FD_FIRST 1000
#define SB_LINK_FD_LAST 1015
/* ioctl(2) matters when the request with these bits is this: SIOCGIFCONF and others. */
#define SB_IOCTL_MASK 0xffffff80
#define SB_IOCTL_SOCKET 0x8900

unsigned sb_verdict(uint64_t nr);
/* Trapped only in containers that remember descriptors (fds.h); native elsewhere. */
bool sb_verdict_is_descriptor(uint64_t nr);
/* A trapped call that matters only when this argument (0-5) is not zero; -1:
 * it always does. */
int sb_verdict_argument(uint64_t nr);

#endif
