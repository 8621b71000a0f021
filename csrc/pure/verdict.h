/* SPDX-License-Identifier: MIT */
/*
 * verdict.h - what becomes of each system call number, for every way in.
 *
 * Level 1. The table itself is syscalls.def.
 */
#ifndef SB_VERDICT_H
#define SB_VERDICT_H

#include "base/base.h"

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
/* ioctl(2) matters when the request with these bits is this, SIOCGIFCONF and others, and the
 * container has addresses of its own. */
#define SB_IOCTL_MASK 0xffffff80
#define SB_IOCTL_SOCKET 0x8900
/* It always matters when the request is of a type (bits 8 to 15) of file systems: it may change a
 * file that is open to be read. linux/fs.h, and what file systems add. */
#define SB_IOCTL_TYPE 0xff00
#define SB_IOCTL_SET_FLAGS 0x40086602 /* FS_IOC_SETFLAGS */
#define SB_IOCTL_SET_FLAGS32 0x40046602
#define SB_IOCTL_SET_FSXATTR 0x401c5820
#define SB_IOCTL_PROCMAP_QUERY 0xc0686611UL /* of /proc/PID/maps, since Linux 6.11 */

unsigned sb_verdict(uint64_t nr);
/* Trapped only in containers that remember descriptors (descriptors.h); native elsewhere. */
bool sb_verdict_is_descriptor(uint64_t nr);
/* The types of requests of ioctl(2) that are of file systems; 0 ends them. */
extern const unsigned short sb_verdict_file_types[];
/* Is this request of one of them? */
bool sb_verdict_request_is_of_files(uint32_t request);
/* Does it change the flags or the project of a file? */
bool sb_verdict_request_changes_file(uint32_t request);
/* Is it of file systems, and known to change nothing but what its descriptor may write? */
bool sb_verdict_request_is_harmless(uint32_t request);
/* A trapped call that matters only when this argument (0-5) is not zero; -1:
 * it always does. */
int sb_verdict_argument(uint64_t nr);

#endif
