/* SPDX-License-Identifier: MIT */
/*
 * mailbox.h - what execve leaves for the new program, in the control file.
 *
 * Level 3. A mailbox belongs to the process with its pid, until that frees it or is gone.
 */
#ifndef SB_MAILBOX_H
#define SB_MAILBOX_H

#include "exec/exec_plan.h"

/* Take a mailbox and write the plan into it. -EAGAIN when all are taken; *box may be set when
 * another error is returned. */
int sb_mailbox_post(const struct sb_proc *proc, const struct sb_exec_plan *plan,
		    struct sb_mailbox **box) SB_MUST_CHECK;
void sb_mailbox_free(struct sb_mailbox *box);
/* That of the calling process, which has just begun; NULL: none. */
struct sb_mailbox *sb_mailbox_own(const struct sb_proc *proc);

#endif
