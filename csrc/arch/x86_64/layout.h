/* SPDX-License-Identifier: MIT */
/*
 * layout.h - addresses, and the offsets in struct sb_thread that assembly uses.
 *
 * Read by C and by assembly. thread_offsets.c proves the offsets.
 */
#ifndef SB_ARCH_LAYOUT_H
#define SB_ARCH_LAYOUT_H

/* The runtime is linked at SB_ADDR_RUNTIME (guest.ld), and its maps lie below. All of
 * 0x5660..0x5680 belongs to it and to the kernel's brk area. */
#define SB_ADDR_CONTROL 0x566100000000
#define SB_ADDR_INDEX 0x566200000000
#define SB_ADDR_OWNERS 0x566300000000
#define SB_ADDR_THREADS 0x566400000000
#define SB_ADDR_NET 0x566500000000
#define SB_ADDR_NET_PORTS 0x566600000000
#define SB_ADDR_SHARED 0x566700000000
#define SB_ADDR_IPC 0x566800000000
#define SB_ADDR_LOW 0x566000000000
#define SB_ADDR_RUNTIME 0x567000000000
/* sb_entry, to which the rewritten copies in the store jump (guest.ld proves it). */
#define SB_ADDR_ENTRY 0x567000000400
/* sb_entry_traced and sb_entry_traced_gs, to which the tracer sends threads. */
#define SB_ADDR_TRACED 0x5670000003e0
#define SB_ADDR_TRACED_GS 0x5670000003c0
#define SB_ADDR_HIGH 0x568000000000
#define SB_ADDR_USER_END 0x7ffffffff000
#define SB_RUNTIME_HIGH_WORD 0x5670

/* The guest's trap and direction flags, which only popfq restores. */
#define SB_FLAGS_SLOW 0x500

/* The runtime's gs base lies so far below the thread's block. Then those of all threads lie between
 * 0x566000000000 and 0x567000000000, where a program has no memory. (The first block is part of the
 * runtime, and the program's heap lies behind that.) */
#define SB_GS_BIAS 0x70000000
#define SB_GS_SHIFT 36
#define SB_GS_TOP 0x566
/* A member of the block, for assembly. */
#define SB_GS(offset) % gs : (SB_GS_BIAS + (offset))

/* sb_gs_mode: who can have changed gs base. */
#define SB_GS_READ 0 /* anybody, so it is read */
#define SB_GS_OURS 1 /* nobody: there is no such instruction, and no thread asked the kernel */
#define SB_GS_ASKED 2 /* a thread that asked the kernel */

/* In r15 of a new program: a debugger waits for it (on_ptrace.c). */
#define SB_TRACEE_MAGIC 0x5bdeb06

#define SB_T_SELF 0
#define SB_T_STACK_TOP 8
#define SB_T_PENDING 16
#define SB_T_GS_OWN 20
#define SB_T_NUMBER 24
#define SB_T_COMMIT 32
#define SB_T_HANDLING 36
#define SB_T_TRAP_SITE 40
#define SB_T_REGS 64
#define SB_R_RAX (SB_T_REGS + 0)
#define SB_R_RDI (SB_T_REGS + 8)
#define SB_R_RSI (SB_T_REGS + 16)
#define SB_R_RDX (SB_T_REGS + 24)
#define SB_R_R10 (SB_T_REGS + 32)
#define SB_R_R8 (SB_T_REGS + 40)
#define SB_R_R9 (SB_T_REGS + 48)
#define SB_R_RIP (SB_T_REGS + 56)
#define SB_R_RSP (SB_T_REGS + 64)
#define SB_R_RFLAGS (SB_T_REGS + 72)
#define SB_R_RBX (SB_T_REGS + 80)
#define SB_R_RBP (SB_T_REGS + 88)
#define SB_R_R12 (SB_T_REGS + 96)
#define SB_R_R13 (SB_T_REGS + 104)
#define SB_R_R14 (SB_T_REGS + 112)
#define SB_R_R15 (SB_T_REGS + 120)
#define SB_T_GS_BASE (SB_T_REGS + 128)
#define SB_T_GS (SB_T_REGS + 136)

#endif
