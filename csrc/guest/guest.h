/* SPDX-License-Identifier: MIT */
/*
 * guest.h - state of one guest thread and process, access to its memory, the final call.
 *
 * Level 3. struct sb_thread lies at the gs base; it holds the guest's registers while the
 * runtime works, the runtime's stack, and scratch memory. struct sb_proc is
 * what the kernel keeps per process or per sharing flag of clone(2).
 * Every guest pointer may be bad: only the functions here touch guest memory,
 * they answer -EFAULT. Copy a path once, then work on the copy.
 */
#ifndef SB_GUEST_H
#define SB_GUEST_H

#include "compat.h"
#include "tree/dircache.h"
#include "view/view.h"

struct sb_action { /* as the guest set it; layout of the kernel's struct sigaction */
	uint64_t handler;
	uint64_t flags;
	uint64_t restorer;
	uint64_t mask;
};

/* cwd.h: the guest path of the working directory, or len 0. */
struct sb_cwd {
	uint64_t sum;
	uint32_t generation;
	uint32_t count;
	uint32_t len;
	char text[492];
};

/* Cloned or shared as clone(2) flags say; one for all threads of a process. */
struct sb_proc {
	struct sb_tree tree;
	uint32_t pid;
	uint32_t umask;
	uint32_t dumpable;
	uint32_t seccomp_mode;       /* what the guest believes (0, 2) */
	uint32_t root_len;
	uint32_t exe_len;
	uint32_t is_32;        /* a 32-bit program: sb_proc_is_32() */
	struct sb_compat_proc compat;
	uint32_t cwd_count;    /* changes of the working directory */
	uint32_t cwd_changing; /* those on their way */
	uint32_t cwd_given_up;
	uint32_t deaf; /* it has a raw socket of ICMP that hears nothing: on_ping.c */
	struct sb_cwd cwd;
	struct sb_dir_slots dirs;
	struct sb_fds *fds; /* of the threads that share memory and descriptors; or NULL */
	struct sb_action actions[65]; /* by signal number */
	char root[SB_PATH_MAX];      /* canonical guest path of the root directory */
	char exe[SB_PATH_MAX];       /* canonical guest path of the program */
};

struct sb_thread; /* layout in thread.h (level 4 needs it, handlers use the functions here) */

/* What a handler gets. */
struct sb_call {
	struct sb_thread *thread;
	struct sb_regs *regs;
	struct sb_fs *fs;     /* fs->ids points at *ids */
	struct sb_ids *ids;   /* the thread's credentials; a handler may change them */
	struct sb_proc *proc;
	struct sb_work *work;
	char *path;           /* 2 * SB_PATH_MAX bytes: sb_tree_guest_path puts strings here */
	char *path2;
};

/* Argument n (0 to 5) of the system call. */
static inline uint64_t sb_arg(const struct sb_call *call, unsigned n)
{
	return call->regs->args[n];
}

static inline bool sb_proc_is_32(const struct sb_proc *proc)
{
	return SB_HAS_COMPAT && proc->is_32 != 0;
}

/* The credentials to change: from here on the call is not rolled back for a
 * signal, as doing it twice may differ from doing it once. */
static inline struct sb_ids *sb_call_change_ids(struct sb_call *call)
{
	sb_commit_begin(call->fs);
	return call->ids;
}

/* Copy len bytes; 0 or -EFAULT. From a write on the call is not rolled back any more. */
int sb_guest_read(void *dst, uint64_t src, size_t len) SB_MUST_CHECK;
int sb_guest_write(uint64_t dst, const void *src, size_t len) SB_MUST_CHECK;
/* The same of what may be written again: the call can still be rolled back. */
int sb_guest_rewrite(uint64_t dst, const void *src, size_t len) SB_MUST_CHECK;
/* Copy a string with its NUL into dst (max bytes). Returns the length without
 * NUL, -EFAULT, or -ENAMETOOLONG when it does not fit. */
long sb_guest_string(char *dst, uint64_t src, size_t max) SB_MUST_CHECK;

/* The kernel's own "restart after the signal"; never reaches the guest. */
#define SB_RESTART (-512)
/* A system call that may block: a signal that arrives before it is rolled
 * back to the guest's instruction. Only as the last step of a handler. In a commit section
 * it is not made then, and SB_RESTART returned: the handler undoes what it did and returns that. */
long sb_guest_block(struct sb_call *call, long nr, long a, long b, long c, long d, long e,
		    long f) SB_MUST_CHECK;

/* The same with the guest's own six arguments. */
long sb_guest_pass(struct sb_call *call, long nr) SB_MUST_CHECK;

/* Handlers: >= 0 or -errno. Declared by syscalls.def rows: on_<name>. */
typedef long sb_handler(struct sb_call *call);

#endif
