/* SPDX-License-Identifier: MIT */
/*
 * interrupts.c - calls that wait, and what ends the wait: EINTR, SA_RESTART, cancellation, a jump
 * out of a handler, a storm of signals.
 *
 *   interrupts GROUP (in an empty directory)
 *
 * How it works
 *   A timer ticks all the time, so a machine that is busy changes no result. With SA_RESTART
 *   the handler asks a helper process to end the wait. Without it only the signal ends the
 *   wait.
 */
#include "see.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

extern char **environ;

static volatile sig_atomic_t ticks;
static int ask = -1; /* a byte written here makes the helper end the wait */

static void tick(int sig)
{
	(void)sig;
	ticks++;
	if (ask != -1) {
		(void)!write(ask, "x", 1);
		ask = -1;
	}
}

static void set_timer(long us)
{
	const struct itimerval every = {{0, us}, {0, us}};

	MUST(setitimer(ITIMER_REAL, &every, NULL));
}

static void handle_alarm(int flags)
{
	struct sigaction action = {.sa_handler = tick, .sa_flags = flags};

	MUST(sigaction(SIGALRM, &action, NULL));
}

/* ---- one wait of each kind: prepare, wait, and (in another process) end it ---- */

static int fds[2];
static int file;

static void no_preparation(void)
{
}

static void make_fifo(void)
{
	unlink("fifo");
	MUST(mkfifo("fifo", 0600));
}

static long wait_fifo_read(void)
{
	int fd = open("fifo", O_RDONLY);

	if (fd != -1)
		close(fd);
	return fd == -1 ? -1 : 0;
}

static void end_fifo_read(void)
{
	close(open("fifo", O_WRONLY));
}

static long wait_fifo_write(void)
{
	int fd = open("fifo", O_WRONLY);

	if (fd != -1)
		close(fd);
	return fd == -1 ? -1 : 0;
}

static void end_fifo_write(void)
{
	close(open("fifo", O_RDONLY));
}

static void make_pipe(void)
{
	MUST(pipe(fds));
}

static long wait_read(void)
{
	char byte;

	return read(fds[0], &byte, 1);
}

static void end_read(void)
{
	MUST(write(fds[1], "x", 1));
}

static void make_full_pipe(void)
{
	static char block[4096];

	MUST(pipe(fds));
	MUST(fcntl(fds[1], F_SETFL, O_NONBLOCK));
	while (write(fds[1], block, sizeof(block)) > 0)
		;
	MUST(fcntl(fds[1], F_SETFL, 0));
}

static long wait_write(void)
{
	return write(fds[1], "x", 1);
}

static void end_write(void)
{
	static char block[65536];

	MUST(read(fds[0], block, sizeof(block)));
}

/* The helper holds the lock. */
static void make_file(void)
{
	unlink("file");
	file = (int)MUST(open("file", O_RDWR | O_CREAT, 0600));
}

static long wait_flock(void)
{
	return flock(file, LOCK_EX);
}

static void hold_flock(void)
{
	file = (int)MUST(open("file", O_RDWR));
	MUST(flock(file, LOCK_EX));
}

static void end_by_close(void)
{
	close(file);
}

static struct flock whole_file = {.l_type = F_WRLCK};

static long wait_setlkw(void)
{
	return fcntl(file, F_SETLKW, &whole_file);
}

static void hold_setlkw(void)
{
	file = (int)MUST(open("file", O_RDWR));
	MUST(fcntl(file, F_SETLKW, &whole_file));
}

static int listener;
static struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};

static void make_listener(void)
{
	unlink("socket");
	listener = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	MUST(bind(listener, (struct sockaddr *)&address, sizeof(address)));
	MUST(listen(listener, 0));
}

static long wait_accept(void)
{
	int fd = accept(listener, NULL, NULL);

	if (fd != -1)
		close(fd);
	return fd == -1 ? -1 : 0;
}

static long wait_accept_name(void)
{
	struct sockaddr_un from;
	socklen_t len = sizeof(from);
	int fd = accept(listener, (struct sockaddr *)&from, &len);

	if (fd != -1)
		close(fd);
	return fd == -1 ? -1 : 0;
}

static void end_accept(void)
{
	int fd = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));

	MUST(connect(fd, (struct sockaddr *)&address, sizeof(address)));
}

static void make_full_listener(void)
{
	make_listener();
	end_accept(); /* a backlog of 0 holds one connection */
}

static long wait_connect(void)
{
	int fd = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	long result = connect(fd, (struct sockaddr *)&address, sizeof(address));
	int error = errno;

	close(fd);
	errno = error;
	return result;
}

static void end_connect(void)
{
	MUST(accept(listener, NULL, NULL));
	pause(); /* keeps the listener open */
}

static pid_t child;

static void make_child(void)
{
	MUST(pipe(fds));
	child = (pid_t)MUST(fork());
	if (child == 0) {
		char byte;

		close(fds[1]);
		(void)!read(fds[0], &byte, 1);
		_exit(5);
	}
}

static long wait_child(void)
{
	int status = 0;
	long result = waitpid(child, &status, 0);

	return result == -1 ? -1 : WEXITSTATUS(status);
}

static void end_child(void)
{
	MUST(write(fds[1], "x", 1));
}

static void make_sockets(void)
{
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
}

static long wait_recv(void)
{
	char byte;

	return recv(fds[0], &byte, 1, 0);
}

static long wait_recvfrom(void)
{
	char byte;
	struct sockaddr_un from;
	socklen_t len = sizeof(from);

	return recvfrom(fds[0], &byte, 1, 0, (struct sockaddr *)&from, &len);
}

static long wait_recvmsg(void)
{
	char byte;
	struct iovec vec = {&byte, 1};
	struct msghdr message = {.msg_iov = &vec, .msg_iovlen = 1};

	return recvmsg(fds[0], &message, 0);
}

static long wait_poll(void)
{
	struct pollfd one = {.fd = fds[0], .events = POLLIN};

	return poll(&one, 1, -1);
}

static long wait_ppoll(void)
{
	struct pollfd one = {.fd = fds[0], .events = POLLIN};
	sigset_t none;

	sigemptyset(&none);
	return ppoll(&one, 1, NULL, &none);
}

static long wait_select(void)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(fds[0], &set);
	return select(fds[0] + 1, &set, NULL, NULL, NULL);
}

static long wait_epoll(void)
{
	struct epoll_event event = {.events = EPOLLIN};
	int ep = (int)MUST(epoll_create1(0));
	long result;
	int error;

	MUST(epoll_ctl(ep, EPOLL_CTL_ADD, fds[0], &event));
	result = epoll_wait(ep, &event, 1, -1);
	error = errno;
	close(ep);
	errno = error;
	return result;
}

static long wait_nanosleep(void)
{
	const struct timespec second = {30, 0};

	return nanosleep(&second, NULL);
}

static long wait_pause(void)
{
	return pause();
}

static long wait_sigsuspend(void)
{
	sigset_t none;

	sigemptyset(&none);
	return sigsuspend(&none);
}

static void nothing_to_end(void)
{
	pause();
}

static const struct wait {
	const char *name;
	void (*prepare)(void);
	long (*wait)(void);
	void (*hold)(void); /* in the helper, before the wait */
	void (*end)(void);
	bool always_interrupted; /* even with SA_RESTART */
} waits[] = {
	{"open a FIFO to read", make_fifo, wait_fifo_read, no_preparation, end_fifo_read, false},
	{"open a FIFO to write", make_fifo, wait_fifo_write, no_preparation, end_fifo_write, false},
	{"read", make_pipe, wait_read, no_preparation, end_read, false},
	{"write", make_full_pipe, wait_write, no_preparation, end_write, false},
	{"flock", make_file, wait_flock, hold_flock, end_by_close, false},
	{"F_SETLKW", make_file, wait_setlkw, hold_setlkw, end_by_close, false},
	{"accept", make_listener, wait_accept, no_preparation, end_accept, false},
	{"accept with a name", make_listener, wait_accept_name, no_preparation, end_accept, false},
	{"connect", make_full_listener, wait_connect, no_preparation, end_connect, false},
	{"waitpid", make_child, wait_child, no_preparation, end_child, false},
	{"recv", make_sockets, wait_recv, no_preparation, end_read, false},
	{"recvfrom", make_sockets, wait_recvfrom, no_preparation, end_read, false},
	{"recvmsg", make_sockets, wait_recvmsg, no_preparation, end_read, false},
	{"poll", make_pipe, wait_poll, no_preparation, end_read, true},
	{"ppoll", make_pipe, wait_ppoll, no_preparation, end_read, true},
	{"select", make_pipe, wait_select, no_preparation, end_read, true},
	{"epoll_wait", make_pipe, wait_epoll, no_preparation, end_read, true},
	{"nanosleep", no_preparation, wait_nanosleep, no_preparation, nothing_to_end, true},
	{"pause", no_preparation, wait_pause, no_preparation, nothing_to_end, true},
	{"sigsuspend", no_preparation, wait_sigsuspend, no_preparation, nothing_to_end, true},
};

static void helper(const struct wait *wait, int questions, int answers)
{
	char byte;

	signal(SIGALRM, SIG_IGN);
	wait->hold();
	MUST(write(answers, "h", 1));
	if (read(questions, &byte, 1) == 1)
		wait->end();
	_exit(0);
}

static void run_wait(const struct wait *wait, int flags)
{
	int questions[2];
	int answers[2];
	char byte;
	long result;
	int error;
	pid_t pid;

	MUST(pipe(questions));
	MUST(pipe(answers));
	wait->prepare();
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		close(questions[1]);
		helper(wait, questions[0], answers[1]);
	}
	MUST(read(answers[0], &byte, 1));
	handle_alarm(flags);
	ask = flags & SA_RESTART && !wait->always_interrupted ? questions[1] : -1;
	set_timer(15000);
	errno = 0;
	result = wait->wait();
	error = errno;
	set_timer(0);
	printf("%s, %s: ", wait->name, flags & SA_RESTART ? "SA_RESTART" : "no flag");
	errno = error;
	put_result(result);
	printf(", ticks %s\n", ticks > 0 ? "seen" : "missed");
	ticks = 0;
	ask = -1;
	close(questions[0]);
	close(questions[1]);
	close(answers[0]);
	close(answers[1]);
	kill(pid, SIGKILL);
	wait_for(pid);
	if (wait->prepare == make_child) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	for (int fd = 3; fd < 32; fd++)
		close(fd);
}

static void restarts(void)
{
	for (size_t i = 0; i < COUNT(waits); i++) {
		run_wait(&waits[i], 0);
		run_wait(&waits[i], SA_RESTART);
	}
}

/* ---- cancellation ---- */

static void *cancelled(void *arg)
{
	const struct wait *wait = arg;

	wait->wait();
	return NULL;
}

static void cancellation(void)
{
	static const char *const names[] = {"open a FIFO to read",
					    "open a FIFO to write",
					    "read",
					    "write",
					    "F_SETLKW",
					    "accept",
					    "accept with a name",
					    "connect",
					    "recvfrom",
					    "recvmsg",
					    "poll",
					    "ppoll",
					    "nanosleep",
					    "pause",
					    "waitpid"};

	for (size_t i = 0; i < COUNT(waits); i++) {
		bool wanted = false;
		pthread_t thread;
		void *result;
		pid_t pid = 0;
		int ready[2];
		char byte;

		for (size_t n = 0; n < COUNT(names); n++)
			wanted = wanted || strcmp(names[n], waits[i].name) == 0;
		if (!wanted)
			continue;
		waits[i].prepare();
		if (waits[i].hold != no_preparation) {
			MUST(pipe(ready));
			pid = (pid_t)MUST(fork());
			if (pid == 0) {
				waits[i].hold();
				MUST(write(ready[1], "h", 1));
				pause();
			}
			MUST(read(ready[0], &byte, 1));
		}
		if (pthread_create(&thread, NULL, cancelled, (void *)&waits[i]) != 0)
			broken("pthread_create");
		usleep(20000);
		pthread_cancel(thread);
		pthread_join(thread, &result);
		say("cancelled in %s: %s", waits[i].name,
		    result == PTHREAD_CANCELED ? "yes" : "no");
		if (pid > 0) {
			kill(pid, SIGKILL);
			wait_for(pid);
		}
		if (waits[i].prepare == make_child) {
			kill(child, SIGKILL);
			wait_for(child);
		}
	}
	say("still here: %d", access(".", F_OK));
}

/* ---- jumps out of a handler ---- */

static sigjmp_buf out;
static volatile sig_atomic_t armed;

static void jump(int sig)
{
	(void)sig;
	ticks++;
	if (armed) {
		armed = 0;
		siglongjmp(out, 1);
	}
}

static void calls_to_leave(int round)
{
	char name[32];
	char cwd[PATH_MAX];
	struct stat st;
	int fd;

	snprintf(name, sizeof(name), "j%d", round % 7);
	fd = open(name, O_RDWR | O_CREAT, 0600);
	close(fd);
	mkdir("jd", 0700);
	rename(name, "jd/x");
	stat("jd/x", &st);
	(void)!getcwd(cwd, sizeof(cwd));
	unlink("jd/x");
	rmdir("jd");
}

static void check_tree(const char *when)
{
	struct stat st;
	char cwd[PATH_MAX];

	rmdir("jd/x");
	unlink("jd/x");
	rmdir("jd");
	for (int i = 0; i < 7; i++) {
		char name[32];

		snprintf(name, sizeof(name), "j%d", i);
		unlink(name);
	}
	if (mkdir("check", 0700) == -1 || stat("check", &st) == -1 || rmdir("check") == -1 ||
	    !getcwd(cwd, sizeof(cwd)))
		say("%s: broken, %s", when, error_name(errno));
	else
		say("%s: whole", when);
}

static void jumps(void)
{
	struct sigaction action = {.sa_handler = jump};
	volatile int jumped = 0;
	volatile int round = 0;

	MUST(sigaction(SIGALRM, &action, NULL));
	set_timer(300);
	while (jumped < 500) {
		if (sigsetjmp(out, 1) == 0) {
			armed = 1;
			for (;;)
				calls_to_leave(round++);
		}
		jumped++;
		for (int fd = 3; fd < 16; fd++)
			close(fd); /* the jump may have left one open */
	}
	set_timer(0);
	check_tree("after jumps");
	/* Jump out of a call that waits. */
	make_fifo();
	set_timer(5000);
	for (jumped = 0; jumped < 20;) {
		if (sigsetjmp(out, 1) == 0) {
			armed = 1;
			close(open("fifo", O_RDONLY));
			say("open ended");
		}
		jumped++;
	}
	set_timer(0);
	check_tree("after jumps out of a wait");
}

/* ---- a storm ---- */

static void storm_tick(int sig)
{
	struct stat st;
	int error = errno;

	(void)sig;
	ticks++;
	if (stat("/proc/self/exe", &st) == -1)
		abort();
	errno = error;
}

#define ROUNDS 120
#define TICKS 20 /* signals that must come, even on a fast machine */

static void check(bool good, const char *what)
{
	if (!good) {
		say("wrong in the storm: %s (%s)", what, error_name(errno));
		fflush(stdout);
		_exit(1);
	}
}

static void *storm_thread(void *arg)
{
	const int number = (int)(intptr_t)arg;
	char here[PATH_MAX];
	char name[64];
	char other[64];
	struct stat st;
	uint64_t text;
	int fd;

	for (int i = 0; i < ROUNDS || ticks <= TICKS; i++) {
		snprintf(name, sizeof(name), "storm-%d-%d", number, i);
		snprintf(other, sizeof(other), "storm-%d-%d-b", number, i);
		check(mkdir(name, 0700) == 0, "mkdir");
		check(mkdir(name, 0700) == -1 && errno == EEXIST, "mkdir again");
		check(rmdir(name) == 0, "rmdir");
		check(rmdir(name) == -1 && errno == ENOENT, "rmdir again");
		fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
		check(fd >= 0, "open");
		check(write(fd, &i, sizeof(i)) == sizeof(i), "write");
		close(fd);
		check(rename(name, other) == 0, "rename");
		check(rename(name, other) == -1 && errno == ENOENT, "rename again");
		check(stat(other, &st) == 0 && st.st_size == sizeof(i), "stat");
		check(link(other, name) == 0, "link");
		check(unlink(other) == 0, "unlink");
		check(chmod(name, 0640) == 0 && stat(name, &st) == 0 &&
			      (st.st_mode & 0777) == 0640 && st.st_nlink == 1,
		      "chmod");
		fd = open(name, O_RDONLY);
		text = 0;
		check(read(fd, &text, 8) == sizeof(i) && text == (uint64_t)i, "read");
		close(fd);
		check(unlink(name) == 0, "unlink");
		check(getcwd(here, sizeof(here)) != NULL && here[0] == '/', "getcwd");
		check(access("/no/such/path", F_OK) == -1 && errno == ENOENT, "access");
	}
	return NULL;
}

static void storm(void)
{
	struct sigaction action = {.sa_handler = storm_tick, .sa_flags = SA_RESTART};
	pthread_t threads[4];

	sigfillset(&action.sa_mask);
	MUST(sigaction(SIGALRM, &action, NULL));
	set_timer(100);
	for (size_t i = 0; i < COUNT(threads); i++) {
		if (pthread_create(&threads[i], NULL, storm_thread, (void *)(intptr_t)i) != 0)
			broken("pthread_create");
	}
	for (size_t i = 0; i < COUNT(threads); i++)
		pthread_join(threads[i], NULL);
	set_timer(0);
	say("storm over, ticks %s", ticks > TICKS ? "seen" : "too few");
}

/* Repeat the calls until a handler has interrupted them often. */
static void storm_over(void (*handler)(int), void (*calls)(void))
{
	const struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};

	MUST(sigaction(SIGALRM, &action, NULL));
	set_timer(100);
	while (ticks < 2000)
		calls();
	set_timer(0);
	say("storm over");
}

static void look_around(void)
{
	struct stat st;
	int fd;

	check(stat("/", &st) == 0 && S_ISDIR(st.st_mode), "stat");
	check(stat("/no/such", &st) == -1 && errno == ENOENT, "failed stat");
	check(access("/", X_OK) == 0, "access");
	fd = open("/", O_RDONLY | O_DIRECTORY);
	check(fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode), "fstat");
	check(close(fd) == 0, "close");
}

/* Interrupt one thread very often at the same few call sites. */
static void storm_alone(void)
{
	storm_over(tick, look_around);
}

#ifdef __x86_64__
/* access(path, 0) by a call site that has other code between the load of the number and the call.
 * query_around() has a branch over such a call. */
static __attribute__((noinline)) long query(const char *path)
{
	long ret;

	__asm__ volatile("mov $21, %%eax\n\t"
			 "nop\n\t"
			 "syscall\n\t"
			 "cmp $-4096, %%rax\n\t"
			 "nop"
			 : "=a"(ret)
			 : "D"(path), "S"(0)
			 : "rcx", "r11", "cc", "memory");
	return ret;
}

static long query_around(const char *path, int really)
{
	long ret = really;

	__asm__ volatile("test %%eax, %%eax\n\t"
			 "jz 1f\n\t"
			 "mov $21, %%eax\n\t"
			 "nop\n\t"
			 "syscall\n"
			 "1:\tcmp $-4096, %%rax\n\t"
			 "nop"
			 : "+a"(ret)
			 : "D"(path), "S"(0)
			 : "rcx", "r11", "cc", "memory");
	return ret;
}

static void query_in_handler(int sig)
{
	(void)sig;
	ticks++;
	if (query("/") != 0)
		abort();
}

static void query_once(void)
{
	check(query("/no/such") == -ENOENT, "the call");
}

/* The handler makes a call by the same call site at which it interrupted the program. */
static void storm_nested(void)
{
	for (int i = 0; i < 100; i++)
		check(query_around("/", i % 2) == 0, "a branch over the call");
	storm_over(query_in_handler, query_once);
}
#endif

/* Spawn, fork and execute in a storm of signals. */
static void storm_spawn(void)
{
	struct sigaction action = {.sa_handler = storm_tick, .sa_flags = SA_RESTART};
	char *const arguments[] = {"true", NULL};
	int failures = 0;
	pid_t pid;

	MUST(sigaction(SIGALRM, &action, NULL));
	set_timer(400);
	for (int i = 0; i < 40 || ticks <= TICKS; i++) {
		int error = posix_spawn(&pid, "/bin/true", NULL, NULL, arguments, environ);

		if (error != 0 || wait_for(pid) != 0)
			failures++;
		error = posix_spawn(&pid, "/no/such/program", NULL, NULL, arguments, environ);
		if (error != ENOENT)
			failures++;
		pid = fork();
		if (pid == 0)
			_exit(access("/", F_OK) == 0 ? 7 : 1);
		if (wait_for(pid) != 7 << 8)
			failures++;
	}
	say("system: %#x", (unsigned)system("exit 7"));
	set_timer(0);
	say("failures %d, ticks %s", failures, ticks > TICKS ? "seen" : "too few");
}

static const struct part groups[] = {
	{"restarts", restarts},

	{"cancellation", cancellation},
	{"jumps", jumps},
	{"storm", storm},
	{"storm-alone", storm_alone},
	{"storm-spawn", storm_spawn},
#ifdef __x86_64__
	{"storm-nested", storm_nested},
#endif
};

int main(int argc, char **argv)
{
	return run_group(argc, argv, groups, COUNT(groups));
}
