/* SPDX-License-Identifier: MIT */
/*
 * opener.h - ask the container's opener (opener/opener.h) to open what the fence keeps shut.
 *
 * Rules
 *   Signal-safe. The caller has begun a commit section: descriptors are open meanwhile. Where no
 *   opener is, the result is an error.
 */
#ifndef SB_VIEW_OPENER_H
#define SB_VIEW_OPENER_H

#include "base/opener_abi.h"
#include "tree/tree.h"

/* Ask, with the descriptors that are not negative, in this order: a number or -errno. */
long sb_opener_ask(const struct sb_fs *fs, const struct sb_opener_request *request, int fd,
		   int other);
/* Ask for a descriptor, with the descriptor fd unless it is negative, and close fd. As after
 * open(2), the result is the lowest that was free. */
long sb_opener_open(const struct sb_fs *fs, const struct sb_opener_request *request,
		    int fd) SB_MUST_CHECK;

#endif
