/* SPDX-License-Identifier: MIT */
/*
 * thread_offsets.c - proves the offsets in struct sb_thread that assembly uses (layout.h).
 */
#include "guest/entries.h"
#include "guest/thread.h"

#define OFFSET_IS(field, value) _Static_assert(offsetof(struct sb_thread, field) == (value), #field)

OFFSET_IS(self, SB_T_SELF);
OFFSET_IS(stack_top, SB_T_STACK_TOP);
OFFSET_IS(pending, SB_T_PENDING);
OFFSET_IS(has_pointer, SB_T_GS_OWN);
OFFSET_IS(pointer, SB_T_GS_BASE);
OFFSET_IS(number, SB_T_NUMBER);
OFFSET_IS(commit, SB_T_COMMIT);
OFFSET_IS(handling, SB_T_HANDLING);
OFFSET_IS(trap_site, SB_T_TRAP_SITE);
OFFSET_IS(compat.gs, SB_T_GS);
OFFSET_IS(regs, SB_T_REGS);
OFFSET_IS(regs.rax, SB_R_RAX);
OFFSET_IS(regs.args[0], SB_R_RDI);
OFFSET_IS(regs.args[5], SB_R_R9);
OFFSET_IS(regs.pc, SB_R_RIP);
OFFSET_IS(regs.r15, SB_R_R15);

/* The table in entry.S has this layout. */
_Static_assert(offsetof(struct sb_entries, modes) == 5 * 8, "five addresses come first");
_Static_assert(sizeof(struct sb_entries) == (5 + 2 * 6) * 8, "and six of each mode");
