/* SPDX-License-Identifier: MIT */
/*
 * verdict.h - what becomes of each system call number, for every interceptor.
 *
 * The table is syscalls.def.
 */
#ifndef SB_VERDICT_H
#define SB_VERDICT_H

#include "base/base.h"

/* The newest system call number that syscalls.def has been checked for (462: mseal). Numbers
 * above it are refused, so that no new call with a path slips past. */
#define SB_NR_KNOWN 462

/* The data of the seccomp filter, in si_errno of its SIGSYS. */
#define SB_TRAP_MAGIC 0x5b0c

enum sb_verdict {
	SB_NATIVE,
	SB_TRAPPED,
	/* from here on: SB_REFUSED + errno */
	SB_REFUSED = 16,
};

/* Netlink sockets of a container with addresses of its own have these descriptors: there
 * sendto(2) is trapped without an address, too. */
#define SB_LINK_FD_FIRST 1000
#define SB_LINK_FD_LAST 1015
/* In a container with addresses of its own ioctl(2) is trapped when these bits of the request
 * are SB_IOCTL_SOCKET: SIOCGIFCONF and others. */
#define SB_IOCTL_MASK 0xffffff80
#define SB_IOCTL_SOCKET 0x8900
/* In every container ioctl(2) is trapped when the type of the request (bits 8 to 15) is one of
 * file systems: such a request may change a file that is open for reading only. */
#define SB_IOCTL_TYPE 0xff00
#define SB_IOCTL_SET_FLAGS 0x40086602 /* FS_IOC_SETFLAGS */
#define SB_IOCTL_SET_FLAGS32 0x40046602
#define SB_IOCTL_SET_FSXATTR 0x401c5820
#define SB_IOCTL_OTHER_SIDE 0x5441 /* TIOCGPTPEER: open the terminal of a master */
#define SB_IOCTL_PROCMAP_QUERY 0xc0686611UL /* of /proc/PID/maps, since Linux 6.11 */

unsigned sb_verdict(uint64_t nr);
/* Trapped only in containers that remember descriptors (descriptors.h); native elsewhere. */
bool sb_verdict_is_descriptor(uint64_t nr);
/* About System V objects: native in a container that has none of its own. */
bool sb_verdict_is_ipc(uint64_t nr);
/* Refused only because Docker's default profile refuses it: seccomp=unconfined lets it pass. */
bool sb_verdict_is_of_profile(uint64_t nr);
/* The types of ioctl(2) requests that file systems have; 0 ends them. */
extern const unsigned short sb_verdict_file_types[];
/* Has the request one of these types? */
bool sb_verdict_request_is_of_files(uint32_t request);
/* Does it change the flags or the project of a file? */
bool sb_verdict_request_changes_file(uint32_t request);
/* Has it one of these types, and changes nothing unless its descriptor may write? */
bool sb_verdict_request_is_harmless(uint32_t request);
/* The commands of fcntl(2), and the requests of ioctl(2), that name a process or a group; 0 ends
 * them. fcntl is trapped for these alone. */
extern const unsigned short sb_verdict_process_commands[];
bool sb_verdict_fcntl_names_process(uint32_t command);
extern const unsigned short sb_verdict_process_requests[];
bool sb_verdict_request_names_process(uint32_t request);
/* Trapped only for a clock of a process or thread; its number has this bit. */
#define SB_CLOCK_OF_PROCESS 0x80000000u
bool sb_verdict_is_clock(uint64_t nr);
/* The argument (0-5) that must not be zero for the call to be trapped; -1: it always is. */
int sb_verdict_argument(uint64_t nr);

#endif
