/* SPDX-License-Identifier: MIT */
/*
 * exec_plan.h - decide what an execve will do, before anything is done.
 *
 * Finds everything that can fail: the program, scripts and their interpreters, the ELF interpreter,
 * permissions. on_exec.c carries the plan out.
 */
#ifndef SB_EXEC_PLAN_H
#define SB_EXEC_PLAN_H

#include "exec/binfmt_elf.h"
#include "guest/thread.h"

#define SB_SCRIPT_DEPTH 5   /* one more level of "#!" is ELOOP */
#define SB_SCRIPT_LINE 256  /* how many bytes of a script are read */

struct sb_exec_plan {
	struct sb_elf elf;
	struct sb_path host;    /* host path of the ELF file */
	struct sb_path exe;     /* its canonical guest path */
	struct sb_path interp;  /* host path of the ELF interpreter, len 0 when static */
	struct sb_path execfn;  /* for AT_EXECFN */
	struct sb_path next;    /* the path of the next interpreter to look up */
	struct sb_ids ids;      /* credentials of the new program */
	uint64_t mask; /* the guest's mask; the runtime blocks all signals but SIGTRAP meanwhile */
	int fd; /* an open program without a name (memfd); -1 otherwise */
	int groups_fd; /* many_groups.h; -1 otherwise */
	int script_fd; /* the descriptor that named a script (fexecve); -1 otherwise */
	uint32_t secure;
	bool not_dumpable; /* other users must not see its memory */
	uint64_t program; /* which file it is: programs.h */
	uint32_t prefix_count; /* how many strings come before the guest's argv[1] */
	const char *prefix[2 * SB_SCRIPT_DEPTH + 2];
	uint32_t text_len; /* bytes used in text */
	char text[SB_SCRIPT_DEPTH * SB_SCRIPT_LINE + SB_PATH_MAX];
	char line[SB_SCRIPT_LINE + 1];
};

_Static_assert(sizeof(struct sb_exec_plan) <= SB_EXEC_PLAN_ROOM, "a thread has room for a plan");

/* Return the plan of the calling thread. */
static inline struct sb_exec_plan *sb_exec_plan_of(const struct sb_call *call)
{
	return (struct sb_exec_plan *)(void *)call->thread->scratch.exec_plan;
}

/* Plan the execution of the entry at; plan->execfn is the name that the guest used. -EACCES,
 * -ENOEXEC, -ENOENT (no interpreter), -ELOOP, -ELIBBAD and others. */
int sb_exec_plan(struct sb_call *call, struct sb_exec_plan *plan, struct sb_at *at) SB_MUST_CHECK;

#endif
