/* SPDX-License-Identifier: MIT */
/*
 * sigmask.h - the signals that are the runtime's own.
 *
 * Level 3.
 */
#ifndef SB_SIGMASK_H
#define SB_SIGMASK_H

#include <asm/signal.h>

#define SB_SIGMASK(sig) (1ULL << ((sig) - 1))
/* SIGSYS must never be blocked; the faults are the runtime's own. */
#define SB_MASK_ALL (~(SB_SIGMASK(SIGSYS) | SB_SIGMASK(SIGSEGV) | SB_SIGMASK(SIGBUS)))
#define SB_SA_RESTORER 0x04000000

#endif
