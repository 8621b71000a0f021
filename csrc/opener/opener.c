/* SPDX-License-Identifier: MIT */
/*
 * opener.c - the process that opens for a container what its fence keeps shut.
 *
 * How it works
 *   One loop waits for datagrams.
 * Rules
 *   It is not confined. A message is a stranger's: its sender must have the container's mark.
 *   Nothing here waits for a guest. It has no memory but its own, and ends with the container's
 *   first process.
 */
#include "opener/opener.h"

#include <asm/signal.h>
#include <errno.h>
#include <linux/poll.h>
#include <linux/sched.h>

#include "base/files_limit.h"
#include "base/mark.h"
#include "base/mem.h"
#include "base/process_name.h"
#include "clone.h"
#include "opener/opener_socket.h"
#include "opener/opener_tasks.h"
#include "opener/opener_terminals.h"
#include "opener/opener_watches.h"
#include "guest/sigmask.h"

#define LISTENER 0 /* and 1 and 2 */

static uint64_t mark_of_container;

/* Landlock before ABI 9 does not keep a guest from the sockets of another container. */
static bool is_welcome(long pid)
{
	uint64_t mark;

	return pid > 0 && sb_mark_of(pid, &mark) == 0 && mark == mark_of_container;
}

static long decide(const struct sb_opener_question *question, int *opened)
{
	const struct sb_opener_request *request = &question->request;
	long ret;

	if (!is_welcome(question->sender))
		return -EACCES;
	switch (request->verb) {
	case SB_TERMINAL_ADD:
		return question->subject < 0 ? -EBADF : sb_opener_add_terminal(question->subject);
	case SB_TERMINAL_NEXT:
		return sb_opener_next_terminal(request->number);
	case SB_TERMINAL_OPEN:
		ret = sb_opener_open_terminal(request->number, (int)request->flags);
		*opened = (int)ret;
		return ret < 0 ? ret : 0;
	case SB_TASK_FILE_OPEN:
		if (question->subject < 0)
			return -EBADF;
		ret = sb_opener_open_task_file(question->subject, (int)request->flags,
					       question->sender, mark_of_container);
		*opened = (int)ret;
		return ret < 0 ? ret : 0;
	case SB_WATCH_ADD:
		return question->other < 0 ? -EBADF
					   : sb_opener_add_watch(question->subject, question->other,
								 request->number);
	default:
		return -EINVAL;
	}
}

static void serve_one(const struct sb_opener_question *question)
{
	int opened = -1;
	const long ret = decide(question, &opened);

	if (question->answer >= 0) {
		sb_opener_answer(question->answer, ret, opened);
		sys_close(question->answer);
	}
	if (question->subject >= 0)
		sys_close(question->subject);
	if (question->other >= 0)
		sys_close(question->other);
	if (opened >= 0)
		sys_close(opened);
}

static void SB_NORETURN serve(int first)
{
	struct pollfd polled[2] = {{.fd = first, .events = POLLIN},
				   {.fd = LISTENER, .events = POLLIN}};
	static struct sb_opener_question question;

	for (;;) {
		sb_syscall(__NR_ppoll, SB_P(polled), 2, 0, 0, 8, 0);
		if (polled[0].revents != 0)
			sys_exit_group(0);
		if (sb_opener_receive(LISTENER, &question))
			serve_one(&question);
	}
}

/* ---- the start ----------------------------------------------------------------------- */

/* Keep nothing of the first process. Its standard descriptors are the container's. */
static void settle(struct sb_thread *thread, int listener, const char *run)
{
	const uint64_t all = SB_MASK_ALL;
	uint64_t usual[2];

	sb_files_limit_raise(usual);
	sb_thread_forked(thread);
	sb_syscall(__NR_rt_sigprocmask, SIG_SETMASK, SB_P(&all), 0, 8, 0, 0);
	sb_syscall(__NR_setsid, 0, 0, 0, 0, 0, 0);
	sys_chdir(run);
	/* It is none of the container's processes. */
	if (sb_mark_of(0, &mark_of_container) == 0)
		sb_mark_drop();
	for (int fd = 0; fd < 3; fd++) /* no later descriptor gets one of these numbers */
		sb_syscall(__NR_dup3, listener, fd, O_CLOEXEC, 0, 0, 0);
	sb_syscall(__NR_close_range, 3, ~0U, 0, 0, 0, 0);
}

void sb_opener_start(struct sb_thread *thread, const char *run, char **argv)
{
	const struct sb_clone how = {.flags = CLONE_PARENT | SIGCHLD};
	const uint32_t first = thread->proc->pid;
	const int listener = sb_opener_listen(run);
	long watch;

	if (listener < 0)
		return;
	if (sb_clone_copying(&how) != 0) {
		sys_close(listener);
		return;
	}
	settle(thread, listener, run);
	sb_process_rename("sandbox-opener", argv);
	watch = sb_syscall(__NR_pidfd_open, first, 0, 0, 0, 0, 0);
	if (watch < 0)
		sys_exit_group(1);
	sb_opener_note_grants(&thread->proc->tree);
	serve((int)watch);
}
