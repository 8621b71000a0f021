/* SPDX-License-Identifier: MIT */
/*
 * trace.h - one line per intercepted call, into <run>/trace (--trace).
 *
 * Level 3.
 */
#ifndef SB_TRACE_H
#define SB_TRACE_H

#include "guest.h"

/* "<pid> name(path) = result" with the host path the lookup found. */
void sb_trace_call(struct sb_call *call, long result);
/* "<pid> name: what": something was refused or is only pretended. */
void sb_trace_note(struct sb_call *call, const char *what);

#endif
