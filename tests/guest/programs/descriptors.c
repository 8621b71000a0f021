/* SPDX-License-Identifier: MIT */
/*
 * descriptors.c - a descriptor names the file that was opened last under its number, even when
 * another thread or process closed the file before it.
 *
 *   descriptors GROUP (in a folder with the files a and bb and the directory d with the file x)
 */
#include "see.h"

#include <linux/close_range.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>

#define ROUNDS 4000
#define STACK 65536

static void say_fd(const char *what, int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		say("%s: %s", what, error_name(errno));
	else
		say("%s: %s", what, describe(&st));
}

static void say_start(const char *what, int dirfd)
{
	struct stat st;

	if (fstatat(dirfd, "x", &st, 0) == -1)
		say("%s/x: %s", what, error_name(errno));
	else
		say("%s/x: %s", what, describe(&st));
}

static int open_known(const char *path)
{
	int fd = MUST(open(path, O_RDONLY));

	say_fd(path, fd);
	return fd;
}

/* Reuse the number fd by pipe(), a call that the sandbox does not intercept. */
static int pipe_at(int fd)
{
	int ends[2];

	MUST(pipe(ends));
	if (ends[0] != fd)
		broken("another number");
	return ends[1];
}

static void reuse(void)
{
	int a = open_known("a");
	int other;

	MUST(close(a));
	other = pipe_at(a);
	say_fd("a pipe", a);
	MUST(close(a));
	MUST(close(other));
	SEE(close(a));
	say_fd("closed", a);
	if (MUST(open("bb", O_RDONLY)) != a)
		broken("another number");
	say_fd("bb", a);
	MUST(close(a));
	if (MUST(open("d", O_RDONLY | O_DIRECTORY)) != a)
		broken("another number");
	say_fd("d", a);
	say_start("d", a);
	MUST(close(a));
	if (MUST(open("a", O_RDONLY)) != a)
		broken("another number");
	say_start("a", a);
	MUST(close(a));
	if (MUST(socket(AF_UNIX, SOCK_STREAM, 0)) != a)
		broken("another number");
	say_fd("a socket", a);
	say_start("a socket", a);
}

static void put_over(void)
{
	int a = open_known("a");
	int bb = open_known("bb");
	int d = open_known("d");
	int ends[2];

	MUST(pipe(ends));
	MUST(dup2(bb, a));
	say_fd("bb over a", a);
	MUST(dup2(a, a));
	say_fd("bb over itself", a);
	MUST(dup3(ends[0], a, O_CLOEXEC));
	say_fd("a pipe over bb", a);
	SEE(dup3(ends[0], ends[0], 0));
	MUST(dup2(d, bb));
	say_start("d over bb", bb);
	MUST(dup2(ends[1], d));
	say_start("a pipe over d", d);
	SEE(dup2(99, d));
	say_fd("still the pipe", d);
	SEE(dup2(d, -1));
	MUST(dup2(bb, 700)); /* too high for the sandbox to remember */
	say_start("d at 700", 700);
	say_start("d at fcntl's", (int)MUST(fcntl(bb, F_DUPFD_CLOEXEC, 50)));
	MUST(dup2(ends[0], 50));
	say_start("a pipe over it", 50);
}

static void *close_unshared(void *fd)
{
	MUST(syscall(SYS_close_range, *(int *)fd, *(int *)fd, CLOSE_RANGE_UNSHARE));
	say_fd("closed in its own table", *(int *)fd);
	return NULL;
}

static void *unshare_and_close(void *fd)
{
	if (unshare(CLONE_FILES) == -1) { /* a seccomp filter forbids it, here and in a container */
		say("no table of its own: %s", error_name(errno));
		return NULL;
	}
	MUST(close(*(int *)fd));
	if (MUST(open("bb", O_RDONLY)) != *(int *)fd)
		broken("another number");
	say_fd("bb in a table of its own", *(int *)fd);
	return NULL;
}

static void run_thread(void *(*what)(void *), int *fd)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, what, fd) != 0 || pthread_join(thread, NULL) != 0)
		broken("a thread");
}

static void ranges(void)
{
	int a = open_known("a");
	int bb = open_known("bb");
	int d = open_known("d");
	int other;

	MUST(syscall(SYS_close_range, bb, d, 0));
	say_fd("bb closed", bb);
	say_start("d closed", d);
	other = pipe_at(bb);
	say_fd("a pipe", bb);
	say_fd("its end", other);
	say_fd("a is still", a);
	SEE(syscall(SYS_close_range, 5, 4, 0));
	SEE(syscall(SYS_close_range, a, a, CLOSE_RANGE_CLOEXEC));
	say_fd("a closes with exec", a);
	run_thread(close_unshared, &a);
	say_fd("a of this table", a);
	run_thread(unshare_and_close, &a);
	say_fd("a after it", a);
	MUST(close(a));
	other = pipe_at(a);
	say_fd("a pipe", a);
}

static void *put_bb(void *fd)
{
	MUST(close(*(int *)fd));
	if (MUST(open("bb", O_RDONLY)) != *(int *)fd)
		broken("another number");
	say_fd("bb in a thread", *(int *)fd);
	return NULL;
}

static int put_bb_child(void *fd)
{
	put_bb(fd);
	return 0;
}

static void must_end_well(pid_t child)
{
	int status = wait_for(child);

	if (status != 0)
		say("the child failed: %d", status);
}

/* Clone a child that shares memory, descriptors, both or neither with its parent. */
static void child_with(const char *what, int flags)
{
	char *stack = malloc(STACK);
	int a = open_known("a");

	fflush(stdout);
	must_end_well((pid_t)MUST(clone(put_bb_child, stack + STACK, flags | SIGCHLD, &a)));
	say_fd(what, a);
	say_start(what, a);
	MUST(close(a));
	if (MUST(open("d", O_RDONLY)) != a)
		broken("another number");
	say_start("d", a);
	MUST(close(a));
	free(stack);
}

static void children(void)
{
	pid_t child;
	int a;

	setvbuf(stdout, NULL, _IONBF, 0);
	child_with("after a fork", 0);
	child_with("after a vfork", CLONE_VM | CLONE_VFORK);
	child_with("after one with shared memory", CLONE_VM);
	child_with("after one with shared descriptors", CLONE_FILES);
	child_with("after one with both", CLONE_FILES | CLONE_VM | CLONE_VFORK);
	a = open_known("a");
	child = (pid_t)MUST(fork());
	if (child == 0) {
		say_fd("inherited", a);
		MUST(close(a));
		pipe_at(a);
		say_fd("a pipe in the child", a);
		_exit(0);
	}
	must_end_well(child);
	say_fd("a of the parent", a);
}

static void threads(void)
{
	int a = open_known("a");

	run_thread(put_bb, &a);
	say_fd("after the thread", a);
}

static void changes(void)
{
	int a = open_known("a");
	int d = open_known("d");
	int w;

	MUST(chmod("a", 0600));
	say_fd("chmod", a);
	MUST(truncate("a", 1));
	say_fd("truncated", a);
	MUST(mkdir("d/new", 0700));
	SEE(faccessat(d, "new", F_OK, 0));
	w = (int)MUST(open("bb", O_RDWR));
	MUST(write(w, "longer than before", 18));
	say_fd("written", w);
	MUST(close(w));
	say_fd("bb", open_known("bb"));
}

static void arrives(void)
{
	char room[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec byte = {.iov_base = "x", .iov_len = 1};
	struct msghdr m = {.msg_iov = &byte,
			   .msg_iovlen = 1,
			   .msg_control = room,
			   .msg_controllen = sizeof(room)};
	struct cmsghdr *head = CMSG_FIRSTHDR(&m);
	char got;
	int ends[2];
	int bb = open_known("bb");
	int a = open_known("a");

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	*head = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
				 .cmsg_level = SOL_SOCKET,
				 .cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(head), &bb, sizeof(int));
	MUST(sendmsg(ends[0], &m, 0));
	MUST(close(a));
	byte.iov_base = &got;
	MUST(recvmsg(ends[1], &m, 0));
	memcpy(&a, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(int));
	say_fd("bb by message", a);
}

/* ---- a storm: each thread sees the files that it opened --------------------- */

static int wrong;
static int stop;

static void *open_and_look(void *unused)
{
	static const char *const names[] = {"a", "bb", "d"};
	struct stat st;

	for (int i = 0; i < ROUNDS; i++) {
		const char *name = names[i % 3];
		int fd = (int)MUST(open(name, O_RDONLY));
		int end[2];

		if (fstat(fd, &st) == -1 || S_ISDIR(st.st_mode) != (name[0] == 'd') ||
		    (name[0] == 'b' && st.st_size != 2))
			__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
		MUST(close(fd));
		MUST(pipe(end));
		if (fstat(end[0], &st) == -1 || !S_ISFIFO(st.st_mode) ||
		    fstatat(end[0], "x", &st, 0) != -1)
			__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
		MUST(close(end[0]));
		MUST(close(end[1]));
	}
	return unused;
}

/* Look at descriptors that other threads open and close. */
static void *look_at_others(void *unused)
{
	struct stat st;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		for (int fd = 3; fd < 12; fd++)
			(void)(fstat(fd, &st) + fstatat(fd, "x", &st, 0));
	}
	return unused;
}

static void storm(void)
{
	pthread_t looks;
	pthread_t opens[3];

	if (pthread_create(&looks, NULL, look_at_others, NULL) != 0)
		broken("a thread");
	for (size_t i = 0; i < COUNT(opens); i++) {
		if (pthread_create(&opens[i], NULL, open_and_look, NULL) != 0)
			broken("a thread");
	}
	for (int i = 0; i < 20; i++) {
		pid_t child = (pid_t)MUST(fork());

		if (child == 0) {
			open_and_look(NULL);
			_exit(wrong != 0);
		}
		must_end_well(child);
	}
	for (size_t i = 0; i < COUNT(opens); i++)
		pthread_join(opens[i], NULL);
	stop = 1;
	pthread_join(looks, NULL);
	say("wrong: %d", wrong);
}

static const struct {
	const char *name;
	void (*run)(void);
} groups[] = {
	{"reuse", reuse},     {"put_over", put_over}, {"ranges", ranges},   {"children", children},
	{"threads", threads}, {"changes", changes},   {"arrives", arrives}, {"storm", storm},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < COUNT(groups); i++) {
		if (strcmp(argv[1], groups[i].name) == 0) {
			groups[i].run();
			return 0;
		}
	}
	return 2;
}
