/* SPDX-License-Identifier: MIT */
/*
 * on_proc_name.h - which file of /proc an entry is.
 *
 * Level 3, private to on_proc*.c.
 */
#ifndef SB_ON_PROC_NAME_H
#define SB_ON_PROC_NAME_H

#include "base/mem.h"
#include "calls/proc/on_proc.h"

/* "/proc/12/task/13/fd/4" is pid 12, tid 13, rest "fd/4"; "/proc/sys/x" is pid
 * 0, rest "sys/x". rest points into at->guest. */
struct sb_proc_name {
	uint32_t pid;
	uint32_t tid; /* 0 when there is none */
	const char *rest;
	size_t len;
};

/* False when at is not below the mount of /proc. */
bool sb_proc_name(const struct sb_fs *fs, const struct sb_at *at, struct sb_proc_name *name);

/* Is the rest this text? */
static inline bool sb_proc_is_named(const struct sb_proc_name *name, const char *text)
{
	return sb_same(name->rest, name->len, text, strlen(text));
}

/* Is it a link whose object may have lost its name and is reached through the link? */
bool sb_proc_leads_to_object(const struct sb_proc_name *name);

#endif
