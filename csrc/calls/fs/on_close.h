/* SPDX-License-Identifier: MIT */
/*
 * on_close.h - descriptors that are closed or duplicated.
 */
#ifndef SB_ON_CLOSE_H
#define SB_ON_CLOSE_H

#include "guest/guest.h"

/* Make the call nr, which duplicates the descriptor of its first argument. The new one is
 * remembered as what the old one is. */
long sb_duplicate(struct sb_call *call, long nr) SB_MUST_CHECK;

#endif
