/* SPDX-License-Identifier: MIT */
/*
 * opener_terminals.h - the opener's table of a container's terminals.
 *
 * How it works
 *   A terminal that was added stays as a descriptor that only names the file (O_PATH): so the other
 *   side still sees the end of its last user, and a number that the kernel gives to another
 *   terminal means nothing.
 * Rules
 *   Who adds a terminal has it open. A descriptor that only names a file proves nothing, since
 *   Landlock lets everyone make those.
 */
#ifndef SB_OPENER_TERMINALS_H
#define SB_OPENER_TERMINALS_H

#include "base/base.h"

/* Add the terminal that fd is, or whose other side it is. */
int sb_opener_add_terminal(int fd) SB_MUST_CHECK;
/* Open a terminal of the table, never as the controlling one. */
long sb_opener_open_terminal(uint32_t number, int flags) SB_MUST_CHECK;
/* The lowest number from here on, or -ENOENT. */
long sb_opener_next_terminal(uint32_t from) SB_MUST_CHECK;

#endif
