/* SPDX-License-Identifier: MIT */
/*
 * proc_ipc.h - lines of /proc/sysvipc in guest terms.
 */
#ifndef SB_PROC_IPC_H
#define SB_PROC_IPC_H

#include "procfs/proc_text.h"
#include "pure/ipc_table.h"

/* One line; nothing comes of it unless the object is the container's. The heading stays. */
void sb_proc_ipc_line(const struct sb_tree *tree, enum sb_ipc_kind kind, const char *line,
		      size_t len, struct sb_proc_out *out);

#endif
