/* SPDX-License-Identifier: MIT */
/*
 * tracee_registers.h - what a debugger that is a guest sees and sets in gs.
 */
#ifndef SB_TRACEE_REGISTERS_H
#define SB_TRACEE_REGISTERS_H

#include "guest/guest.h"

/* Answer a ptrace(2) of a thread, by the kernel's number, about all registers, or about gs base:
 * true, with the result in *ret. */
bool sb_tracee_registers(struct sb_call *call, int tid, long *ret);

#endif
