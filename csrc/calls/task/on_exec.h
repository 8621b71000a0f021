/* SPDX-License-Identifier: MIT */
/*
 * on_exec.h - execute a program without an execve(2) of a 64-bit program.
 */
#ifndef SB_ON_EXEC_H
#define SB_ON_EXEC_H

#include "guest/guest.h"

/* execve and execveat, to be called by sb_exec_held(), which makes signals wait for the new
 * program. */
long sb_execve(struct sb_call *call) SB_MUST_CHECK;
long sb_execveat(struct sb_call *call) SB_MUST_CHECK;
long sb_exec_held(struct sb_call *call, sb_handler *handler) SB_MUST_CHECK;

/* Execute path for a process that is not inside a system call of the guest. Returns only -errno.
 * argv and envp as in execve(2). */
long sb_exec(struct sb_call *call, const char *path, uint64_t argv, uint64_t envp) SB_MUST_CHECK;

#endif
