/* SPDX-License-Identifier: MIT */
/*
 * profile.h - what a user's seccomp profile says about a system call.
 *
 * Why
 *   The kernel runs the profile, too (entry/profile_filter.c). But a trapped call is answered by
 *   the runtime before the kernel's verdict counts, and a rewritten call site does not enter the
 *   kernel. So the runtime asks the same program.
 * Rules
 *   Pure. The program begins with a call of this processor's own kind; it does not look at the
 *   architecture or at the address.
 */
#ifndef SB_PROFILE_H
#define SB_PROFILE_H

#include "base/abi.h"
#include "base/base.h"

/* Run the program: returns a SECCOMP_RET_* value. A damaged program says SECCOMP_RET_KILL_PROCESS.
 */
uint32_t sb_profile_run(const struct sb_profile_step *steps, uint32_t count, uint64_t nr,
			const uint64_t args[6]);
/* Does the runtime itself make this call, to answer others? */
bool sb_profile_is_needed(uint64_t nr);

#endif
