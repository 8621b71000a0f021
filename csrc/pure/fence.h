/* SPDX-License-Identifier: MIT */
/*
 * fence.h - which arguments of a system call the kernel refuses, even to the runtime.
 *
 * How it works
 *   A hostile guest can call the kernel by the runtime's own instruction. So the seccomp filter
 *   refuses what the runtime never does: setuid bits on a file of the host, namespaces, input put
 *   into a terminal. In a container without a network it refuses what Landlock's rules for TCP do
 *   not see.
 * Rules
 *   Pure: a table. A row about a call that is always trapped is for the runtime; a row about any
 *   other call is for the guest, too.
 */
#ifndef SB_FENCE_H
#define SB_FENCE_H

#include "base/base.h"

enum sb_fence_test {
	SB_FENCE_BITS, /* one of the bits is set in the argument */
	SB_FENCE_IS,   /* the argument is the value */
	SB_FENCE_ANY, /* whatever the arguments are */
};

struct sb_fence_rule {
	uint16_t nr;
	uint8_t argument; /* 0-5; its low 32 bits count */
	uint8_t test;
	uint32_t value;
	uint16_t error;
	bool alone; /* only in a container without a network */
};

extern const struct sb_fence_rule sb_fence_rules[]; /* one with error 0 ends them */

#endif
