/* SPDX-License-Identifier: MIT */
/*
 * dumpable.h - what PR_GET_DUMPABLE says of a process whose ids changed.
 */
#ifndef SB_DUMPABLE_H
#define SB_DUMPABLE_H

#include "guest/guest.h"

/* The machine's fs.suid_dumpable, as the kernel sets it after a change of ids. */
uint32_t sb_suid_dumpable(void);

#endif
