/* SPDX-License-Identifier: MIT */
/*
 * cwd.h - remember the guest path of the working directory.
 *
 * Level 3.
 * How it works
 *   The working directory is the kernel's. Its guest path is kept in struct sb_proc until a
 *   thread of this process changes the directory, or any process of the container moves or
 *   removes some directory (dircache.h). Not kept: in mounts and live lowers, which others may
 *   rename, and where threads do not share one directory.
 * Rules
 *   No lock: a path torn by another thread does not match its sum.
 */
#ifndef SB_CWD_H
#define SB_CWD_H

#include "guest/guest.h"

/* Read before the kernel is asked, given back with the answer. */
struct sb_cwd_mark {
	uint32_t generation;
	uint32_t count;
	bool quiet;
};

struct sb_cwd_mark sb_cwd_mark(const struct sb_call *call);
bool sb_cwd_find(const struct sb_call *call, struct sb_path *out);
void sb_cwd_put(struct sb_call *call, const struct sb_cwd_mark *mark, const char *guest,
		uint32_t len);
/* Around each change of the directory, in a commit section. */
void sb_cwd_changing(struct sb_call *call);
void sb_cwd_changed(struct sb_call *call);
/* Threads of this process may have different directories, or share it with another process. */
void sb_cwd_give_up(struct sb_proc *proc);
/* In the child of a fork: the threads that changed the directory are not here. */
void sb_cwd_forked(struct sb_proc *proc);

#endif
