/* SPDX-License-Identifier: MIT */
/*
 * sender.h - who sent a signal, as a program sees it.
 */
#ifndef SB_SENDER_H
#define SB_SENDER_H

#include <asm/siginfo.h>

#include "guest/guest.h"

/* Set pid and uid of a signal's sender, or of a child, to the container's, if the kernel wrote
 * them. Call it once: the results may be the numbers of others. */
void sb_sender_to_guest(const struct sb_tree *tree, siginfo_t *info);
/* A debugger gives such a signal back: the kernel's pid again. */
void sb_sender_from_guest(const struct sb_proc *proc, siginfo_t *info);

#endif
