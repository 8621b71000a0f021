/* SPDX-License-Identifier: MIT */
/*
 * tracee_registers.h - what a debugger that is a guest sees and sets in gs.
 */
#ifndef SB_TRACEE_REGISTERS_H
#define SB_TRACEE_REGISTERS_H

#include "guest/guest.h"

/* Answer a ptrace(2) about all registers, or about gs base: true, with the result in *ret. */
bool sb_tracee_registers(struct sb_call *call, long *ret);

#endif
