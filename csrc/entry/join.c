/* SPDX-License-Identifier: MIT */
/*
 * join.c - the stand-in of a process that joined a container: its signals, and its end.
 *
 * Rules
 *   It is not confined, and runs no code but this. It sends signals to nobody: the keeper does.
 */
#include "entry/join.h"

#include <asm/signal.h>
#include <errno.h>
#include <linux/poll.h>
#include <linux/prctl.h>

#include "base/files_limit.h"
#include "base/mark.h"
#include "base/process_name.h"
#include "entry/keeper.h"
#include "guest/sigmask.h"
#include "pure/log.h"

#define RLIMIT_CORE 4
#define SIGNAL_ROOM 128 /* struct signalfd_siginfo; the number comes first */
#define RELEASE 0x5422 /* TIOCNOTTY */
#define SESSION 0x5429 /* TIOCGSID */
#define EXIT_FAILED 125

static void SB_NORETURN SB_COLD fail(long error)
{
	struct sb_line line;

	sb_line_start(&line);
	sb_line_add(&line, "sandbox: cannot join the container: ");
	sb_line_result(&line, error);
	sb_line_write(&line, 2);
	sys_exit_group(EXIT_FAILED);
}

/* Write the strings of a vector with their NULs; count them. */
static void put_words(int fd, char **words, uint32_t *count, uint64_t *size)
{
	for (; *words != NULL; words++) {
		const size_t len = strlen(*words) + 1;

		for (size_t done = 0; done < len;) {
			const long put = sys_write(fd, *words + done, len - done);

			if (put <= 0)
				fail(put);
			done += (size_t)put;
		}
		*size += len;
		(*count)++;
	}
}

/* Give up the controlling terminal, which the other process takes. */
static bool release_terminal(void)
{
	const struct sb_action ignored = {.handler = 1}; /* SIG_IGN: the kernel sends SIGHUP */
	const struct sb_action usual = {0};
	int session = 0;
	long ret;

	if (sb_syscall(__NR_ioctl, 0, SESSION, SB_P(&session), 0, 0, 0) < 0 ||
	    session != (int)sys_getpid())
		return false;
	sb_syscall(__NR_rt_sigaction, SIGHUP, SB_P(&ignored), 0, 8, 0, 0);
	ret = sb_syscall(__NR_ioctl, 0, RELEASE, 0, 0, 0, 0);
	sb_syscall(__NR_rt_sigaction, SIGHUP, SB_P(&usual), 0, 8, 0, 0);
	return ret == 0;
}

/* End as the other process did. */
static void SB_NORETURN end(int status)
{
	const uint64_t none[2] = {0, 0}; /* struct rlimit */
	const struct sb_action action = {0};
	const int number = status & 0x7f;
	const uint64_t mask = ~SB_SIGMASK(number);

	if (number == 0)
		sys_exit_group((status >> 8) & 0xff);
	sb_syscall(__NR_setrlimit, RLIMIT_CORE, SB_P(none), 0, 0, 0, 0); /* it has its core */
	sb_syscall(__NR_rt_sigaction, number, SB_P(&action), 0, 8, 0, 0);
	sb_syscall(__NR_kill, (int)sys_getpid(), number, 0, 0, 0, 0);
	sb_syscall(__NR_rt_sigprocmask, SIG_SETMASK, SB_P(&mask), 0, 8, 0, 0);
	sys_exit_group(128 + number);
}

static void SB_NORETURN wait_for_end(int keeper, int signals)
{
	struct pollfd polled[2] = {{.fd = keeper, .events = POLLIN},
				   {.fd = signals, .events = POLLIN}};
	uint32_t info[SIGNAL_ROOM / sizeof(uint32_t)];
	int status;

	for (;;) {
		sb_syscall(__NR_ppoll, SB_P(polled), 2, 0, 0, 8, 0);
		if (polled[1].revents != 0 && sys_read(signals, info, sizeof(info)) > 0)
			sb_keeper_put(keeper, (int)info[0]);
		if (polled[0].revents == 0)
			continue;
		if (sb_keeper_get(keeper, &status) != sizeof(status))
			end(SIGKILL); /* the keeper was killed, and its children with it */
		if ((status & SB_JOIN_FAILED) == SB_JOIN_FAILED)
			sys_exit_group(EXIT_FAILED);
		end(status);
	}
}

/* Ask the keeper. The kernel counts the descriptors on their way, of all processes of the user
 * together, against this process's limit: many that join at once wait for each other. */
static int ask(int keeper, const struct sb_join *join, const int fds[SB_KEEPER_FDS])
{
	const struct sb_timespec pause = {.nsec = 1000000};
	uint64_t usual[2]; /* the other process has its own */
	int ret;

	sb_files_limit_raise(usual);
	ret = sb_keeper_ask(keeper, join, fds);
	for (int i = 0; i < 10000 && ret == -ETOOMANYREFS; i++) {
		sb_syscall(__NR_nanosleep, SB_P(&pause), 0, 0, 0, 0, 0);
		ret = sb_keeper_ask(keeper, join, fds);
	}
	return ret;
}

void sb_join(int keeper, const struct sb_entry *entry, char **argv, char **envp)
{
	const uint64_t all = SB_MASK_ALL;
	static struct sb_join join;
	long signals;
	long text;
	long cpus;
	int ret;

	join.entry = *entry;
	join.has_terminal = release_terminal();
	sb_syscall(__NR_rt_sigprocmask, SIG_SETMASK, SB_P(&all), SB_P(&join.mask), 8, 0, 0);
	signals = sb_syscall(__NR_signalfd4, -1, SB_P(&all), 8, O_CLOEXEC, 0, 0);
	text = sb_syscall(__NR_memfd_create, SB_P("words"), 1 /* MFD_CLOEXEC */, 0, 0, 0, 0);
	if (signals < 0 || text < 0)
		fail(signals < 0 ? signals : text);
	put_words((int)text, argv, &join.argc, &join.size);
	put_words((int)text, envp, &join.envc, &join.size);
	cpus = sb_syscall(__NR_sched_getaffinity, 0, sizeof(join.cpus), SB_P(join.cpus), 0, 0, 0);
	join.cpus_len = cpus < 0 ? 0 : (uint32_t)cpus;
	ret = ask(keeper, &join, (const int[]){0, 1, 2, (int)text});
	if (ret < 0)
		fail(ret);
	for (int fd = 0; fd < 3; fd++) /* they are the other's, who may close them */
		sys_close(fd);
	sys_close((int)text);
	sb_process_rename("sandbox-join", argv);
	sb_mark_drop(); /* it is for the other one */
	wait_for_end(keeper, (int)signals);
}
