/* SPDX-License-Identifier: MIT */
/*
 * wait_masks.c - calls that change the signal mask while they wait.
 *
 * The handler must run before the call returns, under the call's mask and the handler's own.
 * Afterwards the old mask must be back.
 */
#include "see.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>

static int handled;
static sigset_t seen;

static void handler(int sig)
{
	handled = sig;
	sigprocmask(SIG_SETMASK, NULL, &seen);
}

static void prepare(sigset_t *wait)
{
	struct sigaction action = {.sa_handler = handler};
	struct itimerval soon = {.it_value = {0, 50000}};
	sigset_t blocked;

	sigemptyset(&action.sa_mask);
	sigaddset(&action.sa_mask, SIGUSR1);
	MUST(sigaction(SIGALRM, &action, NULL));
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGALRM);
	sigaddset(&blocked, SIGHUP);
	MUST(sigprocmask(SIG_SETMASK, &blocked, NULL));
	sigemptyset(wait);
	sigaddset(wait, SIGUSR2);
	handled = 0;
	MUST(setitimer(ITIMER_REAL, &soon, NULL));
}

static void say_mask(const char *what, const sigset_t *set)
{
	printf("%s:", what);
	for (int sig = 1; sig < SIGRTMIN; sig++) {
		if (sigismember(set, sig))
			printf(" %d", sig);
	}
	putchar('\n');
}

static void after(void)
{
	sigset_t now;

	say("handled %d", handled);
	say_mask("in the handler", &seen);
	sigprocmask(SIG_SETMASK, NULL, &now);
	say_mask("afterwards", &now);
}

int main(void)
{
	sigset_t wait;
	struct timespec long_time = {20, 0};
	struct epoll_event event;
	int epoll = (int)MUST(epoll_create1(0));
	int pipe_ends[2];

	setvbuf(stdout, NULL, _IOLBF, 0);
	MUST(pipe(pipe_ends));
	prepare(&wait);
	SEE(sigsuspend(&wait));
	after();
	prepare(&wait);
	SEE(ppoll(NULL, 0, &long_time, &wait));
	after();
	prepare(&wait);
	SEE(pselect(0, NULL, NULL, NULL, &long_time, &wait));
	after();
	prepare(&wait);
	SEE(epoll_pwait(epoll, &event, 1, 20000, &wait));
	after();
	/* The descriptor is ready at once, so no handler runs, and the mask is back. */
	prepare(&wait);
	MUST(write(pipe_ends[1], "x", 1));
	SEE(ppoll(&(struct pollfd){.fd = pipe_ends[0], .events = POLLIN}, 1, &long_time, &wait));
	after();
	return 0;
}
