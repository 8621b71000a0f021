/* SPDX-License-Identifier: MIT */
/*
 * compat_start.h - stack, auxiliary vector and heap of a new 32-bit program.
 *
 * The kernel has started the runtime, a 64-bit program. So these are made anew, below 4 GiB.
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
	Elf64_auxv_t *auxv; /* corrected for the program; /proc/PID/auxv shows it */
	const unsigned char *random; /* the 16 bytes of AT_RANDOM */
	bool exec_stack;
};

/* Call it before the program is mapped. A program from the time before non-executable stacks may
 * execute all memory that it can read. */
void sb_compat_begin(const struct sb_elf *elf);
/* Make the stack. Returns its top or -errno. */
long sb_compat_stack(const struct sb_compat_start *start) SB_MUST_CHECK;
/* Make the heap, which begins a random way behind end, and the code that ends handlers. 0 or
 * -errno. */
int sb_compat_prepare(struct sb_proc *proc, uint64_t end,
		      const unsigned char *random) SB_MUST_CHECK;
#endif
