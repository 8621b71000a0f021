/* SPDX-License-Identifier: MIT */
/*
 * process_table.h - the table of the container's processes, in the control file.
 *
 * Level 3.
 */
#ifndef SB_PROCESS_TABLE_H
#define SB_PROCESS_TABLE_H

#include <asm/siginfo.h>

#include "guest/guest.h"

/* Take a slot of the process table for the calling process. */
void sb_proc_register(struct sb_proc *proc, const struct sb_ids *ids, uint32_t parent);
/* Do it for a child, which may be stopped before it can. */
void sb_proc_announce(const struct sb_proc *proc, const struct sb_ids *ids, uint32_t child);
struct sb_proc_slot *sb_proc_find(const struct sb_tree *tree, uint32_t pid);
/* Set the uid of a signal's sender, or of a child, to what the container knows, where the
 * kernel has written it. Not twice: it may be the number of another. */
void sb_proc_name_sender(const struct sb_tree *tree, siginfo_t *info);

#endif
