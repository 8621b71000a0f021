/* SPDX-License-Identifier: MIT */
/*
 * keeper.c - the process that starts what joins a container.
 *
 * How it works
 *   One loop waits for connections, their messages and the ends of children. A child of the keeper
 *   has everything from it: domain, filter, cgroup, limits. Then it enters as the first process
 *   did.
 * Rules
 *   It has no memory but its own, and asks nothing of what guests share. It ends with the
 *   container's first process and with the supervisor.
 */
#include "entry/keeper.h"

#include <asm/signal.h>
#include <errno.h>
#include <linux/mman.h>
#include <linux/ioctl.h>
#include <linux/poll.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>

#include "base/files_limit.h"
#include "base/process_name.h"
#include "base/shared_abi.h"
#include "clone.h"
#include "entry/filter_code.h"
#include "guest/paths/cwd.h"
#include "guest/sigmask.h"

#define MANY 4096 /* descriptors */
#define MOST 1024
#define BACKLOG 128
#define LISTENER 0 /* and 1 and 2 */
#define ASKED 3
#define FIXED 3 /* descriptors that are polled beside those of the processes */
#define CONTROLLING 0x540e /* TIOCSCTTY */

struct guest_process {
	int socket; /* -1: this slot is free */
	int watch;  /* pidfd, -1 until it runs */
	int pid;
};

static struct guest_process joined[MOST];
static int joined_end; /* behind the last slot that was used */
static int received[SB_KEEPER_FDS];
static uint64_t usual_files[2]; /* struct rlimit of descriptors; the keeper takes what it can */

/* ---- a child ------------------------------------------------------------------------- */

static void SB_NORETURN fail(int status)
{
	sys_exit_group(status);
}

/* Build the vectors behind each other; the strings lie in text. */
static char **vectors(char *text, const struct sb_join *join)
{
	const uint64_t count = (uint64_t)join->argc + join->envc + 2;
	const char *end = text + join->size;
	const long at = sys_mmap(NULL, count * sizeof(char *), PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char **next = (char **)at;

	if (at < 0)
		return NULL;
	for (uint32_t i = 0; i < join->argc + join->envc; i++) {
		if (text >= end)
			return NULL;
		if (i == join->argc)
			next++;
		*next++ = text;
		text += strlen(text) + 1;
	}
	return (char **)at;
}

/* Read the strings. A NUL follows them, whatever they are. */
static char *read_text(int fd, uint64_t size)
{
	const long at = sys_mmap(NULL, size + 1, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (uint64_t done = 0; at > 0 && done < size;) {
		const long got = sys_pread(fd, (char *)at + done, size - done, (int64_t)done);

		if (got <= 0)
			return NULL;
		done += (uint64_t)got;
	}
	return at < 0 ? NULL : (char *)at;
}

/* Close all descriptors from the first one on. Before Linux 5.9 those that the keeper can have. */
static void close_from(int first)
{
	if (sb_syscall(__NR_close_range, first, ~0U, 0, 0, 0, 0) == 0)
		return;
	for (int fd = first; fd < MANY; fd++)
		sys_close(fd);
}

static void SB_NORETURN begin(struct sb_thread *thread, const struct sb_join *join,
			      sb_keeper_entrance *entrance)
{
	char *text;
	char **argv = NULL;

	sb_thread_forked(thread);
	sb_cwd_forked(thread->proc);
	thread->proc->pid = (uint32_t)sys_getpid();
	sb_syscall(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0, 0);
	sb_syscall(__NR_setsid, 0, 0, 0, 0, 0, 0);
	text = read_text(received[SB_KEEPER_TEXT], join->size);
	for (int fd = 0; fd < SB_KEEPER_TEXT; fd++)
		sb_syscall(__NR_dup3, received[fd], fd, 0, 0, 0, 0);
	close_from(SB_KEEPER_TEXT);
	sb_syscall(__NR_setrlimit, SB_RLIMIT_FILES, SB_P(usual_files), 0, 0, 0, 0);
	/* Only now: until then the child has what the kernel asks the keeper by. */
	sb_syscall(__NR_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0, 0);
	if (join->has_terminal)
		sb_syscall(__NR_ioctl, 0, CONTROLLING, 0, 0, 0, 0);
	if (join->cpus_len != 0)
		sb_syscall(__NR_sched_setaffinity, 0, join->cpus_len, SB_P(join->cpus), 0, 0, 0);
	if (text != NULL)
		argv = vectors(text, join);
	if (argv == NULL)
		fail(125);
	sb_syscall(__NR_rt_sigprocmask, SIG_SETMASK, SB_P(&join->mask), 0, 8, 0, 0);
	entrance(thread, &join->entry, argv, argv + join->argc + 1);
	fail(125);
}

/* ---- what joined --------------------------------------------------------------------- */

static void answer(struct guest_process *process, int status)
{
	sb_keeper_put(process->socket, status);
	sys_close(process->socket);
	if (process->watch >= 0)
		sys_close(process->watch);
	process->socket = -1;
	process->watch = -1;
}

static void drop_received(void)
{
	for (int i = 0; i < SB_KEEPER_FDS; i++) {
		if (received[i] >= 0)
			sys_close(received[i]);
		received[i] = -1;
	}
}

static void start(struct guest_process *process, struct sb_thread *thread,
		  sb_keeper_entrance *entrance)
{
	static struct sb_join join;
	const struct sb_clone how = {.flags = SIGCHLD};
	long pid;

	pid = sb_keeper_receive(process->socket, &join, received);
	if (pid == 0)
		pid = sb_clone_copying(&how);
	else if (pid > 0)
		pid = -EINVAL;
	if (pid == 0)
		begin(thread, &join, entrance);
	drop_received();
	process->pid = (int)pid;
	if (pid > 0)
		pid = sb_syscall(__NR_pidfd_open, pid, 0, 0, 0, 0, 0);
	process->watch = (int)pid;
	if (pid < 0 && process->pid > 0)
		sys_kill(process->pid, SIGKILL);
	if (pid < 0)
		answer(process, SB_JOIN_FAILED | (int)-pid);
}

/* A message is a signal. At its end the stand-in is gone, and so is whoever waits. */
static void hear(struct guest_process *process)
{
	int number = 0;
	const long len = sb_keeper_get(process->socket, &number);

	if (len == -EAGAIN || len == -EINTR)
		return;
	if (len != sizeof(number))
		number = SIGKILL;
	sb_syscall(__NR_pidfd_send_signal, process->watch, number, 0, 0, 0, 0);
	if (len == sizeof(number))
		return;
	sys_close(process->socket);
	process->socket = -1; /* a child that nobody waits for is reaped with the others */
	sys_close(process->watch);
	process->watch = -1;
}

static void reap(void)
{
	int status;
	long pid;

	while ((pid = sb_syscall(__NR_wait4, -1, SB_P(&status), 1 /* WNOHANG */, 0, 0, 0)) > 0) {
		for (int i = 0; i < joined_end; i++) {
			if (joined[i].socket >= 0 && joined[i].pid == (int)pid)
				answer(&joined[i], status);
		}
	}
}

/* ---- calls about other processes ------------------------------------------------------- */

/* Which process is the call about? */
static int subject_of(const struct seccomp_data *data)
{
	const enum sb_peer kind = sb_fence_peer((unsigned)data->nr);

	return (int)data->args[kind == SB_PEER_PRIORITY || kind == SB_PEER_DISK ? 1 : 0];
}

/* The domain decides: a signal reaches a process of the container and no other. The arguments are
 * in registers, so nobody changes them after this look. */
static void judge(int asked)
{
	struct seccomp_notif question;
	struct seccomp_notif_resp verdict = {0};
	int subject;
	long ret;

	memset(&question, 0, sizeof(question));
	ret = sb_syscall(__NR_ioctl, asked, (long)SECCOMP_IOCTL_NOTIF_RECV, SB_P(&question), 0, 0,
			 0);
	if (ret < 0)
		return;
	subject = subject_of(&question.data);
	verdict.id = question.id;
	verdict.error = subject > 0 ? (int)sys_kill(subject, 0) : -ESRCH;
	if (verdict.error == 0)
		verdict.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	sb_syscall(__NR_ioctl, asked, (long)SECCOMP_IOCTL_NOTIF_SEND, SB_P(&verdict), 0, 0, 0);
}

/* ---- the loop ------------------------------------------------------------------------ */

static struct guest_process *free_slot(void)
{
	for (int i = 0; i < MOST; i++) {
		if (joined[i].socket < 0)
			return &joined[i];
	}
	return NULL;
}

static void welcome(int listener)
{
	struct guest_process *slot = free_slot();
	const int fd = sb_keeper_accept(listener);

	if (fd < 0)
		return;
	*slot = (struct guest_process){.socket = fd, .watch = -1};
	joined_end = SB_MAX(joined_end, (int)(slot - joined) + 1);
}

static void SB_NORETURN serve(struct sb_thread *thread, int asked, int first,
			      sb_keeper_entrance *entrance)
{
	static struct pollfd polled[FIXED + 2 * MOST];

	for (;;) {
		polled[0] = (struct pollfd){.fd = first, .events = POLLIN};
		polled[1] = (struct pollfd){.fd = free_slot() ? LISTENER : -1, .events = POLLIN};
		polled[2] = (struct pollfd){.fd = asked, .events = POLLIN};
		for (int i = 0; i < joined_end; i++) {
			polled[FIXED + 2 * i] =
				(struct pollfd){.fd = joined[i].socket, .events = POLLIN};
			polled[FIXED + 1 + 2 * i] =
				(struct pollfd){.fd = joined[i].watch, .events = POLLIN};
		}
		sb_syscall(__NR_ppoll, SB_P(polled), FIXED + 2 * joined_end, 0, 0, 8, 0);
		if (polled[0].revents != 0)
			sys_exit_group(0);
		for (int i = 0; i < joined_end; i++) {
			if (polled[FIXED + 2 * i].revents == 0)
				continue;
			if (joined[i].watch < 0)
				start(&joined[i], thread, entrance);
			else
				hear(&joined[i]);
		}
		reap();
		if (polled[2].revents & POLLIN)
			judge(asked);
		else if (polled[2].revents != 0)
			asked = -1;
		if (polled[1].revents != 0)
			welcome(LISTENER);
	}
}

/* Keep nothing of the first process but its rights. */
static int settle(struct sb_thread *thread, int listener, int asked)
{
	const uint64_t all = SB_MASK_ALL;

	sb_files_limit_raise(usual_files);
	sb_thread_forked(thread);
	sb_syscall(__NR_rt_sigprocmask, SIG_SETMASK, SB_P(&all), 0, 8, 0, 0);
	sb_syscall(__NR_setsid, 0, 0, 0, 0, 0, 0);
	sb_syscall(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0, 0);
	sb_syscall(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0, 0);
	for (int fd = 0; fd < 3; fd++) /* no later descriptor gets one of these numbers */
		sb_syscall(__NR_dup3, listener, fd, O_CLOEXEC, 0, 0, 0);
	if (asked > ASKED)
		sb_syscall(__NR_dup3, asked, ASKED, O_CLOEXEC, 0, 0, 0);
	close_from(asked > 0 ? ASKED + 1 : ASKED);
	for (int i = 0; i < MOST; i++)
		joined[i] = (struct guest_process){.socket = -1, .watch = -1};
	for (int i = 0; i < SB_KEEPER_FDS; i++)
		received[i] = -1;
	return asked > 0 ? ASKED : -1;
}

void sb_keeper_start(struct sb_thread *thread, int listener, int asked, char **argv,
		     sb_keeper_entrance *entrance)
{
	const struct sb_clone how = {.flags = CLONE_PARENT | SIGCHLD};
	const uint32_t first = thread->proc->pid;
	const long pid = sb_clone_copying(&how);
	long watch;

	if (pid != 0) {
		if (pid > 0)
			__atomic_store_n(&thread->proc->tree.shared->keeper, (uint32_t)pid,
					 __ATOMIC_RELAXED);
		sys_close(listener);
		if (asked > 0)
			sys_close(asked);
		return;
	}
	asked = settle(thread, listener, asked);
	sb_process_rename("sandbox-keeper", argv);
	watch = sb_syscall(__NR_pidfd_open, first, 0, 0, 0, 0, 0);
	if (watch < 0 || sb_syscall(__NR_listen, LISTENER, BACKLOG, 0, 0, 0, 0) < 0)
		sys_exit_group(1);
	serve(thread, asked, (int)watch, entrance);
}
