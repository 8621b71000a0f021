/* SPDX-License-Identifier: MIT */
/*
 * process_table.h - the table of the container's processes, in the shared file.
 */
#ifndef SB_PROCESS_TABLE_H
#define SB_PROCESS_TABLE_H

#include "base/shared_abi.h"
#include "guest/guest.h"

/* Take a slot for the calling process. */
void sb_proc_register(struct sb_proc *proc, const struct sb_ids *ids, uint32_t parent);
/* Show the credentials of the calling process, which have changed, to the others. */
void sb_proc_publish(const struct sb_proc *proc, const struct sb_ids *ids);
/* Take a slot for a child, which may be stopped before it does so itself. */
void sb_proc_announce(const struct sb_proc *proc, const struct sb_ids *ids, uint32_t child);
/* One of the SB_PROC_SLOTS slots, counted from anywhere. */
struct sb_proc_slot *sb_proc_at(const struct sb_tree *tree, uint32_t number);
/* Does the process of the slot still run a program of this container? A zombie does not, and the
 * number may belong to a process outside by now. */
bool sb_proc_has_program(const struct sb_proc *self, const struct sb_proc_slot *slot);
/* A child is about to share the working directory, the root and the umask (CLONE_FS); the process
 * gets its own; does another process share them? */
void sb_proc_share_fs(struct sb_proc *proc);
void sb_proc_unshare_fs(struct sb_proc *proc);
bool sb_proc_shares_fs(const struct sb_proc *proc);
struct sb_proc_slot *sb_proc_find(const struct sb_tree *tree, uint32_t pid);

#endif
