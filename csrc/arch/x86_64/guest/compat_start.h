/* SPDX-License-Identifier: MIT */
/*
 * compat_start.h - what a 32-bit program starts with.
 *
 * Level 4. The kernel has started the runtime, a 64-bit program: stack and auxiliary
 * vector are made anew below 4 GiB.
 */
#ifndef SB_COMPAT_START_H
#define SB_COMPAT_START_H

#include <elf.h>

#include "base/base.h"
#include "exec/binfmt_elf.h"
#include "guest/guest.h"

struct sb_compat_start {
	char **argv;
	char **envp;
	Elf64_auxv_t *auxv; /* corrected for the program; becomes that of /proc/PID/auxv */
	const unsigned char *random; /* 16 bytes of AT_RANDOM */
	bool exec_stack;
};

/* Before it is mapped: programs from before stacks that cannot be executed may execute
 * whatever they can read. */
void sb_compat_begin(const struct sb_elf *elf);
/* Make the stack: its top, or -errno. */
long sb_compat_stack(const struct sb_compat_start *start) SB_MUST_CHECK;
/* The heap begins behind this address (random further), code for the end of handlers is
 * made. 0 or -errno. */
int sb_compat_prepare(struct sb_proc *proc, uint64_t end,
		      const unsigned char *random) SB_MUST_CHECK;
#endif
