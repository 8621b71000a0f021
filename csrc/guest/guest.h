/* SPDX-License-Identifier: MIT */
/*
 * guest.h - one guest process and one call of it; access to its memory; the final system call.
 *
 * struct sb_proc is what the kernel keeps for each process, or for each sharing flag of clone(2).
 * struct sb_call is one system call on its way; its thread's block has the rest (thread.h).
 * Rules
 *   Every guest pointer may be bad. Only the functions here touch guest memory, and they answer
 *   -EFAULT. Copy a path once, then work on the copy.
 */
#ifndef SB_GUEST_H
#define SB_GUEST_H

#include "compat.h"
#include "tree/dircache.h"
#include "view/view.h"

struct sb_action { /* as the guest set it, in the layout of the kernel's struct sigaction */
	uint64_t handler;
	uint64_t flags;
	uint64_t restorer;
	uint64_t mask;
};

/* The guest path of the working directory (cwd.h); len 0: not known. */
struct sb_cwd {
	uint64_t sum;
	struct sb_dir_age age;
	uint32_t count;
	uint32_t len;
	char text[488];
};

/* Cloned or shared as the flags of clone(2) say. All threads of a process share one. */
struct sb_proc {
	struct sb_tree tree;
	uint32_t pid;
	uint32_t umask;
	uint32_t dumpable;
	uint32_t fs_group;     /* of struct sb_proc_slot */
	uint32_t seccomp_mode;       /* what the guest is told (0, 2) */
	uint32_t root_len;
	uint32_t exe_len;
	uint64_t program;      /* which file it runs: programs.h */
	uint32_t is_32;        /* asked by sb_proc_is_32() */
	struct sb_compat_proc compat;
	uint32_t cwd_count;    /* how often the working directory was changed */
	uint32_t cwd_changing; /* changes that have begun and not ended */
	uint32_t cwd_given_up;
	uint64_t cwd_pure;     /* cwd_count << 8 | SB_PURE_*: what the directory is since then */
	uint64_t
		parent_known; /* of getppid(2): the kernel's number << 32 | what was shown for it */
	uint32_t subreaper; /* what the main process set by PR_SET_CHILD_SUBREAPER */
	uint32_t renews; /* it has opened a file that on_lseek.c makes anew */
	uint32_t deaf; /* the process has a raw socket of ICMP, which hears no errors: ping.c */
	struct sb_cwd cwd;
	struct sb_dir_slots *dirs; /* of all that share memory */
	struct sb_fds *fds; /* of threads that share memory and descriptors, or NULL */
	uint32_t met_record; /* how many files are still asked for by statx(2): they often have
				records together */
	struct sb_action actions[65]; /* by signal number */
	char root[SB_PATH_MAX]; /* canonical guest path of the root directory */
	char exe[SB_PATH_MAX]; /* canonical guest path of the program */
};

struct sb_thread; /* thread.h */

/* The argument of a handler. */
struct sb_call {
	struct sb_thread *thread;
	struct sb_regs *regs;
	struct sb_fs *fs; /* fs->ids is ids */
	struct sb_ids *ids; /* the thread's credentials; a handler may change them */
	struct sb_proc *proc;
	struct sb_work *work;
	char *path; /* 2 * SB_PATH_MAX bytes for the call's first path */
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

/* Return the credentials to change them. From here on the call is not rolled back for a signal,
 * since a second time the change may have another effect. */
static inline struct sb_ids *sb_call_change_ids(struct sb_call *call)
{
	sb_commit_begin(call->fs);
	return call->ids;
}

/* Copy len bytes: 0 or -EFAULT. After a write the call is not rolled back. */
int sb_guest_read(void *dst, uint64_t src, size_t len) SB_MUST_CHECK;
int sb_guest_write(uint64_t dst, const void *src, size_t len) SB_MUST_CHECK;
/* Write bytes that may be written again: the call can still be rolled back. */
int sb_guest_rewrite(uint64_t dst, const void *src, size_t len) SB_MUST_CHECK;
/* Copy a string with its NUL into dst (max bytes). Returns the length without NUL, -EFAULT, or
 * -ENAMETOOLONG when it does not fit. */
long sb_guest_string(char *dst, uint64_t src, size_t max) SB_MUST_CHECK;

/* The kernel's own "restart after the signal"; never reaches the guest. */
#define SB_RESTART (-512)
/* Make the system call that ends a handler; it may block. A signal that arrives before it rolls the
 * call back to the guest's instruction. In a commit section the call is then not made and
 * SB_RESTART returned: the handler undoes what it did and returns that. */
long sb_guest_block(struct sb_call *call, long nr, long a, long b, long c, long d, long e,
		    long f) SB_MUST_CHECK;

/* The same with the guest's own six arguments. */
long sb_guest_pass(struct sb_call *call, long nr) SB_MUST_CHECK;

/* A handler returns >= 0 or -errno. A row of syscalls.def declares on_<name>. */
typedef long sb_handler(struct sb_call *call);

#endif
