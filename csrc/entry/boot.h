/* SPDX-License-Identifier: MIT */
/*
 * boot.h - the first code of every program in a container.
 */
#ifndef SB_BOOT_H
#define SB_BOOT_H

#include "guest/entries.h"

/* Called by the first instruction. stack is as the kernel made it. asked is SB_TRACEE_MAGIC if a
 * debugger waits for the program. */
void sb_boot(uint64_t *stack, uint64_t asked, const struct sb_entries *entries) SB_NORETURN;

#endif
