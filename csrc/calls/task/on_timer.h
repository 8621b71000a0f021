/* SPDX-License-Identifier: MIT */
/*
 * on_timer.h - clocks of a process or thread.
 */
#ifndef SB_ON_TIMER_H
#define SB_ON_TIMER_H

#include "guest/guest.h"

/* The kernel's number of a clock that a program names. */
int sb_clock_from_guest(const struct sb_proc *proc, int clock);

#endif
