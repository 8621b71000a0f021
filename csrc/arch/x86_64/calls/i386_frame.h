/* SPDX-License-Identifier: MIT */
/*
 * i386_frame.h - the frame of a signal handler of a 32-bit program (signal32.c).
 */
#ifndef SB_I386_FRAME_H
#define SB_I386_FRAME_H

#include "i386_call.h"

/* The program's code for the end of a handler: sigreturn, and here rt_sigreturn. */
#define SB_RETURN32_RT 16

#define SB_FRAME32_MARK 0x32f5a3e1U

struct sigcontext32 {
	uint32_t gs, fs, es, ds;
	uint32_t di, si, bp, sp, bx, dx, cx, ax;
	uint32_t trapno, err, ip, cs, flags, sp_at_signal, ss;
	uint32_t fpstate, oldmask, cr2;
};

struct ucontext32 {
	uint32_t flags;
	uint32_t link;
	uint32_t stack_sp;
	int32_t stack_flags;
	uint32_t stack_size;
	struct sigcontext32 mc;
	uint64_t mask;
} __attribute__((packed, aligned(4)));

/* The frame of a handler with SA_SIGINFO. */
struct rt_frame32 {
	uint32_t pretcode;
	int32_t sig;
	uint32_t pinfo;
	uint32_t puc;
	struct sb_siginfo32 info;
	struct ucontext32 uc;
};

/* The frame of other handlers. */
struct frame32 {
	uint32_t pretcode;
	int32_t sig;
	struct sigcontext32 mc;
	uint32_t mask_high;
};

/* One of both, and where the kernel's frame is. */
struct sb_frames32 {
	union {
		struct rt_frame32 rt;
		struct frame32 plain;
	};
	uint32_t mark;
	uint32_t uc; /* of the kernel's frame */
};

#endif
