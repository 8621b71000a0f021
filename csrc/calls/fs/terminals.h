/* SPDX-License-Identifier: MIT */
/*
 * terminals.h - which terminals below /dev/pts are the container's.
 */
#ifndef SB_TERMINALS_H
#define SB_TERMINALS_H

#include "guest/guest.h"

/* May a program of the container open this device? False: it is a terminal of the user that no
 * process of the container has. */
bool sb_terminal_is_own(const struct sb_call *call, const struct sb_path *host);

#endif
