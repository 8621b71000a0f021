/* SPDX-License-Identifier: MIT */
/*
 * signals.c - signal dispositions, masks, and handlers with their arguments.
 *
 *   signals GROUP
 */
#include "see.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>

static volatile sig_atomic_t count;
static volatile sig_atomic_t last;

static void tick(int sig)
{
	count++;
	last = sig;
}

static void handle(int sig, void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

	MUST(sigaction(sig, &action, NULL));
}

/* Print a set as numbers, without those that libc keeps for itself. */
static void say_set(const char *what, const sigset_t *set)
{
	printf("%s:", what);
	for (int sig = 1; sig <= 64; sig++) {
		if (sig != 32 && sig != 33 && sig != 34 && sigismember(set, sig) == 1)
			printf(" %d", sig);
	}
	printf("\n");
}

static void say_mask(const char *what)
{
	sigset_t mask;

	MUST(sigprocmask(SIG_SETMASK, NULL, &mask));
	say_set(what, &mask);
}

static void say_action(int sig)
{
	struct sigaction action;

	if (sigaction(sig, NULL, &action) == -1) {
		say("action %d: %s", sig, error_name(errno));
		return;
	}
	say("action %d: %s flags %#x", sig,
	    action.sa_handler == SIG_DFL   ? "default"
	    : action.sa_handler == SIG_IGN ? "ignore"
	    : action.sa_handler == tick    ? "tick"
					   : "other",
	    (unsigned)action.sa_flags & ~0x04000000u);
	say_set("  mask", &action.sa_mask);
}

/* Calls that handlers may make, and that must work while every signal is blocked. */
static void make_calls(void)
{
	struct stat st;
	char cwd[PATH_MAX];
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "calls-%d", (int)syscall(SYS_gettid));
	if (stat("/proc/self/exe", &st) == -1 || stat("/", &st) == -1 || access("/etc", F_OK) == -1)
		broken("stat");
	if (!getcwd(cwd, sizeof(cwd)))
		broken("getcwd");
	fd = (int)MUST(open(name, O_CREAT | O_EXCL | O_WRONLY, 0600));
	close(fd);
	MUST(rename(name, "calls-renamed"));
	MUST(unlink("calls-renamed"));
	if (getuid() != geteuid())
		broken("getuid");
}

/* ---- groups ---- */

static void actions(void)
{
	struct sigaction action = {.sa_handler = tick, .sa_flags = SA_RESTART | SA_NODEFER};

	for (int sig = 1; sig <= 31; sig++) {
		say_action(sig);
		sigemptyset(&action.sa_mask);
		sigaddset(&action.sa_mask, sig % 31 + 1);
		sigaddset(&action.sa_mask, SIGSYS);
		say("set %d = %s", sig,
		    sigaction(sig, &action, NULL) == 0 ? "0" : error_name(errno));
		say_action(sig);
	}
	SEE(sigaction(0, &action, NULL));
	SEE(sigaction(65, &action, NULL));
	SEE(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4));
	SEE(syscall(SYS_rt_sigaction, SIGUSR1, (void *)8, NULL, 8));
	SEE(syscall(SYS_rt_sigaction, SIGUSR1, NULL, (void *)8, 8));
	SEE(syscall(SYS_rt_sigaction, 0, NULL, NULL, 8));
	SEE(syscall(SYS_rt_sigaction, 65, NULL, NULL, 8));
	SEE(syscall(SYS_rt_sigaction, SIGKILL, NULL, NULL, 8));
	handle(SIGUSR1, SIG_IGN, 0);
	raise(SIGUSR1);
	say_action(SIGUSR1);
}

static void masks(void)
{
	sigset_t all, some, old;

	say_mask("at start");
	sigfillset(&all);
	SEE(sigprocmask(SIG_SETMASK, &all, &old));
	say_mask("all");
	make_calls();
	sigemptyset(&some);
	sigaddset(&some, SIGSYS);
	sigaddset(&some, SIGUSR1);
	SEE(sigprocmask(SIG_UNBLOCK, &some, NULL));
	say_mask("without SIGSYS and SIGUSR1");
	SEE(sigprocmask(SIG_BLOCK, &some, &old));
	say_set("before that", &old);
	SEE(sigprocmask(SIG_SETMASK, &some, NULL));
	say_mask("these two");
	SEE(sigprocmask(77, &some, NULL));
	SEE(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &some, NULL, 4));
	SEE(syscall(SYS_rt_sigprocmask, SIG_SETMASK, (void *)8, NULL, 8));
	SEE(syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, (void *)8, 8));
	SEE(syscall(SYS_rt_sigprocmask, 77, NULL, NULL, 8));
	raise(SIGUSR1);
	SEE(sigpending(&old));
	say_set("pending", &old);
	handle(SIGUSR1, tick, 0);
	sigemptyset(&some);
	SEE(sigprocmask(SIG_SETMASK, &some, NULL));
	say("handled %d", count);
}

static void in_full_mask(int sig)
{
	(void)sig;
	make_calls();
	say_mask("in the handler");
	count++;
}

static void full_mask_handler(void)
{
	struct sigaction action = {.sa_handler = in_full_mask};
	sigset_t none;

	sigfillset(&action.sa_mask);
	sigemptyset(&none);
	MUST(sigaction(SIGUSR1, &action, NULL));
	for (int i = 0; i < 3; i++)
		raise(SIGUSR1);
	say("handled %d", count);
	say_mask("afterwards");
}

/* Wait with a mask that blocks everything, and with one that only lets SIGALRM through. */
static void waits(void)
{
	const struct timespec short_time = {0, 20000000};
	const struct timespec long_time = {5, 0};
	struct itimerval soon = {{0, 5000}, {0, 20000}};
	const struct {
		int64_t seconds, nanoseconds;
	} twenty_ms = {0, 20000000};
	int ep = (int)MUST(epoll_create1(0));
	struct epoll_event event;
	sigset_t all, alarm_only;

	sigfillset(&all);
	sigdelset(&all, SIGSEGV); /* see bad_pointers_blocked() */
	sigfillset(&alarm_only);
	sigdelset(&alarm_only, SIGSEGV);
	sigdelset(&alarm_only, SIGALRM);
	handle(SIGALRM, tick, SA_RESTART);
	handle(SIGUSR1, tick, 0);
	SEE(ppoll(NULL, 0, &short_time, &all));
	SEE(pselect(0, NULL, NULL, NULL, &short_time, &all));
	SEE(epoll_pwait(ep, &event, 1, 20, &all));
	SEE(syscall(SYS_epoll_pwait2, ep, &event, 1, &twenty_ms, &all, 8));
	SEE(syscall(SYS_epoll_pwait2, ep, &event, 1, &twenty_ms, &all, 4));
	sigprocmask(SIG_BLOCK, &all, NULL);
	MUST(setitimer(ITIMER_REAL, &soon, NULL));
	SEE(ppoll(NULL, 0, &long_time, &alarm_only));
	SEE(pselect(0, NULL, NULL, NULL, &long_time, &alarm_only));
	SEE(epoll_pwait(ep, &event, 1, 5000, &alarm_only));
	SEE(sigsuspend(&alarm_only));
	soon = (struct itimerval){{0, 0}, {0, 0}};
	MUST(setitimer(ITIMER_REAL, &soon, NULL));
	say("handled %s, last %d", count > 3 ? "all" : "too few", last);
	say_mask("mask is back");
	SEE(syscall(SYS_ppoll, NULL, 0, &short_time, &all, 4));
	SEE(syscall(SYS_ppoll, NULL, 0, &short_time, (void *)8, 8));
	SEE(syscall(SYS_rt_sigsuspend, &all, 4));
	SEE(syscall(SYS_rt_sigsuspend, (void *)8, 8));
	close(ep);
}

static void pending_waits(void)
{
	const struct timespec none = {0, 0};
	struct signalfd_siginfo got;
	siginfo_t info;
	sigset_t set;
	int sig;
	int fd;

	sigfillset(&set);
	sigdelset(&set, SIGSEGV); /* see bad_pointers_blocked() */
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN + 5);
	SEE(sigtimedwait(&set, &info, &none));
	for (int i = 1; i <= 3; i++)
		MUST(sigqueue(getpid(), SIGRTMIN + 5, (union sigval){.sival_int = i * 111}));
	MUST(sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 7}));
	MUST(sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 8}));
	for (int i = 0; i < 4; i++) {
		sig = sigtimedwait(&set, &info, &none);
		say("got %d value %d code %d own pid %d own uid %d", sig == SIGUSR1 ? 10 : 0,
		    info.si_value.sival_int, info.si_code, info.si_pid == getpid(),
		    info.si_uid == getuid());
	}
	SEE(sigtimedwait(&set, NULL, &none));
	raise(SIGUSR1);
	SEE(sigwait(&set, &sig));
	say("sigwait got %d", sig);
	SEE(syscall(SYS_rt_sigtimedwait, &set, NULL, &none, 4));
	SEE(syscall(SYS_rt_sigtimedwait, (void *)8, NULL, &none, 8));
	sigaddset(&set, SIGSYS);
	fd = (int)SEE(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
	SEE(read(fd, &got, sizeof(got)));
	MUST(sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 99}));
	SEE(read(fd, &got, sizeof(got)));
	say("signalfd: %u value %d", got.ssi_signo, got.ssi_int);
	SEE(signalfd(0, &set, 0));
	SEE(signalfd(-1, &set, 0x1));
	SEE(syscall(SYS_signalfd4, -1, &set, 4, 0));
	close(fd);
}

static volatile int depth;
static volatile int deepest;

static void nest(int sig)
{
	depth++;
	if (depth > deepest)
		deepest = depth;
	if (++count < 4)
		raise(sig);
	depth--;
}

static void flags(void)
{
	handle(SIGUSR1, nest, SA_NODEFER);
	raise(SIGUSR1);
	say("SA_NODEFER: depth %d count %d", deepest, count);
	deepest = 0;
	count = 0;
	handle(SIGUSR1, nest, 0);
	raise(SIGUSR1);
	say("plain: depth %d count %d", deepest, count);
	handle(SIGUSR1, tick, SA_RESETHAND);
	count = 0;
	raise(SIGUSR1);
	say("SA_RESETHAND: count %d", count);
	say_action(SIGUSR1);
	handle(SIGSEGV, tick, SA_RESETHAND | SA_NODEFER);
	raise(SIGSEGV);
	say("SA_RESETHAND on SIGSEGV: count %d", count);
	say_action(SIGSEGV);
}

static char *protected;
static size_t page;

static void repair(int sig, siginfo_t *info, void *context)
{
	(void)context;
	say("signal %d code %d at %s", sig, info->si_code,
	    (char *)info->si_addr == protected       ? "the page"
	    : (char *)info->si_addr == protected + 5 ? "the page + 5"
						     : "elsewhere");
	make_calls();
	if (mprotect(protected, page, PROT_READ | PROT_WRITE) == -1)
		_exit(7);
}

static void faults(void)
{
	struct sigaction action = {.sa_sigaction = repair, .sa_flags = SA_SIGINFO};
	struct stat *at;
	int fds[2];

	page = (size_t)sysconf(_SC_PAGESIZE);
	protected = mmap(NULL, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	MUST(sigaction(SIGSEGV, &action, NULL));
	MUST(sigaction(SIGBUS, &action, NULL));
	protected[5] = 'x';
	say("wrote '%c'", protected[5]);
	MUST(mprotect(protected, page, PROT_READ));
	protected[0] = 'y';
	say("wrote '%c'", protected[0]);
	/* System calls return EFAULT and cause no signal. */
	MUST(mprotect(protected, page, PROT_NONE));
	at = (struct stat *)(void *)protected;
	SEE(syscall(SYS_newfstatat, AT_FDCWD, "/", at, 0));
	SEE(syscall(SYS_newfstatat, AT_FDCWD, protected, at, 0));
	SEE(syscall(SYS_getcwd, protected, page));
	SEE(syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", protected, 100));
	SEE(syscall(SYS_execve, "/bin/true", protected, NULL));
	SEE(syscall(SYS_execve, "/bin/true", (char *[]){"x", protected, NULL}, NULL));
	SEE(syscall(SYS_execve, "/bin/true", (char *[]){"x", NULL}, protected));
	/* A container's root has one group more than a user of the machine may have. */
	SEE(getgroups(0, NULL) == 0 || syscall(SYS_getgroups, 100, protected) == -1);
	SEE(syscall(SYS_uname, protected));
	SEE(syscall(SYS_getresuid, protected, protected, protected));
	SEE(syscall(SYS_capget, protected, protected));
	MUST(pipe(fds));
	MUST(write(fds[1], "abc", 3));
	SEE(read(fds[0], protected, 3));
	/* The page is readable and the string ends in it. */
	MUST(mprotect(protected, page, PROT_READ | PROT_WRITE));
	strcpy(protected, "/etc");
	MUST(mprotect(protected, page, PROT_READ));
	SEE(access(protected, F_OK));
	SEE(syscall(SYS_newfstatat, AT_FDCWD, protected, at, 0));
}

/* Bad pointers give EFAULT even while SIGSEGV and SIGBUS are blocked. */
static void bad_pointers_blocked(void)
{
	sigset_t set;
	struct stat st;

	sigfillset(&set);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	SEE(syscall(SYS_newfstatat, AT_FDCWD, (void *)8, &st, 0));
	SEE(syscall(SYS_newfstatat, AT_FDCWD, "/", (void *)8, 0));
	SEE(syscall(SYS_rt_sigprocmask, SIG_SETMASK, (void *)8, NULL, 8));
}

static stack_t alternate;

static bool is_on_alternate(const void *p)
{
	const char *base = alternate.ss_sp;

	return (const char *)p >= base && (const char *)p < base + alternate.ss_size;
}

static void where(int sig)
{
	stack_t now;
	int local;

	(void)sig;
	make_calls();
	MUST(sigaltstack(NULL, &now));
	say("handler on %s stack, flags %d, change while on it: %s",
	    is_on_alternate(&local) ? "the alternate" : "its own", now.ss_flags,
	    sigaltstack(&alternate, NULL) == 0 ? "0" : error_name(errno));
}

static void stacks(void)
{
	static const size_t sizes[] = {65536, 16384, 12288};
	stack_t off = {.ss_flags = SS_DISABLE};
	stack_t small;

	handle(SIGUSR1, where, SA_ONSTACK);
	handle(SIGUSR2, where, 0);
	raise(SIGUSR1);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		alternate.ss_size = sizes[i];
		alternate.ss_sp = mmap(NULL, sizes[i], PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		SEE(sigaltstack(&alternate, NULL));
		raise(SIGUSR1);
		raise(SIGUSR2);
	}
	small = (stack_t){.ss_sp = alternate.ss_sp, .ss_size = 100};
	SEE(sigaltstack(&small, NULL));
	SEE(sigaltstack(&off, NULL));
	raise(SIGUSR1);
}

/* The fault of a stack overflow is handled on the alternate stack. */
static sigjmp_buf escape;

static void overflowed(int sig)
{
	int local;

	(void)sig;
	make_calls();
	say("overflow handled on %s stack", is_on_alternate(&local) ? "the alternate" : "its own");
	siglongjmp(escape, 1);
}

static volatile bool endless = true;

static int __attribute__((noinline)) deeper(volatile char *above)
{
	volatile char block[16384];

	block[0] = above[0];
	return endless ? deeper(block) + block[1] : 0;
}

static void overflow(void)
{
	volatile char top = 0;

	alternate.ss_size = 65536;
	alternate.ss_sp = malloc(65536);
	MUST(sigaltstack(&alternate, NULL));
	handle(SIGSEGV, overflowed, SA_ONSTACK);
	for (int i = 0; i < 2; i++) {
		if (sigsetjmp(escape, 1) == 0)
			deeper(&top);
	}
	say("back");
}

static void skip(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	say("signal %d code %d", sig, info->si_code);
#ifdef __x86_64__
	uc->uc_mcontext.gregs[REG_RIP] += 2;
	uc->uc_mcontext.gregs[REG_RBX] = 4711;
#else
	(void)uc;
#endif
	sigaddset(&uc->uc_sigmask, SIGUSR2);
}

/* A handler changes the registers and the mask that it returns to. */
static void contexts(void)
{
#ifdef __x86_64__
	struct sigaction action = {.sa_sigaction = skip, .sa_flags = SA_SIGINFO};
	long value;

	MUST(sigaction(SIGILL, &action, NULL));
	__asm__ volatile("mov $1, %%rbx; ud2; mov %%rbx, %0" : "=r"(value) : : "rbx", "memory");
	say("after the instruction: %ld", value);
	say_mask("mask that the handler set");
#endif
}

static void in_thread(int sig)
{
	(void)sig;
	make_calls();
	count++;
}

static void *blocked_thread(void *arg)
{
	sigset_t all;

	(void)arg;
	sigfillset(&all);
	if (pthread_sigmask(SIG_SETMASK, &all, NULL) != 0)
		abort();
	for (int i = 0; i < 20; i++)
		make_calls();
	say_mask("in the thread");
	return NULL;
}

static volatile int ready;

static void *waiting_thread(void *arg)
{
	(void)arg;
	ready = 1;
	while (count == 0)
		usleep(1000);
	return NULL;
}

static void threads(void)
{
	pthread_t thread;
	sigset_t set;

	if (pthread_create(&thread, NULL, blocked_thread, NULL) != 0)
		broken("pthread_create");
	pthread_join(thread, NULL);
	say_mask("in main");
	handle(SIGUSR1, in_thread, 0);
	if (pthread_create(&thread, NULL, waiting_thread, NULL) != 0)
		broken("pthread_create");
	while (!ready)
		usleep(1000);
	say("pthread_kill = %d", pthread_kill(thread, SIGUSR1));
	pthread_join(thread, NULL);
	say("handled %d", count);
	/* The signal is sent to the process; only the other thread does not block it. */
	count = 0;
	ready = 0;
	if (pthread_create(&thread, NULL, waiting_thread, NULL) != 0)
		broken("pthread_create");
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	MUST(kill(getpid(), SIGUSR1));
	pthread_join(thread, NULL);
	say("handled %d", count);
}

static void dies(const char *what, void (*how)(void))
{
	pid_t child = (pid_t)MUST(fork());

	if (child == 0) {
		how();
		_exit(0);
	}
	say_status(what, wait_for(child));
}

static void by_sigsys(void)
{
	MUST(kill(getpid(), SIGSYS));
}

static void by_raise_sigsys(void)
{
	raise(SIGSYS);
}

static void ignored_sigsys(void)
{
	handle(SIGSYS, SIG_IGN, 0);
	raise(SIGSYS);
	make_calls();
}

static void blocked_sigsys(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGSYS);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	make_calls();
}

static void default_sigsys(void)
{
	handle(SIGSYS, SIG_DFL, 0);
	make_calls();
}

static void handled_sigsys(void)
{
	handle(SIGSYS, tick, 0);
	make_calls();
	if (count != 0)
		_exit(3);
}

static void by_segv(void)
{
	*(volatile int *)8 = 1;
}

static void by_abort(void)
{
	abort();
}

static void by_pipe(void)
{
	int fds[2];

	MUST(pipe(fds));
	close(fds[0]);
	(void)!write(fds[1], "x", 1);
}

static void by_kill(void)
{
	kill(getpid(), SIGKILL);
}

static void by_alarm(void)
{
	struct itimerval soon = {{0, 0}, {0, 1000}};

	MUST(setitimer(ITIMER_REAL, &soon, NULL));
	for (;;)
		make_calls();
}

static void by_rt(void)
{
	raise(SIGRTMAX);
}

static void by_default_again(void)
{
	handle(SIGUSR1, tick, 0);
	raise(SIGUSR1);
	handle(SIGUSR1, SIG_DFL, 0);
	raise(SIGUSR1);
}

static void by_blocked_segv(void)
{
	sigset_t set;

	handle(SIGSEGV, tick, 0);
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	*(volatile int *)8 = 1;
}

static void by_raised_segv(void)
{
	raise(SIGSEGV);
}

static void by_raised_segv_after_handler(void)
{
	handle(SIGSEGV, tick, 0);
	raise(SIGSEGV);
	if (count != 1)
		_exit(3);
	handle(SIGSEGV, SIG_DFL, 0);
	raise(SIGSEGV);
}

static void by_sent_bus(void)
{
	kill(getpid(), SIGBUS);
}

static void by_ignored_segv(void)
{
	handle(SIGSEGV, SIG_IGN, 0);
	*(volatile int *)8 = 1;
}

static void ignored_raised_segv(void)
{
	handle(SIGSEGV, SIG_IGN, 0);
	raise(SIGSEGV);
	make_calls();
}

static void deaths(void)
{
	dies("kill(SIGSYS)", by_sigsys);
	dies("raise(SIGSYS)", by_raise_sigsys);
	dies("ignored SIGSYS", ignored_sigsys);
	dies("blocked SIGSYS and calls", blocked_sigsys);
	dies("default SIGSYS and calls", default_sigsys);
	dies("handler for SIGSYS and calls", handled_sigsys);
	dies("bad pointer", by_segv);
	dies("bad pointer, SIGSEGV blocked", by_blocked_segv);
	dies("bad pointer, SIGSEGV ignored", by_ignored_segv);
	dies("raise(SIGSEGV)", by_raised_segv);
	dies("raise(SIGSEGV) after a handler", by_raised_segv_after_handler);
	dies("kill(SIGBUS)", by_sent_bus);
	dies("raise(SIGSEGV), ignored", ignored_raised_segv);
	dies("abort", by_abort);
	dies("broken pipe", by_pipe);
	dies("SIGKILL", by_kill);
	dies("SIGALRM in calls", by_alarm);
	dies("realtime", by_rt);
	dies("default after a handler", by_default_again);
}

static void sigsys_handler(void)
{
	handle(SIGSYS, tick, 0);
	raise(SIGSYS);
	say("handled %d, last %d", count, last);
	say_action(SIGSYS);
}

static void child_signals(void)
{
	struct sigaction action = {.sa_handler = tick, .sa_flags = SA_NOCLDWAIT};
	pid_t child;
	int status;

	handle(SIGCHLD, tick, SA_RESTART);
	child = (pid_t)MUST(fork());
	if (child == 0)
		_exit(3);
	say_status("child", wait_for(child));
	say("SIGCHLD %d", count);
	child = (pid_t)MUST(fork());
	if (child == 0) {
		raise(SIGSTOP);
		_exit(4);
	}
	while (waitpid(child, &status, WUNTRACED) == -1)
		;
	say("stopped %d by %d", WIFSTOPPED(status), WSTOPSIG(status));
	MUST(kill(child, SIGCONT));
	while (waitpid(child, &status, WCONTINUED) == -1)
		;
	say("continued %d", WIFCONTINUED(status) ? 1 : WIFEXITED(status) ? 1 : 0);
	if (!WIFEXITED(status))
		status = wait_for(child);
	say_status("child", status);
	MUST(sigaction(SIGCHLD, &action, NULL));
	child = (pid_t)MUST(fork());
	if (child == 0)
		_exit(5);
	while (waitpid(child, &status, 0) == -1 && errno == EINTR)
		;
	say("SA_NOCLDWAIT: %s", error_name(errno));
	handle(SIGCHLD, SIG_IGN, 0);
	child = (pid_t)MUST(fork());
	if (child == 0)
		_exit(5);
	SEE(waitpid(child, &status, 0));
}

static siginfo_t sent;

static void take(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	sent = *info;
}

static void say_sender(const char *what, const siginfo_t *info, pid_t pid)
{
	say("%s: code %d, pid %d, uid %d", what, info->si_code, info->si_pid == pid,
	    info->si_uid == getuid());
}

/* A signal carries the sender's user id as the sender sees it. */
static void senders(void)
{
	struct sigaction action = {.sa_sigaction = take, .sa_flags = SA_SIGINFO};
	const pid_t self = getpid();
	siginfo_t info;
	sigset_t set;
	pid_t child;

	MUST(sigaction(SIGUSR1, &action, NULL));
	MUST(kill(self, SIGUSR1));
	say_sender("kill", &sent, self);
	MUST(syscall(SYS_tgkill, self, self, SIGUSR1));
	say_sender("tgkill", &sent, self);
	MUST(sigqueue(self, SIGUSR1, (union sigval){.sival_int = 1}));
	say_sender("sigqueue", &sent, self);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGCHLD);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	child = (pid_t)MUST(fork());
	if (child == 0) {
		kill(self, SIGUSR1);
		_exit(2);
	}
	MUST(sigwaitinfo(&set, &info));
	say_sender("waited for", &info, child);
	while (info.si_signo != SIGCHLD)
		MUST(sigwaitinfo(&set, &info));
	say_sender("waited for", &info, child);
	MUST(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT));
	say_sender("waitid", &info, child);
	MUST(sigaction(SIGCHLD, &action, NULL));
	MUST(sigprocmask(SIG_UNBLOCK, &set, NULL));
	MUST(waitpid(child, NULL, 0));
	child = (pid_t)MUST(fork());
	if (child == 0)
		_exit(2);
	while (waitpid(child, NULL, 0) == -1)
		;
	say_sender("SIGCHLD", &sent, child);
}

/* execve resets handlers, and keeps ignored signals, the mask and pending signals. */
static void across_exec(void)
{
	sigset_t set;

	handle(SIGUSR1, tick, 0);
	handle(SIGUSR2, SIG_IGN, 0);
	handle(SIGSEGV, tick, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	MUST(sigprocmask(SIG_SETMASK, &set, NULL));
	raise(SIGHUP);
	execl("/proc/self/exe", "signals", "shown", (char *)NULL);
	broken("execl");
}

static void shown(void)
{
	sigset_t set;

	say_action(SIGUSR1);
	say_action(SIGUSR2);
	say_action(SIGSEGV);
	say_mask("mask");
	sigpending(&set);
	say_set("pending", &set);
	make_calls();
}

/* Registers, vector registers, the red zone and flags survive a system call. */
#ifdef __x86_64__
struct frame {
	uint64_t nr, args[3];     /* 0, 8.. */
	uint64_t in[7], out[7];   /* 32, 88 */
	uint64_t red, carry, ret; /* 144, 152, 160 */
	unsigned char vin[48];    /* 168 */
	unsigned char vout[48];   /* 216 */
};

void call_with(struct frame *frame);

__asm__(".text\n"
	".globl call_with\n"
	"call_with:\n"
	"push %rbx\npush %rbp\npush %r12\npush %r13\npush %r14\npush %r15\n"
	"mov %rdi, %rbp\n"
	"movdqu 168(%rbp), %xmm0\nmovdqu 184(%rbp), %xmm7\nmovdqu 200(%rbp), %xmm15\n"
	"mov 32(%rbp), %rbx\nmov 40(%rbp), %r12\nmov 48(%rbp), %r13\nmov 56(%rbp), %r14\n"
	"mov 64(%rbp), %r15\nmov 72(%rbp), %r8\nmov 80(%rbp), %r9\n"
	"mov %r9, -120(%rsp)\n"
	"mov 8(%rbp), %rdi\nmov 16(%rbp), %rsi\nmov 24(%rbp), %rdx\nmov $8, %r10d\n"
	"mov (%rbp), %rax\n"
	"stc\n"
	"syscall\n"
	"mov %rax, 160(%rbp)\n"
	"mov $0, %eax\nsetc %al\nmov %rax, 152(%rbp)\n"
	"mov -120(%rsp), %rax\nmov %rax, 144(%rbp)\n"
	"mov %rbx, 88(%rbp)\nmov %r12, 96(%rbp)\nmov %r13, 104(%rbp)\nmov %r14, 112(%rbp)\n"
	"mov %r15, 120(%rbp)\nmov %r8, 128(%rbp)\nmov %r9, 136(%rbp)\n"
	"movdqu %xmm0, 216(%rbp)\nmovdqu %xmm7, 232(%rbp)\nmovdqu %xmm15, 248(%rbp)\n"
	"pop %r15\npop %r14\npop %r13\npop %r12\npop %rbp\npop %rbx\n"
	"ret\n");
#endif

static void registers(void)
{
#ifdef __x86_64__
	static struct stat st;
	static const struct frame calls[] = {
		{.nr = SYS_getpid},
		{.nr = SYS_geteuid},
		{.nr = SYS_stat, .args = {(uintptr_t)"/", (uintptr_t)&st}},
		{.nr = SYS_rt_sigprocmask},
		{.nr = SYS_openat, .args = {(uint64_t)-100, (uintptr_t)"/", O_RDONLY}},
		{.nr = SYS_chdir, .args = {(uintptr_t)"missing"}},
	};

	for (size_t round = 0; round < 5 * COUNT(calls); round++) {
		struct frame f = calls[round % COUNT(calls)];

		for (size_t i = 0; i < 7; i++)
			f.in[i] = 0x1111111111111111ULL * (i + 1) + round;
		for (size_t i = 0; i < sizeof(f.vin); i++)
			f.vin[i] = (unsigned char)(i * 7 + round);
		call_with(&f);
		if (f.nr == SYS_openat)
			close((int)f.ret);
		say("call %d: registers %s, red zone %s, vectors %s, carry %d", (int)f.nr,
		    memcmp(f.in, f.out, sizeof(f.in)) == 0 ? "kept" : "lost",
		    f.red == f.in[6] ? "kept" : "lost",
		    memcmp(f.vin, f.vout, sizeof(f.vin)) == 0 ? "kept" : "lost", (int)f.carry);
	}
#endif
}

/* The same for SIGSYS, by which the sandbox intercepts calls. */
static void sigsys_across_exec(void)
{
	sigset_t set;

	handle(SIGSYS, SIG_IGN, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGSYS);
	MUST(sigprocmask(SIG_SETMASK, &set, NULL));
	execl("/proc/self/exe", "signals", "sigsys-shown", (char *)NULL);
	broken("execl");
}

static void sigsys_shown(void)
{
	say_action(SIGSYS);
	say_mask("mask");
	make_calls();
}

static const struct part groups[] = {
	{"actions", actions},
	{"masks", masks},
	{"full-mask-handler", full_mask_handler},
	{"waits", waits},
	{"pending", pending_waits},
	{"flags", flags},
	{"faults", faults},
	{"bad-pointers-blocked", bad_pointers_blocked},
	{"stacks", stacks},
	{"overflow", overflow},
	{"contexts", contexts},
	{"threads", threads},
	{"deaths", deaths},
	{"sigsys-handler", sigsys_handler},
	{"children", child_signals},
	{"senders", senders},
	{"exec", across_exec},
	{"shown", shown},
	{"sigsys-exec", sigsys_across_exec},
	{"sigsys-shown", sigsys_shown},
	{"registers", registers},
};

int main(int argc, char **argv)
{
	return run_group(argc, argv, groups, COUNT(groups));
}
