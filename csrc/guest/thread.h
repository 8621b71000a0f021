/* SPDX-License-Identifier: MIT */
/*
 * thread.h - the per-thread block at the gs base, and its life.
 *
 * Level 3. A block is in use until the kernel does not know its tid: exit(2)
 * cannot be trapped, a thread may have unmapped its stack before it. Blocks are made by
 * the parent before clone(2) and are never returned to the kernel, so a block is
 * found again without a lock: state is claimed by compare-and-swap.
 */
#ifndef SB_THREAD_H
#define SB_THREAD_H

#include <asm/siginfo.h>

#include "arch/x86_64/layout.h"
#include "arch/x86_64/thread.h"
#include "guest/exec_plan.h"
#include "guest/guest.h"

#define SB_STACK_SIZE 65536
#define SB_ROOM32 32768

enum sb_thread_state {
	SB_THREAD_FREE = 0,
	SB_THREAD_LIVE = 1, /* free as soon as the kernel does not know tid */
};

/* What waits for the end of the call (sb_thread.pending). */
#define SB_PENDING_SIGNAL 1
#define SB_PENDING_MASK 2

enum sb_wait {
	SB_WAIT_NONE = 0,
	SB_WAIT_MASKED = 1, /* the call on its way changes the mask while it waits */
	SB_WAIT_ENDED = 2,  /* a signal ended it: the next handler returns to mask_after */
};

/* Memory whose content no call expects to find: zero in the child of a fork,
 * so that neither side copies it (sb_thread_wipe_on_fork). */
struct sb_scratch {
	struct sb_work work;
	char path[2 * SB_PATH_MAX];
	char path2[2 * SB_PATH_MAX];
	struct sb_exec_plan plan;
	char room32[SB_ROOM32]; /* structures of a 32-bit program, changed */
} __attribute__((aligned(4096)));

struct sb_thread {
	struct sb_thread *self;
	uint64_t stack_top;
	uint32_t pending;
	uint32_t pad;
	uint64_t number;      /* of the system call being worked on */
	volatile uint32_t commit; /* fs.commit points here */
	uint32_t handling;    /* nesting of sb_signal_arrived */
	uint64_t trap_site;   /* the call came by a trap: address behind its instruction */
	uint32_t gs32;        /* thread pointer (selector) of a 32-bit program */
	uint32_t pad2;
	uint64_t pad3;
	struct sb_regs regs;
	uint32_t state;       /* enum sb_thread_state */
	uint32_t tid;
	uint64_t saved_mask;  /* the guest's mask while pending */
	unsigned char info[128]; /* siginfo that waits */
	uint64_t wait_mask;   /* of sigsuspend, ppoll...: in force while they wait */
	uint64_t mask_after;  /* what their signal handler returns to */
	uint32_t waits;       /* enum sb_wait */
	uint32_t sigsys_blocked;
	uint32_t restart;     /* the guest shall make its call again */
	uint32_t trace_me;    /* ptrace(PTRACE_TRACEME) when it executes a program */
	uint64_t rolled_rip;  /* of the call that was rolled back last */
	uint64_t rolled_rsp;
	uint32_t rolled;      /* how often in a row */
	void *exec_memory;    /* argument vector made for execve, to give back */
	size_t exec_size;
	void *exec_memory32;  /* the same of a 32-bit program: both vectors */
	size_t exec_size32;
	struct sb_regs args32; /* arguments of its call, as a 64-bit program would give them */
	uint64_t *place;      /* among the tasks of the container: pids.h */
	struct sb_thread *next;
	struct sb_proc *proc;
	struct sb_ids ids;
	struct sb_fs fs;
	struct sb_call call;
	struct sb_proc own_proc; /* of a process that shares memory with its parent */
	unsigned char stack[SB_STACK_SIZE] __attribute__((aligned(16)));
	struct sb_scratch scratch;
};

#define SB_OFFSET_IS(field, value) \
	_Static_assert(offsetof(struct sb_thread, field) == (value), #field)
SB_OFFSET_IS(self, SB_T_SELF);
SB_OFFSET_IS(stack_top, SB_T_STACK_TOP);
SB_OFFSET_IS(pending, SB_T_PENDING);
SB_OFFSET_IS(number, SB_T_NUMBER);
SB_OFFSET_IS(commit, SB_T_COMMIT);
SB_OFFSET_IS(handling, SB_T_HANDLING);
SB_OFFSET_IS(trap_site, SB_T_TRAP_SITE);
SB_OFFSET_IS(gs32, SB_T_GS);
SB_OFFSET_IS(regs, SB_T_REGS);
SB_OFFSET_IS(regs.rip, SB_R_RIP);
SB_OFFSET_IS(regs.r15, SB_R_R15);

/* How often a call is rolled back: then it is made, and signals wait. Otherwise one that takes
 * longer than from one signal to the next would never be made. */
#define SB_PATIENCE 4
/* Is the call on its way one of those? */
static inline bool sb_thread_insists(const struct sb_thread *thread)
{
	return SB_UNLIKELY(thread->rolled >= SB_PATIENCE) &&
	       thread->rolled_rip == thread->regs.rip && thread->rolled_rsp == thread->regs.rsp;
}

/* The block of the calling thread. */
static inline struct sb_thread *sb_thread_self(void)
{
	return sb_arch_thread();
}

extern struct sb_thread sb_first_thread; /* also heads the list of blocks */

/* Prepare a block for use by the calling or a coming thread. */
void sb_thread_init(struct sb_thread *thread, struct sb_proc *proc);
/* Tell the kernel not to copy the scratch memory of a block on fork. */
void sb_thread_wipe_on_fork(struct sb_thread *thread);
/* A free block for a new thread, or NULL. */
struct sb_thread *sb_thread_new(void) SB_MUST_CHECK;
void sb_thread_free(struct sb_thread *thread);
/* After fork: only the caller's block is in use. */
void sb_thread_forked(struct sb_thread *self);
/* Block the signals of mask until the call is over; *old is the guest's mask. SB_RESTART, and
 * nothing to give back, when one came before. */
long sb_thread_hold(struct sb_thread *thread, uint64_t mask, uint64_t *old) SB_MUST_CHECK;
/* The guest's mask is in force again when the call is over. */
void sb_thread_unhold(struct sb_thread *thread, uint64_t old);
void sb_thread_set_base(struct sb_thread *thread);
/* Mark it as the calling thread's for sb_thread_find: at fs base. */
void sb_thread_mark32(struct sb_thread *thread);
/* The calling thread's block in a 32-bit program, whose gs base may be in force. */
struct sb_thread *sb_thread_find(void);
/* Which way to set the gs base this machine has (AT_HWCAP2). */
void sb_thread_probe(uint64_t hwcap2);
/* Take a slot of the process table for the calling process. */
void sb_proc_register(struct sb_proc *proc, const struct sb_ids *ids, uint32_t parent);
/* Do it for a child, which may be stopped before it can. */
void sb_proc_announce(const struct sb_proc *proc, const struct sb_ids *ids, uint32_t child);
struct sb_proc_slot *sb_proc_find(const struct sb_tree *tree, uint32_t pid);
/* Set the uid of a signal's sender, or of a child, to what the container knows, where the
 * kernel has written it. Not twice: it may be the number of another. */
void sb_proc_name_sender(const struct sb_tree *tree, siginfo_t *info);
/* The call structure of a thread, filled: for code that runs without a trap. */
struct sb_call *sb_thread_call(struct sb_thread *thread);

#endif
