/* SPDX-License-Identifier: MIT */
/*
 * first_process.c - what the main process of a container is beside its program.
 *
 * How it works
 *   Orphans come to it. With --init it runs no program: it blocks all signals and takes them one by
 * one. It sends them on to its child, the program, and reaps every process that ends. It ends as
 * the program does. Rules It has the rights of the program and no others, and runs no code but
 * this.
 */
#include "calls/task/first_process.h"

#include <asm/signal.h>
#include <errno.h>
#include <linux/prctl.h>

#include "base/process_name.h"
#include "base/shared_abi.h"
#include "clone.h"
#include "guest/paths/cwd.h"
#include "guest/pids.h"
#include "guest/pids_limit.h"
#include "guest/process_table.h"
#include "guest/sigmask.h"
#include "guest/tracer_attach.h"

#define EXIT_FAILED 125
#define FOREGROUND 0x5410 /* TIOCSPGRP */

/* Reap what has ended. When the program has, end as it did. */
static void reap(int program)
{
	int status;
	long pid;

	while ((pid = sb_syscall(__NR_wait4, -1, SB_P(&status), 1 /* WNOHANG */, 0, 0, 0)) > 0) {
		if (pid != program)
			continue;
		if ((status & 0x7f) == 0)
			sys_exit_group((status >> 8) & 0xff);
		sys_exit_group(128 + (status & 0x7f));
	}
}

static void SB_NORETURN serve(int program)
{
	const uint64_t all = SB_MASK_ALL;
	long sig;

	for (;;) {
		sig = sb_syscall(__NR_rt_sigtimedwait, SB_P(&all), 0, 0, 8, 0, 0);
		if (sig == SIGCHLD)
			reap(program);
		else if (sig > 0)
			sys_kill(program, (int)sig);
	}
}

/* A group of its own, which has the terminal. */
static void take_terminal(void)
{
	const int own = (int)sys_getpid();

	sb_syscall(__NR_setpgid, 0, 0, 0, 0, 0, 0);
	sb_syscall(__NR_ioctl, 0, FOREGROUND, SB_P(&own), 0, 0, 0);
}

/* The child: a process of its own, with the signals of the first one. */
static int become_program(struct sb_thread *thread, uint64_t *place, uint64_t mask)
{
	const uint32_t parent = thread->proc->pid;

	sb_thread_forked(thread);
	sb_cwd_forked(thread->proc);
	sb_pids_settle(place);
	thread->proc->pid = (uint32_t)sys_getpid();
	take_terminal();
	sb_proc_register(thread->proc, &thread->ids, parent);
	sb_syscall(__NR_rt_sigprocmask, SIG_SETMASK, SB_P(&mask), 0, 8, 0, 0);
	return sb_tracer_attach(&thread->proc->tree);
}

static int become_init(struct sb_thread *thread, char **argv)
{
	const struct sb_clone how = {.flags = SIGCHLD};
	const uint64_t all = SB_MASK_ALL;
	uint64_t *place;
	uint64_t mask;
	long pid = sb_pids_claim(&thread->proc->tree, &place);

	if (pid < 0)
		return (int)pid;
	sb_syscall(__NR_rt_sigprocmask, SIG_SETMASK, SB_P(&all), SB_P(&mask), 8, 0, 0);
	pid = sb_clone_copying(&how);
	if (pid < 0)
		return (int)pid;
	if (pid == 0)
		return become_program(thread, place, mask);
	sb_pids_born(place, (uint32_t)pid, (uint32_t)pid);
	sb_proc_register(thread->proc, &thread->ids, 0);
	__atomic_store_n(&thread->proc->tree.shared->first_awaits, all, __ATOMIC_RELAXED);
	for (int fd = 0; fd < 3; fd++) /* they are the program's, who may close them */
		sys_close(fd);
	sb_process_rename("sandbox-init", argv);
	serve((int)pid);
}

void sb_first_process_begin(struct sb_thread *thread, char **argv)
{
	const struct sb_tree *tree = &thread->proc->tree;

	if (!sb_pid_is_first(thread->proc))
		return;
	sb_syscall(__NR_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0, 0);
	if ((tree->control->flags & SB_CONTROL_INIT) != 0 && become_init(thread, argv) < 0)
		sys_exit_group(EXIT_FAILED);
}
