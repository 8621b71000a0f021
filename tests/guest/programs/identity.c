/* SPDX-License-Identifier: MIT */
/*
 * identity.c - every view of the numbers of processes: no two may disagree.
 *
 * The main process of a container or of a pid namespace prints what each view calls it, its child
 * and a process outside. tests/guest/recorded/identity.txt is from `unshare --pid --fork
 * --mount-proc`.
 */
#include "see.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <termios.h>

static pid_t child; /* 0: none is known */

static const char *name_of(long pid)
{
	if (pid == 1)
		return "the first";
	if (pid == 0)
		return "nobody";
	if (child != 0 && pid == child)
		return "the child";
	return pid < 0 ? "an error" : "another";
}

static void view(const char *what, long pid)
{
	say("%s: %s", what, name_of(pid));
}

/* ---- files ----------------------------------------------------------------- */

static long number_in(const char *path, const char *key)
{
	char text[4096];
	const int fd = open(path, O_RDONLY);
	const ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	const char *at;

	close(fd);
	if (len <= 0)
		return -1;
	text[len] = '\0';
	at = strstr(text, key);
	return at == NULL ? -1 : atol(at + strlen(key));
}

/* A field of stat behind the name: 0 is the state. */
static long field_of(const char *path, int field)
{
	char text[4096];
	const int fd = open(path, O_RDONLY);
	const ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	char *at;

	close(fd);
	if (len <= 0)
		return -1;
	text[len] = '\0';
	at = strrchr(text, ')') + 1;
	while (field-- >= 0)
		at = strchr(at, ' ') + 1;
	return atol(at);
}

static long link_of(const char *path)
{
	char text[64] = "";

	return readlink(path, text, sizeof(text) - 1) < 0 ? -1 : atol(text);
}

static void files(const char *folder)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/status", folder);
	view("status Pid", number_in(path, "\nPid:\t"));
	view("status Tgid", number_in(path, "\nTgid:\t"));
	view("status PPid", number_in(path, "\nPPid:\t"));
	view("status TracerPid", number_in(path, "\nTracerPid:\t"));
	snprintf(path, sizeof(path), "%s/stat", folder);
	view("stat pid", number_in(path, ""));
	view("stat parent", field_of(path, 1));
	view("stat group", field_of(path, 2));
	view("stat session", field_of(path, 3));
}

/* ---- the first process ------------------------------------------------------- */

static volatile long sender;

static void note(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	sender = info->si_pid;
}

static void itself(void)
{
	view("getpid", getpid());
	view("gettid", syscall(SYS_gettid));
	view("getppid", getppid());
	view("getpgrp", syscall(SYS_getpgrp));
	view("getpgid of 0", getpgid(0));
	view("getpgid of 1", getpgid(1));
	view("getsid of 0", getsid(0));
	view("getsid of 1", getsid(1));
	view("/proc/self", link_of("/proc/self"));
	view("/proc/thread-self", link_of("/proc/thread-self"));
	files("/proc/self");
	files("/proc/1");
}

static void own_signals(void)
{
	union sigval value = {0};

	view("raise", (raise(SIGUSR1), sender));
	sender = -1;
	view("kill", (kill(1, SIGUSR1), sender));
	sender = -1;
	view("tgkill by the shown number", (syscall(SYS_tgkill, 1, 1, SIGUSR1), sender));
	sender = -1;
	view("tkill", (syscall(SYS_tkill, 1, SIGUSR1), sender));
	sender = -1;
	view("sigqueue", (sigqueue(1, SIGUSR1, value), sender));
	sender = -1;
	view("pthread_kill", (pthread_kill(pthread_self(), SIGUSR1), sender));
	SEE(kill(1, SIGKILL));
	SEE(kill(1, SIGTERM));
	SEE(kill(-1, 0));
}

static void owners(void)
{
	const int fd = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	struct f_owner_ex owner = {F_OWNER_TID, 1};
	int number = 0;

	SEE(fcntl(fd, F_SETOWN, 1));
	view("F_GETOWN", fcntl(fd, F_GETOWN));
	SEE(fcntl(fd, F_SETOWN_EX, &owner));
	SEE(fcntl(fd, F_GETOWN_EX, &owner));
	view("F_GETOWN_EX", owner.pid);
	owner = (struct f_owner_ex){F_OWNER_PGRP, 1};
	SEE(fcntl(fd, F_SETOWN_EX, &owner));
	SEE(ioctl(fd, FIOGETOWN, &number));
	view("FIOGETOWN of a group", -number);
	close(fd);
}

static void terminal(void)
{
	const int master = (int)MUST(posix_openpt(O_RDWR | O_NOCTTY));
	int slave;
	int session = -1;

	MUST(grantpt(master));
	MUST(unlockpt(master));
	slave = (int)MUST(open(ptsname(master), O_RDWR | O_NOCTTY));
	MUST(ioctl(slave, TIOCSCTTY, 0));
	view("tcgetpgrp", tcgetpgrp(slave));
	view("tcgetsid", tcgetsid(slave));
	SEE(ioctl(master, TIOCGSID, &session));
	view("TIOCGSID", session);
	SEE(tcsetpgrp(slave, 1));
}

static void by_number(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
	const int first = 1;
	struct timespec time;
	cpu_set_t cpus;
	timer_t timer;
	clockid_t clock;
	char path[64];
	int fd;

	/* Its name differs between C libraries. */
	memcpy((char *)&event + offsetof(struct sigevent, sigev_notify) + sizeof(int), &first,
	       sizeof(first));
	SEE(timer_create(CLOCK_MONOTONIC, &event, &timer));
	SEE(clock_getcpuclockid(1, &clock));
	SEE(clock_gettime(clock, &time));
	SEE(clock_getres(clock, NULL));
	SEE(getpriority(PRIO_PROCESS, 1));
	SEE(getpriority(PRIO_PGRP, 1));
	SEE(sched_getaffinity(1, sizeof(cpus), &cpus));
	SEE(syscall(SYS_sched_getscheduler, 1));
	fd = (int)syscall(SYS_pidfd_open, 1, 0);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	view("a pidfd's fdinfo", number_in(path, "\nPid:\t"));
	close(fd);
}

static void shared_memory(void)
{
	const int id = (int)MUST(shmget(IPC_PRIVATE, 4096, 0600));
	struct shmid_ds about;

	MUST(shmctl(id, IPC_STAT, &about));
	view("shm_cpid", about.shm_cpid);
	MUST(shmctl(id, IPC_RMID, NULL));
}

/* ---- a child ------------------------------------------------------------------- */

static long peer_of(int fd)
{
	struct ucred peer = {-1, 0, 0};
	socklen_t size = sizeof(peer);

	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
	return peer.pid;
}

static void send_credentials(int fd, pid_t pid)
{
	char room[CMSG_SPACE(sizeof(struct ucred))] = {0};
	char byte = 'x';
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = room,
				 .msg_controllen = sizeof(room)};
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	const struct ucred as = {pid, getuid(), getgid()};

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_CREDENTIALS;
	head->cmsg_len = CMSG_LEN(sizeof(as));
	memcpy(CMSG_DATA(head), &as, sizeof(as));
	MUST(sendmsg(fd, &message, 0));
}

static long receive_credentials(int fd)
{
	char room[CMSG_SPACE(sizeof(struct ucred))];
	char byte;
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = room,
				 .msg_controllen = sizeof(room)};
	struct ucred from;

	if (recvmsg(fd, &message, 0) < 1 || CMSG_FIRSTHDR(&message) == NULL)
		return -1;
	memcpy(&from, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(from));
	return from.pid;
}

/* The child's side. It says what it sees of the first process. */
static void of_the_child(int fd, int locked)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	sigset_t set;
	siginfo_t info;
	int status;

	child = getpid();
	say("the child's getpid is its gettid: %d", getpid() == syscall(SYS_gettid));
	view("the child's getppid", getppid());
	view("the child's group", getpgrp());
	view("the child's session", getsid(0));
	view("the child's SO_PEERCRED", peer_of(fd));
	view("the child receives from", receive_credentials(fd));
	send_credentials(fd, getpid());
	MUST(fcntl(locked, F_GETLK, &lock));
	view("F_GETLK", lock.l_pid);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	MUST(write(fd, "r", 1));
	MUST(sigwaitinfo(&set, &info));
	view("sigwaitinfo", info.si_pid);
	SEE(ptrace(PTRACE_SEIZE, 1, NULL, NULL));
	SEE(ptrace(PTRACE_INTERRUPT, 1, NULL, NULL));
	view("wait4 of a tracer", waitpid(1, &status, __WALL));
	view("TracerPid of the first", number_in("/proc/1/status", "\nTracerPid:\t"));
	SEE(ptrace(PTRACE_DETACH, 1, NULL, NULL));
	kill(1, SIGUSR1);
	fflush(stdout);
	_exit(3);
}

static void a_child(void)
{
	const int on = 1;
	int locked = (int)MUST(open("locked", O_RDWR | O_CREAT, 0600));
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	siginfo_t info = {0};
	int pair[2];
	char byte;
	long from;

	unlink("locked");
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	MUST(setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	MUST(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	MUST(fcntl(locked, F_SETLK, &lock));
	fflush(stdout);
	child = (pid_t)MUST(fork());
	if (child == 0)
		of_the_child(pair[1], locked);
	send_credentials(pair[0], 1);
	from = receive_credentials(pair[0]);
	MUST(read(pair[0], &byte, 1)); /* the child has printed, and waits */
	view("the first receives from", from);
	sender = -1;
	kill(child, SIGUSR2);
	MUST(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT));
	view("the child's signal", sender);
	view("waitid", info.si_pid);
	view("wait4", waitpid(-1, NULL, 0));
	close(pair[0]);
	close(pair[1]);
	close(locked);
}

/* Its parent ends: it comes to the first process. */
static void an_orphan(void)
{
	int ready[2];
	pid_t orphan;

	MUST(pipe(ready));
	child = (pid_t)MUST(fork());
	if (child == 0) {
		orphan = (pid_t)MUST(fork());
		if (orphan != 0) {
			MUST(write(ready[1], &orphan, sizeof(orphan)));
			_exit(0);
		}
		for (int i = 0; getppid() != 1 && i < 10000; i++)
			poll(NULL, 0, 1);
		_exit(getppid() == 1 ? 5 : 6);
	}
	MUST(waitpid(child, NULL, 0));
	MUST(read(ready[0], &child, sizeof(child)));
	say("the orphan ended: %d", WEXITSTATUS(wait_for(child)));
}

int main(void)
{
	const struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_RESTART};

	setvbuf(stdout, NULL, _IOLBF, 0);
	setsid(); /* the main process of a container leads a session already */
	sigaction(SIGUSR1, &action, NULL);
	itself();
	own_signals();
	owners();
	terminal();
	by_number();
	shared_memory();
	a_child();
	an_orphan();
	SEE(syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0));
	return 0;
}
