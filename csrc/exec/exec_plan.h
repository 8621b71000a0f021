/* SPDX-License-Identifier: MIT */
/*
 * exec_plan.h - decide what an execve will do, before anything is done.
 *
 * Level 3. Everything that can fail is found out here: the program, scripts
 * and their interpreters, the ELF interpreter, permissions. on_exec.c carries
 * the plan out.
 */
#ifndef SB_EXEC_PLAN_H
#define SB_EXEC_PLAN_H

#include "exec/binfmt_elf.h"
#include "guest/thread.h"

#define SB_SCRIPT_DEPTH 5   /* one more level of "#!" is ELOOP */
#define SB_SCRIPT_LINE 256  /* bytes of a script that are looked at */

struct sb_exec_plan {
	struct sb_elf elf;
	struct sb_path host;    /* host path of the ELF file */
	struct sb_path exe;     /* its canonical guest path */
	struct sb_path interp;  /* host path of the ELF interpreter, len 0 when static */
	struct sb_path execfn;  /* what AT_EXECFN shall say */
	struct sb_path next;    /* path of the interpreter being looked up */
	struct sb_ids ids;      /* credentials of the new program */
	uint64_t mask; /* of the guest's signals: all but SIGTRAP are blocked meanwhile */
	int fd;                 /* open program without a name (memfd), else -1 */
	int script_fd;          /* descriptor a script was named by (fexecve), else -1 */
	uint32_t secure;
	uint32_t prefix_count;  /* strings that come before the guest's argv[1] */
	const char *prefix[2 * SB_SCRIPT_DEPTH + 2];
	uint32_t text_len;      /* of the strings prefix points to */
	char text[SB_SCRIPT_DEPTH * SB_SCRIPT_LINE + SB_PATH_MAX];
	char line[SB_SCRIPT_LINE + 1];
};

_Static_assert(sizeof(struct sb_exec_plan) <= SB_EXEC_PLAN_ROOM, "a thread has room for a plan");

/* The thread's. */
static inline struct sb_exec_plan *sb_exec_plan_of(const struct sb_call *call)
{
	return (struct sb_exec_plan *)(void *)call->thread->scratch.exec_plan;
}

/* Plan the execution of the entry at, which execfn (in plan) names. -EACCES,
 * -ENOEXEC, -ENOENT (an interpreter is missing), -ELOOP, -ELIBBAD, ... */
int sb_exec_plan(struct sb_call *call, struct sb_exec_plan *plan, struct sb_at *at) SB_MUST_CHECK;

#endif
