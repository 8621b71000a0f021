/* SPDX-License-Identifier: MIT */
/*
 * cwd.h - remember the guest path of the working directory.
 *
 * How it works
 *   The kernel has the working directory. struct sb_proc keeps its guest path until a thread of the
 *   process changes the directory, or any process of the container moves or removes a directory
 *   (dircache.h). The path is not kept in mounts and live lowers, where others may rename
 *   directories, nor where threads have different directories.
 * Rules
 *   No lock: a path that another thread has torn does not match its sum.
 */
#ifndef SB_CWD_H
#define SB_CWD_H

#include "guest/guest.h"

/* The state before the kernel is asked; the answer is kept only while it is the same. */
struct sb_cwd_mark {
	uint32_t generation;
	uint32_t count;
	bool quiet;
};

struct sb_cwd_mark sb_cwd_mark(const struct sb_call *call);
bool sb_cwd_find(const struct sb_call *call, struct sb_path *out);
/* What the directory is, when it is pure (SB_PURE_*), however it was moved; else 0. *state changes
 * whenever the answer may. */
uint32_t sb_cwd_pure(const struct sb_call *call, uint64_t *state);
/* Remember that; pure may be 0. */
void sb_cwd_learn_pure(struct sb_call *call, const struct sb_cwd_mark *mark, uint32_t pure);
void sb_cwd_put(struct sb_call *call, const struct sb_cwd_mark *mark, const char *guest,
		uint32_t len);
/* Call these before and after each change of the directory, in a commit section. */
void sb_cwd_changing(struct sb_call *call);
void sb_cwd_changed(struct sb_call *call);
/* Remember no more: the threads of this process may have different directories, or share one with
 * another process. */
void sb_cwd_give_up(struct sb_proc *proc);
/* In the child of a fork: threads that were changing the directory are not here. */
void sb_cwd_forked(struct sb_proc *proc);

#endif
