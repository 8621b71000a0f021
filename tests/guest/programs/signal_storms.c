/* SPDX-License-Identifier: MIT */
/*
 * signal_storms.c - calls that must not be made twice, in a storm of signals.
 *
 *   signal_storms GROUP (in an empty directory)
 *
 * How it works
 *   Each group makes the same calls until enough signals have come. Each call undoes the one
 *   before, so a call that is made twice fails. Descriptors and mappings that are left behind are
 *   counted. A group without mistakes prints only zeros.
 */
#include "see.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/xattr.h>

#ifndef IN_MASK_CREATE
#define IN_MASK_CREATE 0x10000000
#endif

#define INTERVAL 100 /* microseconds */
#define ENOUGH 1500  /* signals */

static const char *own_name;
static int rounds;
static int wrong;

/* Whether to go on with another round. The first round begins the storm. */
static bool goes_on(void)
{
	if (rounds++ == 0)
		begin_storm(INTERVAL);
	return see_ticks < ENOUGH;
}

static void expect(bool good, const char *what)
{
	if (!good && wrong++ < 5)
		say("wrong: %s (%s)", what, error_name(errno));
}

#define GOOD(call) expect((call) != -1, #call)

static int open_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) != -1;
	return count;
}

static int mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	int count = 0;
	int c;

	if (maps == NULL)
		broken("maps");
	while ((c = getc(maps)) != EOF)
		count += c == '\n';
	fclose(maps);
	return count;
}

/* ---- names, attributes, watches ---- */

static void one_name(void)
{
	int fd;

	GOOD(mkdir("d", 0700));
	GOOD(rename("d", "e"));
	GOOD(rmdir("e"));
	fd = open("f", O_RDWR | O_CREAT | O_EXCL, 0600);
	expect(fd != -1, "open");
	close(fd);
	GOOD(link("f", "g"));
	GOOD(rename("f", "h"));
	GOOD(unlink("g"));
	GOOD(symlink("target", "s"));
	GOOD(mkfifo("p", 0600));
	GOOD(syscall(SYS_renameat2, AT_FDCWD, "s", AT_FDCWD, "p", 2)); /* exchange */
	GOOD(unlink("s"));
	expect(readlink("p", (char[8]){0}, 8) == 6, "readlink");
	GOOD(unlink("p"));
	GOOD(unlink("h"));
}

static void names(void)
{
	while (goes_on())
		one_name();
}

/* Calls that take much longer than the interval between two signals. */
static void far(void)
{
	char path[4000] = "";
	struct stat st;
	int fd;

	MUST(mkdir("d", 0700));
	while (strlen(path) < sizeof(path) - 10)
		strcat(path, "d/../");
	strcat(path, "f");
	while (goes_on()) {
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
		expect(fd != -1, "open to create");
		close(fd);
		GOOD(stat(path, &st));
		GOOD(access(path, R_OK));
		fd = open(path, O_RDONLY);
		expect(fd != -1, "open");
		close(fd);
		GOOD(unlink(path));
	}
}

static void nameless(void)
{
	const int before = open_descriptors();
	int fd;

	while (goes_on()) {
		fd = open(".", O_RDWR | O_TMPFILE, 0600);
		expect(fd != -1 || errno == EOPNOTSUPP, "open");
		close(fd);
	}
	say("descriptors more: %d", open_descriptors() - before);
}

static void attributes(void)
{
	write_file("file", "");
	if (setxattr("file", "user.test", "x", 1, 0) == -1) {
		say("no attributes here: %s", error_name(errno));
		return;
	}
	while (goes_on()) {
		GOOD(removexattr("file", "user.test"));
		GOOD(setxattr("file", "user.test", "x", 1, XATTR_CREATE));
	}
}

static void watches(void)
{
	const int fd = (int)MUST(inotify_init1(0));
	int watch;

	while (goes_on()) {
		watch = inotify_add_watch(fd, ".", IN_CREATE | IN_MASK_CREATE);
		expect(watch != -1, "inotify_add_watch");
		GOOD(inotify_rm_watch(fd, watch));
	}
}

/* ---- processes ---- */

static void *idle(void *arg)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	*(volatile pid_t *)arg = (pid_t)syscall(SYS_gettid);
	for (;;)
		pause();
}

/* Read files of /proc by the id of a thread. */
static void threads(void)
{
	const int before = open_descriptors();
	volatile pid_t tid = 0;
	char path[64];
	char text[PATH_MAX];
	pthread_t thread;

	if (pthread_create(&thread, NULL, idle, (void *)&tid) != 0)
		broken("pthread_create");
	while (tid == 0)
		usleep(1000);
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)tid);
	while (goes_on())
		GOOD(readlink(path, text, sizeof(text)));
	say("descriptors more: %d", open_descriptors() - before);
}

static void actions(void)
{
	const struct sigaction both[2] = {{.sa_handler = SIG_DFL}, {.sa_handler = SIG_IGN}};
	struct sigaction old;

	MUST(sigaction(SIGSYS, &both[0], NULL));
	while (goes_on()) {
		GOOD(sigaction(SIGSYS, &both[1], &old));
		expect(old.sa_handler == SIG_DFL, "the first action");
		GOOD(sigaction(SIGSYS, &both[0], &old));
		expect(old.sa_handler == SIG_IGN, "the second action");
	}
}

/* A new program has the old one's signal mask, whatever signals came meanwhile. */
static void programs(void)
{
	pid_t pid;

	while (goes_on()) {
		pid = (pid_t)MUST(fork());
		if (pid == 0) {
			execl(own_name, own_name, "mask", NULL);
			_exit(1);
		}
		expect(wait_for(pid) == 0, "the mask");
	}
}

static void mask(void)
{
	sigset_t now;

	MUST(sigprocmask(SIG_BLOCK, NULL, &now));
	for (int sig = 1; sig < 65; sig++) {
		if (sigismember(&now, sig) == 1)
			_exit(2);
	}
	_exit(0);
}

/* execve fails, and leaves no memory mapped. */
static void refusals(void)
{
	char *const arguments[] = {"name", NULL};
	int before;

	write_file("file", "no program");
	MUST(chmod("file", 0700));
	execve("/no/such/program", arguments, arguments);
	before = mappings();
	while (goes_on()) {
		expect(execve("/no/such/program", arguments, arguments) == -1 && errno == ENOENT,
		       "execve");
		expect(execve("file", arguments, arguments) == -1 && errno == ENOEXEC, "file");
	}
	say("mappings more: %d", mappings() - before);
}

/* ---- trapped and rewritten call sites ---- */

static volatile sig_atomic_t bad_waits;

/* This call site is rewritten. pselect6 without a mask goes to the kernel unchanged. */
static void wait_in_handler(int sig)
{
	struct timespec nothing = {0, 0};

	(void)sig;
	see_ticks++;
	bad_waits += syscall(SYS_pselect6, 0, NULL, NULL, NULL, &nothing, NULL) != 0;
}

static void sites(void)
{
	const struct sigaction action = {.sa_handler = wait_in_handler, .sa_flags = SA_RESTART};
	struct stat st;

	for (int i = 0; i < 20; i++)
		MUST(syscall(SYS_access, "/", F_OK));
	begin_storm(INTERVAL);
	MUST(sigaction(SIGURG, &action, NULL));
	while (see_ticks < ENOUGH) {
#ifdef __x86_64__
		/* The rewriter does not know this form, so the call always traps. */
		long ret;

		__asm__ volatile("std; cld; syscall; std; cld"
				 : "=a"(ret)
				 : "a"(SYS_stat), "D"("/"), "S"(&st)
				 : "rcx", "r11", "memory");
		expect(ret == 0, "stat");
#else
		GOOD(stat("/", &st));
#endif
	}
	say("bad waits: %d", (int)bad_waits);
}

/* ---- sockets ---- */

/* SO_ERROR reports an error only once. */
static void errors(void)
{
	struct sockaddr_in nobody = {.sin_family = AF_INET, .sin_port = htons(1)};
	int error;

	nobody.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	while (goes_on()) {
		const int fd = (int)MUST(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
		struct pollfd one = {.fd = fd, .events = POLLOUT};
		socklen_t len = sizeof(error);

		if (connect(fd, (struct sockaddr *)&nobody, sizeof(nobody)) == -1 &&
		    errno == EINPROGRESS) {
			while (poll(&one, 1, -1) != 1)
				;
			error = 0;
			GOOD(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len));
			expect(error == ECONNREFUSED, "SO_ERROR");
		}
		close(fd);
	}
}

/* A connection waits for a listener whose whole path is too long for sun_path. */
static void long_names(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int listener;
	int first;
	int fd;
	int before;
	pid_t pid;

	memset(name.sun_path, 'n', sizeof(name.sun_path) - 20);
	listener = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	MUST(bind(listener, (struct sockaddr *)&name, sizeof(name)));
	MUST(listen(listener, 0));
	first = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	MUST(connect(first, (struct sockaddr *)&name, sizeof(name)));
	fd = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	before = open_descriptors();
	pid = (pid_t)MUST(fork());
	if (pid == 0) { /* accepts after some signals, which ends the wait */
		begin_storm(5000);
		while (see_ticks < 40)
			pause();
		MUST(accept(listener, NULL, NULL));
		_exit(0);
	}
	begin_storm(5000);
	SEE(connect(fd, (struct sockaddr *)&name, sizeof(name)));
	say("descriptors more: %d", open_descriptors() - before);
	wait_for(pid);
}

static void bound(void)
{
	const struct sockaddr_in any = {.sin_family = AF_INET};
	struct sockaddr_in loopback = {.sin_family = AF_INET};
	struct sockaddr_in name;

	loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	while (goes_on()) {
		for (int i = 0; i < 4; i++) {
			const int type = i & 1 ? SOCK_DGRAM : SOCK_STREAM;
			const struct sockaddr_in *where = i & 2 ? &loopback : &any;
			const int fd = (int)MUST(socket(AF_INET, type, 0));
			socklen_t len = sizeof(name);

			GOOD(bind(fd, (const struct sockaddr *)where, sizeof(*where)));
			GOOD(getsockname(fd, (struct sockaddr *)&name, &len));
			expect(name.sin_port != 0, "the port");
			expect(name.sin_addr.s_addr == where->sin_addr.s_addr, "the address");
			if (type == SOCK_STREAM)
				GOOD(listen(fd, 5));
			close(fd);
		}
	}
}

struct request {
	struct nlmsghdr head;
	struct rtgenmsg body;
};

static void link_request(int fd)
{
	const struct request request = {
		.head = {.nlmsg_len = sizeof(request),
			 .nlmsg_type = RTM_GETLINK,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.body = {.rtgen_family = AF_UNSPEC},
	};
	struct pollfd one = {.fd = fd, .events = POLLIN};
	static char answer[65536];
	const struct nlmsghdr *head = (const void *)answer;

	expect(write(fd, &request, sizeof(request)) == sizeof(request), "write");
	do {
		const ssize_t len = recv(fd, answer, sizeof(answer), 0);

		if (len < (ssize_t)sizeof(*head)) {
			expect(false, "recv");
			return;
		}
		if (head->nlmsg_type == NLMSG_DONE)
			return;
	} while (poll(&one, 1, 0) == 1);
}

static void links(void)
{
	const int before = open_descriptors();
	const struct sockaddr_nl any = {.nl_family = AF_NETLINK};

	while (goes_on()) {
		const int fd = (int)MUST(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));

		GOOD(bind(fd, (const struct sockaddr *)&any, sizeof(any)));
		link_request(fd);
		close(fd);
	}
	say("descriptors more: %d", open_descriptors() - before);
}

/* Calls that overwrite their argument with the answer: a length, a version. */
static void answers(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "socket"};
	const int fd = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	unsigned char room[sizeof(name)];
	socklen_t len;
	struct {
		uint32_t version;
		int pid;
	} header;
	uint32_t sets[6];

	MUST(bind(fd, (struct sockaddr *)&name, sizeof(name)));
	while (goes_on()) {
		memset(room, 0xee, sizeof(room));
		len = 4;
		GOOD(getsockname(fd, (struct sockaddr *)room, &len));
		expect(len > 4 && room[4] == 0xee, "what was written");
		header.version = 1;
		header.pid = 0;
		expect(syscall(SYS_capget, &header, sets) == -1 && errno == EINVAL, "capget");
	}
}

/* Each call writes one line to the container's log. Prints how many calls were made. */
static void unreachable(void)
{
	const int fd = (int)MUST(socket(AF_INET, SOCK_STREAM, 0));
	const int before = open_descriptors();
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(9)};
	int calls = 0;

	inet_pton(AF_INET, "192.0.2.1", &name.sin_addr);
	for (; goes_on(); calls++)
		expect(connect(fd, (struct sockaddr *)&name, sizeof(name)) == -1 &&
			       errno == ENETUNREACH,
		       "connect");
	say("calls %d", calls);
	say("descriptors more: %d", open_descriptors() - before);
}

/* Send a descriptor once to the other end of a pair. */
static void pass(const int ends[2], int what)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {.head = {.cmsg_len = CMSG_LEN(sizeof(int)),
			      .cmsg_level = SOL_SOCKET,
			      .cmsg_type = SCM_RIGHTS}};
	char byte = 'b';
	struct iovec vec = {&byte, 1};
	struct msghdr message = {.msg_iov = &vec,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	int got = -1;

	memcpy(CMSG_DATA(&control.head), &what, sizeof(what));
	expect(sendmsg(ends[0], &message, 0) == 1, "sendmsg");
	memset(&control, 0, sizeof(control));
	message.msg_controllen = sizeof(control);
	expect(recvmsg(ends[1], &message, 0) == 1, "recvmsg");
	memcpy(&got, CMSG_DATA(&control.head), sizeof(got));
	GOOD(close(got));
}

static void meet(int listener, const struct sockaddr_un *name)
{
	const int fd = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	struct sockaddr_un from;
	socklen_t len = sizeof(from);
	int other;

	GOOD(connect(fd, (const struct sockaddr *)name, sizeof(*name)));
	other = accept(listener, (struct sockaddr *)&from, &len);
	GOOD(getsockopt(other, SOL_SOCKET, SO_PEERCRED, (char[32]){0}, &(socklen_t){32}));
	GOOD(close(other));
	GOOD(close(fd));
}

/* Calls for which the runtime opens descriptors or maps memory. */
static void leaves(void)
{
	static const char *const files[] = {"/proc/self/status", "/proc/self/maps", "/proc/mounts",
					    "/proc/self/exe",    "/proc/self/fd/0", "/etc/passwd"};
	static char large[20000];
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "socket"};
	const int listener = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	int descriptors = 0;
	int maps = 0;
	int ends[2];

	MUST(bind(listener, (struct sockaddr *)&name, sizeof(name)));
	MUST(listen(listener, 5));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	write_file("file", "");
	MUST(mkdir("d", 0700));
	for (int round = 0; round < 20 || goes_on(); round++) {
		if (round == 20) { /* call sites are rewritten by now */
			descriptors = open_descriptors();
			maps = mappings();
		}
		for (size_t i = 0; i < COUNT(files); i++) {
			const int fd = open(files[i], O_RDONLY);

			expect(fd != -1, files[i]);
			close(fd);
		}
		GOOD(chdir("d"));
		GOOD(chdir(".."));
		getxattr("file", "user.none", large, sizeof(large));
		setxattr("file", "system.none", large, sizeof(large), 0);
		meet(listener, &name);
		pass(ends, listener);
	}
	say("descriptors more: %d", open_descriptors() - descriptors);
	say("mappings more: %d", mappings() - maps);
}

/* ---- with --trace ---- */

static void looks(void)
{
	const int before = open_descriptors();
	struct stat st;

	while (goes_on())
		GOOD(stat("/", &st));
	say("descriptors more: %d", open_descriptors() - before);
}

static const struct part groups[] = {
	{"names", names},
	{"far", far},
	{"nameless", nameless},
	{"attributes", attributes},
	{"watches", watches},
	{"threads", threads},
	{"actions", actions},
	{"programs", programs},
	{"mask", mask},
	{"refusals", refusals},
	{"sites", sites},
	{"errors", errors},
	{"long-names", long_names},
	{"bound", bound},
	{"links", links},
	{"unreachable", unreachable},
	{"looks", looks},
	{"answers", answers},
	{"leaves", leaves},
};

int main(int argc, char **argv)
{
	int status;

	own_name = argv[0];
	status = run_group(argc, argv, groups, COUNT(groups));
	say("wrong %d", wrong);
	return status;
}
