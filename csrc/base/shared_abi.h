/* SPDX-License-Identifier: MIT */
/*
 * shared_abi.h - <run>/shared: the memory that all processes of a container write.
 *
 * Rules
 *   A guest can write anything here. What the host side reads from it is a stranger's input: in
 *   hosted/ the type is incomplete, but for shared_file.c, whose functions bound what they read.
 *   cffi does not read this file. No path, and no offset into this file, lies in here for the host
 *   side: those are in struct sb_control, which guests cannot write.
 */
#ifndef SB_SHARED_ABI_H
#define SB_SHARED_ABI_H

#include "base/abi.h"

#define SB_PROGRAM_MARKS 4096
#define SB_DIR_AGES 1024

#define SB_CREDS_GROUPS 16

/* What a process tells the others about itself. */
struct sb_creds {
	uint32_t ruid; /* from here to cap_ambient as struct sb_ids begins */
	uint32_t euid;
	uint32_t suid;
	uint32_t fsuid;
	uint32_t rgid;
	uint32_t egid;
	uint32_t sgid;
	uint32_t fsgid;
	uint64_t cap_effective;
	uint64_t cap_permitted;
	uint64_t cap_inheritable;
	uint64_t cap_bounding;
	uint64_t cap_ambient;
	uint32_t dumpable;
	uint32_t no_new_privs;
	uint32_t group_count; /* at most SB_CREDS_GROUPS are told */
	uint32_t groups[SB_CREDS_GROUPS];
	uint32_t reserved;
};

/* One process of the container. A slot is free when pid is 0 or that process is gone. Linear
 * probing from pid % SB_PROC_SLOTS finds it. */
struct sb_proc_slot {
	uint32_t pid;
	uint32_t parent;
	uint64_t started; /* CLOCK_BOOTTIME nanoseconds when the slot was taken */
	uint32_t exe_len;
	uint32_t paced; /* SB_PACED_*: a stop or continuation that wait(2) does not report */
	char exe[220]; /* canonical guest path, cut off when longer */
	uint32_t reserved;
	uint64_t program; /* which file it runs: programs.h */
	uint32_t fs_group; /* processes with the same number share their directories (CLONE_FS),
			      0: none does */
	uint32_t reserved2;
	struct sb_creds creds;
};

/* sb_mailbox.flags */
#define SB_MAILBOX_NOT_DUMPABLE 1 /* other users' memory or rights came with the program */

/* What execve leaves for the new image. It takes the mailbox by a compare-and-swap of owner
 * from 0 to its pid; the new image gives it back. */
struct sb_mailbox {
	uint32_t owner; /* pid, 0 = free */
	uint32_t flags;
	int32_t fd; /* an open program (fexecve), else -1 */
	uint32_t umask;
	uint32_t secure; /* AT_SECURE */
	uint32_t seccomp_mode; /* what the guest believes */
	uint32_t fs_group; /* as in struct sb_proc_slot */
	int32_t groups_fd; /* a file with the groups that do not fit into ids, else -1 */
	uint64_t mask; /* of signals; until the program begins all are blocked */
	uint64_t program; /* which file it is: programs.h */
	struct sb_ids ids;
	struct sb_text elf; /* host path of the program's ELF file */
	struct sb_text interp; /* host path of its interpreter, empty when static */
	struct sb_text execfn; /* AT_EXECFN */
	struct sb_text exe; /* canonical guest path of the ELF file */
	struct sb_text root; /* guest path of the process's root directory */
	char text[SB_MAILBOX_TEXT]; /* every string is NUL-terminated */
};

/* A call site of a layer file that trapped. */
struct sb_noted_site {
	uint64_t ino; /* of the layer file */
	uint32_t offset; /* in the file, behind the syscall instruction */
	uint32_t nr;
};

/* sb_adoption.word: thread id << 32 | one of these; 0 is free */
#define SB_ADOPT_WANTED 1
#define SB_ADOPT_TAKEN 2
#define SB_ADOPT_DONE 3
#define SB_ADOPT_FAILED 4
#define SB_ADOPT_CLAIMED 5 /* it is about to ask */

/* A new thread that waits in the runtime until its tracer is attached. */
struct sb_adoption {
	uint64_t word;
	uint64_t pointer; /* its thread pointer in the runtime (tracee.h) */
};

struct sb_shared {
	uint32_t generation; /* dircache.h, like the next two */
	uint32_t moved;
	uint32_t ages[SB_DIR_AGES];
	uint32_t dirs_making; /* how many directories are being made in the upper */
	uint32_t dirs_made; /* how many directories were made in the upper */
	uint32_t strays; /* non-zero: there may be a whiteout where the lower has nothing */
	uint32_t next_temp; /* counter for temporary names in the upper */
	uint32_t upper_used; /* 0 until the first change: a live lower needs no look at the upper
				until then */
	uint32_t watched; /* non-zero: a process watches a directory for new names */
	uint32_t pids_hand; /* where the next search in pids begins */
	uint32_t learned_count; /* how many were offered; at most SB_MAX_LEARNED are kept */
	uint32_t adopt_bell; /* counts requests; the tracer waits for it to change */
	uint32_t keeper; /* pid of the keeper, which no program sees; 0: none */
	uint32_t first_pad;
	uint64_t first_handles; /* the signals that the main process has handlers for */
	uint64_t first_awaits;  /* those that its first thread waits for (sigtimedwait) */
	uint32_t own_programs; /* non-zero: one that is no image's file was executed */
	unsigned char programs[SB_PROGRAM_MARKS]; /* non-zero: a file with this hash was executed */
	struct sb_adoption adoptions[SB_MAX_ADOPTIONS];
	struct sb_noted_site learned[SB_MAX_LEARNED];
	uint64_t pids[SB_MAX_PIDS] __attribute__((aligned(4096))); /* pids_limit.c */
	struct sb_proc_slot procs[SB_PROC_SLOTS] __attribute__((aligned(4096)));
	struct sb_mailbox mailboxes[SB_MAX_MAILBOXES] __attribute__((aligned(4096)));
	/* SB_STATE_*, one for each node of the index */
	unsigned char state[] __attribute__((aligned(4096)));
};

/* Size of the file. */
static inline uint64_t sb_shared_size(uint32_t node_count)
{
	return sizeof(struct sb_shared) + node_count;
}

#endif
