/* SPDX-License-Identifier: MIT */
/*
 * proc_entry.h - which process, descriptor or file an entry of /proc names.
 */
#ifndef SB_PROC_ENTRY_H
#define SB_PROC_ENTRY_H

#include "base/mem.h"
#include "base/shared_abi.h"
#include "guest/guest.h"

/* The kernel's numbers. "/proc/12/task/13/fd/4" is pid 12, tid 13, rest "fd/4"; "/proc/sys/x" is
 * pid 0, rest "sys/x". rest points into at->guest. */
struct sb_proc_entry {
	uint32_t pid;
	uint32_t tid; /* 0: none */
	const char *rest;
	size_t len;
	bool of_limits; /* it is not below /proc, but below a mount of the limits */
};

/* Parse an entry; false: it is not below the mount of /proc. */
bool sb_proc_entry(const struct sb_fs *fs, const struct sb_at *at, struct sb_proc_entry *entry);

/* Is the rest this text? */
static inline bool sb_proc_is_named(const struct sb_proc_entry *entry, const char *text)
{
	return sb_same(entry->rest, entry->len, text, strlen(text));
}

/* Does the link lead to an object that may have lost its name, and is reached through the link? */
bool sb_proc_leads_to_object(const struct sb_proc_entry *entry);
/* Is at an object without a name (magic_link.h)? */
bool sb_proc_is_object(const struct sb_fs *fs, const struct sb_at *at);
/* Return the descriptor number if the object is the process's own, otherwise -1. */
int sb_proc_object_fd(const struct sb_call *call, const struct sb_at *at);

/* Find the slot of a process of this container by a process or thread id, or NULL. */
const struct sb_proc_slot *sb_proc_slot_of(struct sb_call *call, uint32_t id);

#endif
