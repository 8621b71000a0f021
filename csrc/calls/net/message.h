/* SPDX-License-Identifier: MIT */
/*
 * message.h - a message and its vectors in the layout of system calls.
 */
#ifndef SB_MESSAGE_H
#define SB_MESSAGE_H

#include "base/base.h"

struct sb_message { /* struct user_msghdr */
	uint64_t name;
	uint32_t name_len;
	uint32_t pad;
	uint64_t iov;
	uint64_t iov_len;
	uint64_t control;
	uint64_t control_len;
	uint32_t flags;
	uint32_t pad2;
};

struct sb_vector { /* struct iovec */
	uint64_t base;
	uint64_t len;
};

#endif
