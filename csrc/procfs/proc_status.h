/* SPDX-License-Identifier: MIT */
/*
 * proc_status.h - lines of /proc/PID/status in guest terms.
 */
#ifndef SB_PROC_STATUS_H
#define SB_PROC_STATUS_H

#include "procfs/proc_text.h"

/* What /proc/PID/status shall say. Where ids is NULL or has_own false, the kernel's lines stay. */
struct sb_proc_status {
	const struct sb_tree *tree; /* whose numbers of tasks hold; NULL: the kernel's */
	const struct sb_ids *ids;
	uint64_t caught;
	uint32_t seccomp_mode;
	uint32_t umask;
	bool is_traced; /* the container's own tracer traces it, which is not shown */
	bool has_own; /* caught, seccomp_mode and umask are known */
};
void sb_proc_status_line(const struct sb_proc_status *status, const char *line, size_t len,
			 struct sb_proc_out *out);

#endif
