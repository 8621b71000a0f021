/* SPDX-License-Identifier: MIT */
/*
 * on_proc_fill.h - how the content of a file of /proc is made.
 *
 * Level 3. A filler writes the whole content to out, and calls
 * sb_proc_flush_some now and then.
 */
#ifndef SB_ON_PROC_FILL_H
#define SB_ON_PROC_FILL_H

#include "net/net_rules.h"
#include "calls/proc/on_proc.h"
#include "calls/proc/on_proc_name.h"
#include "procfs/proc_text.h"

struct sb_proc_fill {
	struct sb_call *call;
	struct sb_at *at;
	struct sb_proc_name name;
	const struct sb_proc_slot *slot; /* NULL: not of this container */
	struct sb_proc_out out;
	int fd;
	bool hidden;
	uint32_t lines; /* how many were there before, for who counts */
	struct sb_proc_status status;
	struct sb_ids ids;
	struct sb_net net;
};

typedef long sb_proc_filler(struct sb_proc_fill *f);
typedef void sb_proc_liner(struct sb_proc_fill *f, const char *line, size_t len);

long sb_proc_flush_some(struct sb_proc_fill *f) SB_MUST_CHECK;
/* The kernel's file, line by line. */
long sb_proc_rewrite(struct sb_proc_fill *f, sb_proc_liner *line) SB_MUST_CHECK;

/* on_proc_net.c: the filler of a file of /proc/PID/net in a container with
 * addresses of its own, or NULL. */
sb_proc_filler *sb_proc_net_filler(const struct sb_call *call, const char *name, size_t len);

#endif
