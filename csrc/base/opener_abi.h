/* SPDX-License-Identifier: MIT */
/*
 * opener_abi.h - the messages between a guest and its container's opener (opener/opener.h).
 */
#ifndef SB_OPENER_ABI_H
#define SB_OPENER_ABI_H

#include <stdint.h>

#define SB_OPENER_SOCKET "opener" /* in the run directory */

enum sb_opener_verb {
	SB_TERMINAL_ADD = 1, /* the terminal of the second descriptor */
	SB_TERMINAL_OPEN,
	SB_TERMINAL_NEXT, /* the lowest number of a terminal from here on */
	SB_TASK_FILE_OPEN, /* the file of /proc/PID that the second descriptor names */
	SB_WATCH_ADD, /* the second descriptor is an inotify, the third names a file */
};

/* A datagram. Its first descriptor is a socket for the answer: a number or -errno, and the
 * descriptor that was opened. */
struct sb_opener_request {
	uint32_t verb;
	uint32_t number; /* of a terminal; the mask of a watch */
	uint32_t flags; /* of open(2) */
};

#endif
