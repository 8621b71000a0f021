/* SPDX-License-Identifier: MIT */
/*
 * internal.h - how the content of a file of /proc is made.
 *
 * A filler writes the whole content to out, and calls sb_proc_flush_some now and then.
 */
#ifndef SB_PROC_INTERNAL_H
#define SB_PROC_INTERNAL_H

#include "net/net_rules.h"
#include "guest/paths/proc_entry.h"
#include "procfs/proc_limits.h"
#include "procfs/proc_status.h"
#include "procfs/proc_text.h"

struct sb_proc_fill {
	struct sb_call *call;
	struct sb_at *at;
	struct sb_proc_entry entry;
	const struct sb_proc_slot *slot; /* NULL: not a process of this container */
	struct sb_proc_out out;
	int fd;
	bool hidden;
	uint32_t lines; /* how many lines came before, for fillers that count */
	uint64_t used; /* bytes of memory, for the lines of meminfo */
	uint64_t times[SB_STAT_TIMES]; /* of the CPUs that programs see */
	struct sb_proc_status status;
	struct sb_ids ids;
	struct sb_net net;
};

typedef long sb_proc_filler(struct sb_proc_fill *f);
typedef void sb_proc_liner(struct sb_proc_fill *f, const char *line, size_t len);

#define SB_PROC_INPUT 12288 /* bytes of work->buffer for the kernel's text; out has the rest */

/* Write the content of out to the file. */
long sb_proc_flush(struct sb_proc_fill *f) SB_MUST_CHECK;
/* Do so if there is much. */
long sb_proc_flush_some(struct sb_proc_fill *f) SB_MUST_CHECK;
/* Hand each line of the kernel's file to line. */
long sb_proc_rewrite(struct sb_proc_fill *f, sb_proc_liner *line) SB_MUST_CHECK;

/* auxv.c */
long sb_proc_fill_auxv(struct sb_proc_fill *f);
/* Read the kernel's file whole into work->buffer; the length. */
long sb_proc_read_whole(struct sb_proc_fill *f) SB_MUST_CHECK;

/* task_files.c: the filler of a file that tells numbers or credentials of tasks, or NULL. */
sb_proc_filler *sb_proc_task_filler(struct sb_call *call, const struct sb_at *at,
				    const struct sb_proc_entry *entry);
long sb_proc_fill_locks(struct sb_proc_fill *f);
/* May the caller open this file of a process, as far as ptrace(2) decides? */
bool sb_proc_may_open(struct sb_call *call, const struct sb_proc_entry *entry);

/* limit_files.c: the filler of a file of /proc, or of a mount of the limits, or NULL. */
sb_proc_filler *sb_proc_limit_filler(const struct sb_call *call, const char *name, size_t len);
sb_proc_filler *sb_proc_limits_mount_filler(const struct sb_call *call, const char *name,
					    size_t len);

/* net_files.c: return the filler of a file of /proc/PID/net in a container with addresses of its
 * own, or NULL. */
sb_proc_filler *sb_proc_net_filler(const struct sb_call *call, const char *name, size_t len);
/* ipc_files.c: return the filler of a file of /proc/sysvipc in a container with System V objects of
 * its own, or NULL. */
sb_proc_filler *sb_proc_ipc_filler(const struct sb_call *call, const char *name, size_t len);

#endif
