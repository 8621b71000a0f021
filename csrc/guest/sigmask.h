/* SPDX-License-Identifier: MIT */
/*
 * sigmask.h - the signals that the runtime needs for itself.
 */
#ifndef SB_SIGMASK_H
#define SB_SIGMASK_H

#include <asm/signal.h>

#define SB_SIGMASK(sig) (1ULL << ((sig) - 1))
/* A blocked SIGSYS kills; the runtime handles faults itself. */
#define SB_MASK_ALL (~(SB_SIGMASK(SIGSYS) | SB_SIGMASK(SIGSEGV) | SB_SIGMASK(SIGBUS)))
#define SB_SA_RESTORER 0x04000000

#endif
