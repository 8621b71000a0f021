/* SPDX-License-Identifier: MIT */
/*
 * i386.c - what only 32-bit programs do: old system calls with their structures, and 32-bit and
 * 64-bit programs that execute each other. Prints the same on the host and in a container.
 */
#include "see.h"

#include <dirent.h>
#include <pthread.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <ucontext.h>

static char **words; /* the arguments after the group's name */

/* ---- 32-bit and 64-bit programs --------------------------------------------- */

/* `PROGRAM chain A B C`: executes A with the rest, and so on. */
static void chain(void)
{
	char *next[16] = {words[0], "chain"};

	say("a program with pointers of %zu bytes", sizeof(void *));
	fflush(stdout);
	if (!words[0])
		return;
	for (int i = 1; words[i]; i++)
		next[i + 1] = words[i];
	execv(words[0], next);
	say("%s", error_name(errno));
}

/* Execute the program in a child, after each kind of fork. */
static void children(void)
{
	char *next[] = {words[0], "chain", NULL};
	pid_t pid = (pid_t)MUST(fork());

	if (pid == 0) {
		execv(words[0], next);
		_exit(9);
	}
	say_status("forked", wait_for(pid));
	pid = vfork();
	if (pid == 0) {
		execve(words[0], next, environ);
		_exit(9);
	}
	say_status("vforked", wait_for(pid));
	fflush(stdout);
	say_status("a shell's", system("exit 3"));
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		syscall(SYS_execveat, AT_FDCWD, words[0], next, environ, 0);
		_exit(9);
	}
	say_status("by execveat", wait_for(pid));
	SEE(syscall(SYS_execve, words[0], (char **)8, environ));
	SEE(syscall(SYS_execve, words[0], next, (char **)8));
	SEE(syscall(SYS_execve, "/no/such/program", next, environ));
}

#ifdef __i386__

#define PAGE 4096

/* ---- memory and threads ----------------------------------------------------- */

static bool is_low(const void *p)
{
	return (uintptr_t)p < 0xffffe000;
}

static void memory(void)
{
	char *start;
	char *at;
	int shared;

	say("what the library needs is there");
	start = sbrk(0);
	SEE(brk(start + 5 * PAGE + 100));
	memset(start, 1, 5 * PAGE + 100);
	say("the heap has grown by %ld", (long)((char *)sbrk(0) - start));
	SEE(brk(start + 100));
	say("and is %ld now", (long)((char *)sbrk(0) - start));
	SEE(brk(start + 9 * PAGE));
	say("new pages are zero: %d", start[8 * PAGE] == 0 && start[3 * PAGE] == 0);
	SEE(brk((void *)(uintptr_t)0xfffff000) == -1);
	at = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	say("mapped low: %d", at != MAP_FAILED && is_low(at));
	at = mremap(at, 16 * PAGE, 4096 * PAGE, MREMAP_MAYMOVE);
	say("moved low: %d", at != MAP_FAILED && is_low(at));
	SEE(munmap(at, 4096 * PAGE));
	shared = (int)MUST(shmget(IPC_PRIVATE, PAGE, IPC_CREAT | 0600));
	at = shmat(shared, NULL, 0);
	say("attached low: %d", at != (void *)-1 && is_low(at));
	SEE(shmdt(at));
	SEE(shmctl(shared, IPC_RMID, NULL));
	at = malloc(200 << 20);
	say("200 MB: %d", at != NULL);
	free(at);
}

static __thread int own = 7;
static pthread_barrier_t barrier;

static void *thread_main(void *arg)
{
	struct stat st;
	int bad = own != 7;

	own = (int)(intptr_t)arg;
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < 200; i++)
		bad += stat(i % 2 ? "/" : "/no/such/file", &st) != (i % 2 ? 0 : -1) ||
		       own != (int)(intptr_t)arg || errno == EFAULT;
	return (void *)(intptr_t)bad;
}

static void threads(void)
{
	pthread_t ids[32];
	intptr_t bad = 0;
	void *result;
	pid_t pid;

	MUST(pthread_barrier_init(&barrier, NULL, COUNT(ids)));
	for (size_t i = 0; i < COUNT(ids); i++)
		MUST(-pthread_create(&ids[i], NULL, thread_main, (void *)(intptr_t)(i + 100)));
	for (size_t i = 0; i < COUNT(ids); i++) {
		pthread_join(ids[i], &result);
		bad += (intptr_t)result;
	}
	say("32 threads, %d things wrong, own is %d", (int)bad, own);
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		pthread_t one;

		MUST(pthread_barrier_init(&barrier, NULL, 1));
		MUST(-pthread_create(&one, NULL, thread_main, (void *)5));
		pthread_join(one, &result);
		_exit(result == NULL && own == 7 ? 12 : 13);
	}
	say_status("a thread of a child", wait_for(pid));
}

/* ---- old calls --------------------------------------------------------------- */

struct old_stat {
	unsigned long dev, ino;
	unsigned short mode, nlink, uid, gid;
	unsigned long rdev, size, blksize, blocks, times[6], unused[2];
};

struct old_timespec {
	long sec, nsec;
};

static void say_old(const char *what, long result, const struct old_stat *st)
{
	if (result < 0)
		say("%s: %s", what, error_name(errno));
	else
		say("%s: mode %o links %d size %lu times %d %d", what, st->mode, st->nlink,
		    st->size, st->times[0] > 0, st->times[2] > 0);
}

static void old_files(void)
{
	struct old_stat st;
	unsigned short ids[3];
	long seconds[2] = {1000000, 2000000};
	struct old_timespec times[2] = {{1500, 7}, {0, UTIME_OMIT}};
	struct timeval half[2] = {{77, 500000}, {78, 250000}};
	char names[4096];
	struct statfs fs;
	char wide[84];
	long n;
	int fd;
	int count = 0;

	write_file("f", "twelve bytes");
	say_old("stat", syscall(SYS_stat, "f", &st), &st);
	SEE(symlink("f", "l"));
	say_old("lstat", syscall(SYS_lstat, "l", &st), &st);
	say_old("stat of nothing", syscall(SYS_stat, "g", &st), &st);
	say_old("bad pointer", syscall(SYS_stat, "f", 8), &st);
	fd = (int)MUST(syscall(SYS_creat, "made", 0640));
	say_old("fstat", syscall(SYS_fstat, fd, &st), &st);
	SEE(syscall(SYS_ftruncate64, fd, 1, 1)); /* 4 GiB + 1 */
	say_old("a large file", syscall(SYS_fstat, fd, &st), &st);
	SEE(syscall(SYS_truncate64, "made", 3, 0));
	say_old("a small file", syscall(SYS_fstat, fd, &st), &st);
	SEE(syscall(SYS_truncate, "made", -1L));
	close(fd);
	SEE(syscall(SYS_utime, "f", seconds));
	SEE(syscall(SYS_stat, "f", &st));
	say("utime: %lu %lu", st.times[0], st.times[2]);
	SEE(syscall(SYS_utimes, "f", half));
	SEE(syscall(SYS_stat, "f", &st));
	say("utimes: %lu %lu.%lu", st.times[0], st.times[2], st.times[3]);
	SEE(syscall(SYS_utimensat, AT_FDCWD, "f", times, 0));
	SEE(syscall(SYS_stat, "f", &st));
	say("utimensat: %lu.%lu %lu", st.times[0], st.times[1], st.times[2]);
	SEE(syscall(SYS_futimesat, AT_FDCWD, "f", half));
	SEE(syscall(SYS_chown, "f", 0xffff, 0xffff));
	SEE(syscall(SYS_lchown, "l", -1, -1));
	SEE(syscall(SYS_getresuid, &ids[0], &ids[1], &ids[2]));
	say("ids are equal: %d", ids[0] == ids[1] && ids[1] == ids[2] && ids[0] == getuid());
	SEE(syscall(SYS_getuid) == (long)getuid());
	SEE(syscall(SYS_setreuid, -1, -1));
	fd = (int)MUST(open(".", O_RDONLY | O_DIRECTORY));
	while ((n = syscall(SYS_getdents, fd, names, 64)) > 0) {
		for (long at = 0; at < n; at += *(unsigned short *)(names + at + 8))
			count++;
	}
	say("entries: %d, then %ld", count, n);
	close(fd);
	SEE(statfs("f", &fs));
	SEE(syscall(SYS_statfs64, "f", 84, wide));
	SEE(syscall(SYS_statfs64, "f", 80, wide));
	SEE(syscall(SYS_rename, "made", "moved"));
	SEE(syscall(SYS_unlink, "moved"));
	SEE(syscall(SYS_mkdir, "d", 0755));
	SEE(syscall(SYS_rmdir, "d"));
	SEE(syscall(SYS_access, "f", R_OK));
	n = syscall(SYS_readlink, "l", names, sizeof(names));
	say("readlink: %ld %c", n, names[0]);
}

static volatile sig_atomic_t got;

static void count_signal(int sig)
{
	got += sig;
}

struct old_action {
	void (*handler)(int);
	unsigned long mask, flags;
	void (*restorer)(void);
};

static void old_signals(void)
{
	struct old_action action = {count_signal, 1UL << (SIGUSR2 - 1), 0, NULL};
	struct old_action before;
	unsigned long set = 1UL << (SIGUSR1 - 1);
	unsigned long old = 0;
	sigset_t wide;
	sigset_t high;

	SEE(syscall(SYS_sigaction, SIGUSR1, &action, &before));
	say("before: %d", before.handler == SIG_DFL);
	raise(SIGUSR1); /* no SA_RESTORER: the handler returns through the vDSO */
	say("got %d", got);
	sigemptyset(&high);
	sigaddset(&high, 40);
	MUST(sigprocmask(SIG_BLOCK, &high, NULL));
	SEE(syscall(SYS_sigprocmask, SIG_SETMASK, &set, &old));
	say("old mask %lx", old);
	raise(SIGUSR1);
	say("blocked: %d", got);
	MUST(sigprocmask(SIG_BLOCK, NULL, &wide));
	say("40 is still blocked: %d", sigismember(&wide, 40));
	SEE(syscall(SYS_sigsuspend, 0, 0, 0));
	say("suspended: %d", got);
	SEE(syscall(SYS_signal, SIGUSR2, count_signal) == (long)SIG_DFL);
	raise(SIGUSR2);
	say("once: %d", got);
	SEE(syscall(SYS_signal, SIGUSR2, SIG_IGN) == (long)SIG_DFL);
	SEE(syscall(SYS_sigaction, SIGKILL, &action, NULL));
	SEE(syscall(SYS_sigaction, SIGUSR1, NULL, &before));
	say("it is kept: %d %lx", before.handler == count_signal, before.mask);
}

static void waits(void)
{
	struct old_timespec time = {5, 0};
	int status = 0;
	pid_t pid;
	fd_set none;

	pid = (pid_t)MUST(fork());
	if (pid == 0)
		_exit(5);
	SEE(syscall(SYS_waitpid, pid, &status, WUNTRACED) == pid);
	say_status("waitpid", status);
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		raise(SIGSTOP);
		_exit(6);
	}
	SEE(syscall(SYS_waitpid, pid, &status, WUNTRACED) == pid);
	say("stopped: %d", WIFSTOPPED(status));
	kill(pid, SIGCONT);
	SEE(syscall(SYS_wait4, pid, &status, 0, NULL) == pid);
	say_status("wait4", status);
	FD_ZERO(&none);
	time = (struct old_timespec){0, 1000};
	SEE(syscall(SYS_pselect6, 0, &none, NULL, NULL, &time, NULL));
	time = (struct old_timespec){0, 1000};
	SEE(syscall(SYS_ppoll, NULL, 0, &time, NULL, 0));
	SEE(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &time, NULL));
	SEE(syscall(SYS_rt_sigtimedwait, &none, NULL, &time, 8));
}

/* ---- frames of handlers ------------------------------------------------------- */

static unsigned skip_to;

static void repair(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	say("signal %d at the address %lx, pointer there: %d, aligned: %d", sig,
	    (unsigned long)info->si_addr, uc->uc_mcontext.gregs[REG_EBX] == 0x1234,
	    ((uintptr_t)__builtin_frame_address(0) + 8) % 16 == 0);
	uc->uc_mcontext.gregs[REG_EIP] = (int)skip_to;
	uc->uc_mcontext.gregs[REG_ECX] = 77;
}

static void plain_handler(int sig)
{
	double a = 1.5;

	__asm__ volatile("fninit");
	say("plain handler of %d counts %.2f", sig, a * sig);
}

static void frames(void)
{
	struct sigaction action = {.sa_sigaction = repair, .sa_flags = SA_SIGINFO};
	long double before = 3.25L;
	int found = 0;

	MUST(sigaction(SIGSEGV, &action, NULL));
	__asm__ volatile("movl $1f, %1\n\t"
			 "movl $0x1234, %%ebx\n\t"
			 "movl %%eax, 0x10\n\t"
			 "1: movl %%ecx, %0"
			 : "=r"(found), "=m"(skip_to)
			 :
			 : "ebx", "ecx", "memory");
	say("went on with %d", found);
	signal(SIGALRM, plain_handler);
	__asm__ volatile("fldt %1\n\t"
			 "movl %2, %%ebx\n\t"
			 "movl $14, %%ecx\n\t"
			 "movl %3, %%eax\n\t"
			 "int $0x80\n\t"
			 "fstpt %0"
			 : "=m"(before)
			 : "m"(before), "r"(getpid()), "i"(SYS_kill)
			 : "eax", "ebx", "ecx", "memory");
	say("the numbers of the processor came back: %.2f", (double)before);
}

/* ---- sockets ------------------------------------------------------------------ */

static long socketcall(int number, const long *args)
{
	return syscall(SYS_socketcall, number, args);
}

static void sockets(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "s"};
	struct sockaddr_un from;
	socklen_t len = sizeof(from);
	char bytes[32];
	int pair[2];
	struct timeval time = {1, 500000};
	struct timeval back = {0, 0};
	long server = MUST(socketcall(1, (long[]){AF_UNIX, SOCK_STREAM, 0}));
	long client = MUST(socketcall(1, (long[]){AF_UNIX, SOCK_STREAM, 0}));
	long taken;

	SEE(socketcall(2, (long[]){server, (long)&name, sizeof(name)}));
	say_stat("s");
	SEE(socketcall(4, (long[]){server, 5}));
	SEE(socketcall(3, (long[]){client, (long)&name, sizeof(name)}));
	taken = MUST(socketcall(5, (long[]){server, 0, 0}));
	SEE(socketcall(9, (long[]){client, (long)"hello", 5, 0}));
	SEE(socketcall(10, (long[]){taken, (long)bytes, sizeof(bytes), 0}));
	SEE(socketcall(11, (long[]){taken, (long)"back", 4, 0, 0, 0}));
	SEE(socketcall(12,
		       (long[]){client, (long)bytes, sizeof(bytes), 0, (long)&from, (long)&len}));
	SEE(socketcall(8, (long[]){AF_UNIX, SOCK_DGRAM, 0, (long)pair}));
	SEE(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)));
	len = sizeof(back);
	SEE(socketcall(15, (long[]){pair[0], SOL_SOCKET, SO_RCVTIMEO, (long)&back, (long)&len}));
	say("the time came back: %ld.%ld in %d bytes", (long)back.tv_sec, (long)back.tv_usec,
	    (int)len);
	SEE(socketcall(13, (long[]){client, SHUT_WR}));
	SEE(socketcall(10, (long[]){taken, (long)bytes, sizeof(bytes), 0}));
	SEE(socketcall(0, (long[]){0}));
	SEE(socketcall(21, (long[]){0}));
	SEE(socketcall(3, (long *)8));
}

static void receive(int fd, char *control, size_t size, const char *what)
{
	char byte[8];
	struct iovec iov = {byte, sizeof(byte)};
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = size};
	ssize_t n = recvmsg(fd, &m, 0);

	say("%s: %d bytes, control %d, cut %d", what, (int)n, (int)m.msg_controllen,
	    (m.msg_flags & MSG_CTRUNC) != 0);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		say("  level %d type %d length %d", c->cmsg_level, c->cmsg_type, (int)c->cmsg_len);
		if (c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++)
			SEE(close(((int *)(void *)CMSG_DATA(c))[i]));
	}
}

static void messages(void)
{
	char control[CMSG_SPACE(3 * sizeof(int))] __attribute__((aligned(4)));
	char room[256] __attribute__((aligned(4)));
	struct iovec iov[2] = {{"ab", 2}, {"c", 1}};
	struct msghdr m = {.msg_iov = iov,
			   .msg_iovlen = 2,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	struct cmsghdr *c;
	struct mmsghdr many[3] = {{.msg_hdr = {.msg_iov = iov, .msg_iovlen = 2}},
				  {.msg_hdr = {.msg_iov = iov, .msg_iovlen = 1}}};
	int on = 1;
	int pair[2];
	int low;

	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	memset(control, 0, sizeof(control));
	c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(3 * sizeof(int));
	for (int i = 0; i < 3; i++)
		((int *)(void *)CMSG_DATA(c))[i] = i;
	low = dup(0);
	close(low);
	for (int i = 0; i < 4; i++)
		SEE(sendmsg(pair[0], &m, 0));
	receive(pair[1], room, sizeof(room), "all");
	receive(pair[1], room, CMSG_LEN(2 * sizeof(int)), "room for two");
	receive(pair[1], room, 4, "no room");
	receive(pair[1], NULL, 0, "nowhere");
	say("no descriptor is left over: %d", dup(0) == low);
	MUST(setsockopt(pair[1], SOL_SOCKET, SO_TIMESTAMP, &on, sizeof(on)));
	MUST(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	SEE(sendmsg(pair[0], &m, 0));
	receive(pair[1], room, sizeof(room), "with everything");
	SEE(sendmmsg(pair[0], many, 2, 0));
	say("sent %u and %u", many[0].msg_len, many[1].msg_len);
	iov[0].iov_base = room;
	iov[1].iov_base = room + 8;
	SEE(recvmmsg(pair[1], many, 2, 0, NULL));
	say("received %u and %u", many[0].msg_len, many[1].msg_len);
	c->cmsg_len = 4;
	SEE(sendmsg(pair[0], &m, 0));
	SEE(sendmsg(pair[0], (struct msghdr *)8, 0));
}

/* ---- every system call number ----------------------------------------------------- */

static bool is_skipped(long nr)
{
	static const long skipped[] = {SYS_fork,   SYS_vfork, SYS_clone,      SYS_sync,
				       SYS_syncfs, SYS_exit,  SYS_exit_group, SYS_close_range};

	for (size_t i = 0; i < COUNT(skipped); i++) {
		if (nr == skipped[i])
			return true;
	}
	return false;
}

/* Wait for a child; kill it when its call takes long. */
static void end_of(pid_t pid)
{
	const struct timespec soon = {0, 100000000};
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	while (waitpid(pid, NULL, WNOHANG) == 0) {
		if (sigtimedwait(&child, NULL, &soon) == -1 && errno == EAGAIN)
			kill(pid, SIGKILL);
	}
}

/* `PROGRAM walk PATH OTHER`: try every call number, with the paths where calls take paths. A child
 * makes each call, since a call may end the process or wait for ever. */
static void walk(void)
{
	const long a = (long)words[0];
	const long b = (long)words[1];
	const long shapes[][6] = {
		{a, b, 0, 0, 0, 0},
		{a, O_RDWR | O_CREAT | O_TRUNC, 0600, 0, 0, 0},
		{AT_FDCWD, a, 0, 0, 0, 0},
		{AT_FDCWD, a, AT_FDCWD, b, 0, 0},
		{AT_FDCWD, a, O_RDWR | O_TRUNC, 0, 0, 0},
	};

	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	MUST(sigprocmask(SIG_BLOCK, &child, NULL));
	for (long nr = 0; nr < 512; nr++) {
		for (size_t i = 0; i < COUNT(shapes); i++) {
			const long *s = shapes[i];
			pid_t pid;

			if (is_skipped(nr))
				continue;
			pid = (pid_t)MUST(fork());
			if (pid == 0) {
				setpgid(0, 0);
				syscall(nr, s[0], s[1], s[2], s[3], s[4], s[5]);
				_exit(0);
			}
			end_of(pid);
		}
	}
	say("walked");
}

/* Calls that the runtime does not know. */
static void unknown(void)
{
	SEE(syscall(SYS_vm86old, 0));
	SEE(syscall(SYS_ustat, 0, 0));
	SEE(syscall(SYS_mount, "a", "b", "c", 0, 0));
	SEE(syscall(4000, 0));
	SEE(syscall(511, 0));
}

#endif

int main(int argc, char **argv)
{
	static const struct part groups[] = {
		{"chain", chain},         {"children", children},
#ifdef __i386__
		{"memory", memory},       {"threads", threads},
		{"old-files", old_files}, {"old-signals", old_signals},
		{"waits", waits},         {"frames", frames},
		{"sockets", sockets},     {"messages", messages},
		{"walk", walk},           {"unknown", unknown},
#endif
	};

	words = argv + (argc > 1 ? 2 : 1);
	return run_group(argc, argv, groups, COUNT(groups));
}
