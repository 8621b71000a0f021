/* SPDX-License-Identifier: MIT */
/*
 * trap.h - the seccomp filter, and SIGSYS as a way into the runtime.
 *
 * Level 4.
 */
#ifndef SB_TRAP_H
#define SB_TRAP_H

#include "base/abi.h"
#include "base/base.h"

/* Set no_new_privs and install the filter; once, by the first process of an
 * entry; children and new programs inherit it. The control file says who is told of a
 * trapped call, and whether the container has a network of its own. */
int sb_trap_install(const struct sb_control *control) SB_MUST_CHECK;
/* Handlers of the calling process, which a new program does not inherit. */
int sb_trap_handlers(bool is_32) SB_MUST_CHECK;

#endif
