/* SPDX-License-Identifier: MIT */
/*
 * thread.h - the block of a thread: the guest's registers, the runtime's stack, scratch memory.
 *
 * The runtime's thread pointer leads to it (arch.h). A block is in use while the kernel knows its
 * tid: exit(2) is not trapped, since a thread may have unmapped its stack before it. The parent
 * makes the block before clone(2). Blocks are never unmapped, so they are found without a lock:
 * compare-and-swap of the state claims one.
 */
#ifndef SB_THREAD_H
#define SB_THREAD_H

#include <asm/siginfo.h>

#include "arch.h"
#include "guest/guest.h"

#define SB_STACK_SIZE 65536
#define SB_EXEC_PLAN_ROOM 36864

enum sb_thread_state {
	SB_THREAD_FREE = 0,
	SB_THREAD_LIVE = 1, /* until the kernel does not know tid */
};

/* What waits for the end of the call, in sb_thread.pending. */
#define SB_PENDING_SIGNAL 1
#define SB_PENDING_MASK 2

enum sb_wait {
	SB_WAIT_NONE = 0,
	SB_WAIT_MASKED = 1, /* the current call changes the mask while it waits */
	SB_WAIT_ENDED = 2,  /* a signal ended that call: its handler returns to mask_after */
};

/* Memory in which no call expects an old value. It is zero in the child of a fork, so that neither
 * side copies it (sb_thread_wipe_on_fork). */
struct sb_scratch {
	struct sb_work work;
	char path[2 * SB_PATH_MAX];
	char path2[2 * SB_PATH_MAX];
	char exec_plan[SB_EXEC_PLAN_ROOM] __attribute__((aligned(16))); /* struct sb_exec_plan */
	struct sb_compat_scratch compat;
} __attribute__((aligned(4096)));

/* Memory with an argument vector for execve. */
struct sb_exec_vector {
	void *memory;
	size_t size;
};

/* Assembly uses the offsets of the first members: thread_offsets.c of the processor. */
struct sb_thread {
	struct sb_thread *self;
	uint64_t stack_top;
	uint32_t pending;
	uint32_t has_pointer; /* the program's own thread pointer is kept in pointer */
	uint64_t number;      /* of the current system call */
	volatile uint32_t commit; /* fs.commit points here */
	uint32_t handling;    /* how many sb_signal_arrived are running */
	uint64_t trap_site;   /* behind the instruction of a call that trapped */
	uint32_t state;       /* enum sb_thread_state */
	uint32_t tid;
	uint64_t saved_mask;  /* the guest's mask, while pending */
	struct sb_regs regs;
	uint64_t pointer;     /* the program's value of what the runtime's pointer lies in */
	struct sb_compat_thread compat;
	unsigned char info[128]; /* the siginfo that waits */
	uint64_t wait_mask;   /* in force while sigsuspend, ppoll and others wait */
	uint64_t mask_after;  /* the mask after their signal handler */
	uint32_t waits;       /* enum sb_wait */
	uint32_t sigsys_blocked;
	uint32_t born;        /* counts threads: of two with one tid the later one lives */
	uint32_t restart;     /* the guest makes its call again */
	uint32_t trace_me;    /* ptrace(PTRACE_TRACEME) comes with the next program */
	uint64_t rolled_pc;   /* of the call that was rolled back last */
	uint64_t rolled_sp;
	uint32_t rolled;      /* how often in a row */
	struct sb_exec_vector script_vector; /* the arguments of a script's interpreter */
	struct sb_exec_vector wide_vector;   /* both vectors of a 32-bit program */
	uint64_t *place;      /* among the container's tasks: pids_limit.h */
	struct sb_thread *next;
	struct sb_proc *proc;
	struct sb_ids ids;
	struct sb_fs fs;
	struct sb_call call;
	struct sb_proc own_proc; /* of a process that shares memory with its parent */
	unsigned char stack[SB_STACK_SIZE] __attribute__((aligned(16)));
	struct sb_scratch scratch;
};

/* How often a call is rolled back. After that it is made, and signals wait; otherwise a call that
 * takes longer than the time between two signals would never be made. */
#define SB_PATIENCE 4
/* Was the current call rolled back that often? */
static inline bool sb_thread_insists(const struct sb_thread *thread)
{
	return SB_UNLIKELY(thread->rolled >= SB_PATIENCE) && thread->rolled_pc == thread->regs.pc &&
	       thread->rolled_sp == thread->regs.sp;
}

/* Return the block of the calling thread. */
static inline struct sb_thread *sb_thread_self(void)
{
	return sb_arch_thread();
}

extern struct sb_thread sb_first_thread; /* the head of the list of blocks */

/* Prepare a block for the calling thread or for one that is about to start. */
void sb_thread_init(struct sb_thread *thread, struct sb_proc *proc);
/* Tell the kernel not to copy the scratch memory of a block on fork. */
void sb_thread_wipe_on_fork(struct sb_thread *thread);
/* Return a free block for a new thread, or NULL. */
struct sb_thread *sb_thread_new(void) SB_MUST_CHECK;
/* The calling thread has begun: note its number. */
void sb_thread_born(struct sb_thread *thread);
void sb_thread_free(struct sb_thread *thread);
/* After a fork only the caller's block is in use. */
void sb_thread_forked(struct sb_thread *self);
/* Block the signals of mask until the call is over; *old is the guest's mask. SB_RESTART: a signal
 * came before, and nothing has to be given back. */
long sb_thread_hold(struct sb_thread *thread, uint64_t mask, uint64_t *old) SB_MUST_CHECK;
/* Put the guest's mask in force again at the end of the call. */
void sb_thread_unhold(struct sb_thread *thread, uint64_t old);
/* Unmap the memory of an argument vector. */
void sb_thread_drop_vector(struct sb_exec_vector *vector);

/* Fill the thread's call structure for a new call. */
static inline struct sb_call *sb_thread_call(struct sb_thread *thread)
{
	struct sb_proc *proc = thread->proc;
	struct sb_fs *fs = &thread->fs;
	struct sb_call *call = &thread->call;

	fs->tree = &proc->tree;
	fs->ids = &thread->ids;
	fs->root = proc->root;
	fs->root_len = proc->root_len;
	fs->umask = proc->umask;
	fs->real_ids = 0;
	fs->narrow_positions = sb_proc_is_32(proc);
	fs->commit = &thread->commit;
	fs->work = &thread->scratch.work;
	fs->dirs = proc->dirs;
	fs->fds = proc->fds;
	call->thread = thread;
	call->regs = &thread->regs;
	call->fs = fs;
	call->ids = &thread->ids;
	call->proc = proc;
	call->work = &thread->scratch.work;
	call->path = thread->scratch.path;
	call->path2 = thread->scratch.path2;
	return call;
}

#endif
