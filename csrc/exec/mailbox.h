/* SPDX-License-Identifier: MIT */
/*
 * mailbox.h - what execve leaves for the new program, in the shared file.
 *
 * The owner of a mailbox is a pid. The mailbox is free again when that process frees it or has
 * ended.
 */
#ifndef SB_MAILBOX_H
#define SB_MAILBOX_H

#include "base/shared_abi.h"
#include "exec/exec_plan.h"

/* Claim a mailbox and write the plan into it. -EAGAIN: all are taken. *box is also set when the
 * plan does not fit. */
int sb_mailbox_post(const struct sb_proc *proc, const struct sb_exec_plan *plan,
		    struct sb_mailbox **box) SB_MUST_CHECK;
void sb_mailbox_free(struct sb_mailbox *box);
/* Find the mailbox of the calling process, which has just begun. NULL: there is none. */
struct sb_mailbox *sb_mailbox_own(const struct sb_proc *proc);

#endif
