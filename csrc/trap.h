/* SPDX-License-Identifier: MIT */
/*
 * trap.h - the seccomp filter, and SIGSYS as a way into the runtime.
 *
 * Level 4.
 */
#ifndef SB_TRAP_H
#define SB_TRAP_H

#include "base.h"

/* Set no_new_privs and install the filter; once, by the first process of an
 * entry; children and new programs inherit it. flags are those of the control
 * file: who is told of a trapped call. */
int sb_trap_install(uint32_t flags) SB_MUST_CHECK;
/* Handlers of the calling process, which a new program does not inherit. */
int sb_trap_handlers(void) SB_MUST_CHECK;

#endif
