/* SPDX-License-Identifier: MIT */
/*
 * signal_target.h - whom a signal from a program of the container reaches.
 */
#ifndef SB_SIGNAL_TARGET_H
#define SB_SIGNAL_TARGET_H

#include "guest/guest.h"

/* The call succeeds, and nobody gets the signal. */
#define SB_SIGNAL_DROPPED 1

/* May the caller signal a process or thread, by the kernel's number? 0, -EPERM, -ESRCH, or
 * SB_SIGNAL_DROPPED. A number that no process has (SB_PID_NOBODY) is 0: the kernel says what it
 * says then. */
int sb_signal_check(struct sb_call *call, int real, int sig) SB_MUST_CHECK;
/* The same for the process that a pidfd stands for. */
int sb_signal_check_pidfd(struct sb_call *call, int fd, int sig) SB_MUST_CHECK;
/* The kernel's number of the process that a pidfd stands for, or 0. */
uint32_t sb_pidfd_process(struct sb_call *call, int fd);
/* Signal every process of the container but the first one and the caller, as kill(-1). */
long sb_signal_all(struct sb_call *call, int sig);
/* Signal a process group, by the kernel's number. */
long sb_signal_group(struct sb_call *call, uint32_t group, int sig);

#endif
