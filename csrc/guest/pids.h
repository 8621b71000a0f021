/* SPDX-License-Identifier: MIT */
/*
 * pids.h - the numbers of processes and threads as a program sees them.
 *
 * How it works
 *   As in a pid namespace, the main process is 1, and a process of no container or of another one
 *   does not exist. All other processes and threads keep the kernel's numbers. What the kernel
 *   keeps in user memory (robust lists, PI futexes, the words of clone(2)) stays the kernel's, too.
 *   Until the host side has told the main process (sb_control.main_pid), it has no other number.
 * Rules
 *   The kernel says which processes are the container's: by their mark (mark.h), or by the process
 *   table where the machine allows no marks. Signal handlers call these functions, so nothing here
 *   opens a descriptor.
 */
#ifndef SB_PIDS_H
#define SB_PIDS_H

#include "base/shared_abi.h"
#include "guest/guest.h"

/* The number of the main process for programs. */
#define SB_PID_FIRST 1

/* The kernel's number of the main process; 0: it has no other. */
static inline uint32_t sb_pid_main(const struct sb_tree *tree)
{
	return __atomic_load_n(&tree->control->main_pid, __ATOMIC_RELAXED);
}

/* Is the calling process the main process? */
static inline bool sb_pid_is_first(const struct sb_proc *proc)
{
	return proc->pid == sb_pid_main(&proc->tree);
}

/* The number that programs see for a process, thread, group or session of the container. */
static inline uint32_t sb_pid_shown(const struct sb_tree *tree, uint32_t real)
{
	return real != 0 && real == sb_pid_main(tree) ? SB_PID_FIRST : real;
}

/* Tell the other processes whether the main process, if it is the calling one, handles a signal. */
void sb_pid_tell_handler(const struct sb_proc *proc, int sig, bool handles);
/* A new program handles none. */
void sb_pid_tell_no_handlers(const struct sb_proc *proc);

/* Does the kernel's number belong to a process or thread of the container, running or ended? Its
 * keeper is none. */
bool sb_pid_is_own(const struct sb_tree *tree, uint32_t real);
/* The same number for a program, and 0 when it belongs to nobody in the container. */
uint32_t sb_pid_to_guest(const struct sb_tree *tree, uint32_t real);
/* The same for one that may have ended: a number that nobody has any more is shown. */
uint32_t sb_pid_past_to_guest(const struct sb_tree *tree, uint32_t real);
/* The kernel's number for one that a program names; -ESRCH when it names nobody in the container.
 * The main process may name its first thread by either number, since the C library does. */
int sb_pid_from_guest(const struct sb_proc *proc, uint32_t shown) SB_MUST_CHECK;
/* The same without the question whose it is: for calls that reach only the caller's children, its
 * threads or its terminal. */
int sb_pid_number_from_guest(const struct sb_proc *proc, uint32_t shown) SB_MUST_CHECK;

/* Does a process group belong to the container? Its leader may have ended. */
bool sb_pid_group_is_own(const struct sb_tree *tree, uint32_t group);
/* The same numbers for process groups and sessions. */
uint32_t sb_pid_group_to_guest(const struct sb_tree *tree, uint32_t group);
int sb_pid_group_from_guest(const struct sb_proc *proc, uint32_t shown) SB_MUST_CHECK;

/* No process has this number: the kernel finds nobody, and says what it says then. */
#define SB_PID_NOBODY INT32_MAX
/* Argument n of a call, a process or a thread, as the kernel must get it. 0 and negative numbers
 * mean to the kernel what they mean to the program. */
int sb_pid_argument(const struct sb_call *call, unsigned n);
/* The same for a process group. */
int sb_pid_group_argument(const struct sb_call *call, unsigned n);

#endif
