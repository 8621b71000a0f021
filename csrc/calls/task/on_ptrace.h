/* SPDX-License-Identifier: MIT */
/*
 * on_ptrace.h - which stops a debugger's wait does not report.
 */
#ifndef SB_ON_PTRACE_H
#define SB_ON_PTRACE_H

#include "base/base.h"

/* Did the runtime cause the stop? Then the thread goes on already. Otherwise *status may have
 * become what the debugger shall see. */
bool sb_ptrace_hides(int tid, int *status) SB_MUST_CHECK;

#endif
