/* SPDX-License-Identifier: MIT */
/*
 * terminals.h - the terminals of a container: which ones below /dev/pts are its own.
 *
 * How it works
 *   All terminals of the user lie in one directory of the machine, and Landlock cannot grant those
 *   that a container makes later. So it grants none, and the opener (opener/opener.h) opens those
 *   of the container. Who has a terminal or its other side open makes it the container's. The
 *   opener remembers the file, not the number, which the kernel gives to another terminal later.
 * Rules
 *   Signal-safe. Where no opener is, no terminal is the container's. The caller has begun a commit
 *   section.
 */
#ifndef SB_TERMINALS_H
#define SB_TERMINALS_H

#include "tree/tree.h"

#define SB_TERMINAL_MAJOR 136

/* Make the terminal of a descriptor the container's, if it is one: a terminal of /dev/pts or the
 * other side of one. */
int sb_terminal_add(const struct sb_fs *fs, int fd);
/* Open a terminal of the container. -ENOENT: it has none with that number. */
long sb_terminal_open(const struct sb_fs *fs, uint32_t number, int flags) SB_MUST_CHECK;
bool sb_terminal_is_own(const struct sb_fs *fs, uint32_t number);
/* The number in a name below /dev/pts; false for other names. */
bool sb_terminal_number(const char *name, size_t len, uint32_t *out);

#endif
