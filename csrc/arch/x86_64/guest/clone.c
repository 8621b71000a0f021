/* SPDX-License-Identifier: MIT */
/*
 * clone.c - clone(2) for a guest, with the child in the runtime.
 */
#include "clone.h"

#include "guest/entries.h"

long sb_clone_copying(const struct sb_clone *a)
{
	if (sb_proc_is_32(sb_thread_self()->proc))
		return sb_clone32(a->flags, 0, a->ptid, a->ctid, a->tls, NULL);
	return sb_clone(a->flags, 0, a->ptid, a->ctid, a->tls);
}

long sb_clone_sharing(const struct sb_clone *a, struct sb_thread *child)
{
	uint64_t *top = (uint64_t *)(uintptr_t)(child->stack_top - 16);

	top[0] = (uintptr_t)child;
	top[1] = sb_entries_of(child->proc)->child;
	if (sb_proc_is_32(child->proc))
		return sb_clone32(a->flags, child->regs.sp, a->ptid, a->ctid, a->tls, child);
	return sb_clone(a->flags, (uintptr_t)top, a->ptid, a->ctid, a->tls);
}
