/* SPDX-License-Identifier: MIT */
/*
 * clone.h - clone(2) for a guest, with the child in the runtime.
 */
#ifndef SB_CLONE_H
#define SB_CLONE_H

#include "guest/thread.h"

struct sb_clone { /* the arguments of clone(2) */
	uint64_t flags;
	uint64_t stack;
	uint64_t ptid;
	uint64_t ctid;
	uint64_t tls;
};

/* Make a child with a copy of this memory; it returns 0 here. */
long sb_clone_copying(const struct sb_clone *a) SB_MUST_CHECK;
/* Make a child that shares this memory. It begins on its block's stack, at
 * sb_entries_of()->child. */
long sb_clone_sharing(const struct sb_clone *a, struct sb_thread *child) SB_MUST_CHECK;

#endif
