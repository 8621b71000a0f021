/* SPDX-License-Identifier: MIT */
/*
 * corners.c - corners of calls on files, programs and sockets that test suites of others look into.
 *
 *   corners GROUP (in an empty directory)
 */
#include "see.h"

#include <dirent.h>
#include <linux/stat.h>
#include <poll.h>
#include <sys/auxv.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <netinet/in.h>

/* ---- programs that run, and files that are written ---- */

/* Start a program that waits until its input ends. */
static pid_t start(const char *program, int *input)
{
	int in[2];
	int out[2];
	char byte;
	pid_t pid;

	MUST(pipe2(in, O_CLOEXEC));
	MUST(pipe2(out, O_CLOEXEC));
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		MUST(dup2(in[0], 0));
		MUST(dup2(out[1], 1));
		execl(program, program, "wait", NULL);
		_exit(97);
	}
	close(in[0]);
	close(out[1]);
	if (read(out[0], &byte, 1) != 1)
		broken("the program did not start");
	close(out[0]);
	*input = in[1];
	return pid;
}

static void wait_for_end(void)
{
	char byte;

	MUST(write(1, "x", 1));
	while (read(0, &byte, 1) > 0)
		;
}

static void try_to_run(const char *path)
{
	pid_t pid = (pid_t)MUST(fork());

	if (pid == 0) {
		execl(path, path, "nothing", NULL);
		say("%s: %s", path, error_name(errno));
		fflush(stdout);
		_exit(0);
	}
	say_status("it", wait_for(pid));
}

static void close_if_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void written_while_it_runs(const char *path)
{
	close_if_open((int)SEE(open(path, O_WRONLY)));
	close_if_open((int)SEE(open(path, O_RDWR)));
	close_if_open((int)SEE(open(path, O_RDONLY | O_TRUNC)));
	close_if_open((int)SEE(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644)));
	SEE(truncate(path, 10));
	SEE(close(open(path, O_RDONLY)));
	SEE(close(open(path, O_PATH)));
}

static void busy(void)
{
	char bytes[2] = "#!";
	int input;
	pid_t pid;
	int fd;

	copy_self("program");
	MUST(link("program", "other"));
	pid = start("./program", &input);
	written_while_it_runs("program");
	written_while_it_runs("other");
	copy_self("new");
	SEE(rename("new", "program"));
	SEE(close(open("program", O_WRONLY)));
	SEE(open("other", O_WRONLY));
	close(input);
	say_status("the program", wait_for(pid));
	SEE(close(open("other", O_WRONLY)));
	/* a zombie has no program */
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		execl("./other", "other", "nothing", NULL);
		_exit(97);
	}
	MUST(waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT));
	SEE(close(open("other", O_WRONLY)));
	wait_for(pid);
	fd = (int)MUST(open("program", O_WRONLY));
	try_to_run("./program");
	MUST(pwrite(fd, bytes, 0, 0));
	close(fd);
	try_to_run("./program");
	write_file("script", "#!/bin/sh\nexit 3\n");
	MUST(chmod("script", 0755));
	fd = (int)MUST(open("script", O_RDWR));
	try_to_run("./script");
	close(fd);
	try_to_run("./script");
}

/* ---- times of symlinks ---- */

static bool is_later(const char *path, const struct stat *before)
{
	struct stat st;

	MUST(lstat(path, &st));
	return st.st_ctim.tv_sec != before->st_ctim.tv_sec ||
	       st.st_ctim.tv_nsec != before->st_ctim.tv_nsec;
}

static void pause_a_tick(void)
{
	const struct timespec tick = {0, 20000000};

	nanosleep(&tick, NULL);
}

static void changes(void)
{
	struct stat st;

	MUST(symlink("nowhere", "link"));
	MUST(lstat("link", &st));
	pause_a_tick();
	SEE(lchown("link", geteuid(), getegid()));
	say("ctime of a symlink after chown: %s", is_later("link", &st) ? "new" : "old");
	write_file("file", "x");
	MUST(lstat("file", &st));
	pause_a_tick();
	SEE(setxattr("file", "user.one", "1", 1, 0));
	say("ctime of a file after setxattr: %s", is_later("file", &st) ? "new" : "old");
	MUST(lstat("file", &st));
	pause_a_tick();
	SEE(removexattr("file", "user.one"));
	say("ctime of a file after removexattr: %s", is_later("file", &st) ? "new" : "old");
}

/* ---- watches ---- */

static void see_events(int fd, const char *what)
{
	char buf[4096] __attribute__((aligned(8)));
	struct pollfd poller = {.fd = fd, .events = POLLIN};

	say("%s:", what);
	while (poll(&poller, 1, 0) == 1) {
		ssize_t n = MUST(read(fd, buf, sizeof(buf)));

		for (char *at = buf; at < buf + n;) {
			struct inotify_event *e = (struct inotify_event *)at;

			say("  %#x %s", e->mask, e->len > 0 ? e->name : "-");
			at += sizeof(*e) + e->len;
		}
	}
}

static void watches(void)
{
	int fd = (int)MUST(inotify_init1(IN_CLOEXEC));

	MUST(mkdir("dir", 0755));
	write_file("file", "x");
	MUST(inotify_add_watch(fd, "dir", IN_ALL_EVENTS));
	MUST(inotify_add_watch(fd, "file", IN_ALL_EVENTS));
	MUST(rmdir("dir"));
	see_events(fd, "rmdir");
	MUST(setxattr("file", "user.a", "1", 1, 0));
	see_events(fd, "setxattr");
	MUST(removexattr("file", "user.a"));
	see_events(fd, "removexattr");
	close(fd);
}

/* ---- /proc ---- */

static void namespaces(void)
{
	static const char *const names[] = {"net", "uts", "ipc", "pid", "user", "mnt", "cgroup"};
	char path[64];
	char text[64];
	struct stat by_name;
	struct stat by_fd;

	for (size_t i = 0; i < COUNT(names); i++) {
		int fd;
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		n = readlink(path, text, sizeof(text) - 1);
		text[n < 0 ? 0 : n] = '\0';
		errno = 0;
		say("%s: stat %s", names[i], stat(path, &by_name) == 0 ? "0" : error_name(errno));
		fd = open(path, O_RDONLY | O_CLOEXEC);
		say("%s: open %s", names[i], fd >= 0 ? "0" : error_name(errno));
		if (fd < 0)
			continue;
		MUST(fstat(fd, &by_fd));
		say("the same: %d",
		    by_fd.st_ino == by_name.st_ino &&
			    by_fd.st_ino == strtoul(strchr(text, '[') + 1, NULL, 10));
		close(fd);
	}
}

static void say_auxv(const char *when)
{
	unsigned long pair[2];
	int fd = (int)MUST(open("/proc/self/auxv", O_RDONLY));
	unsigned count = 0;
	unsigned long entry = 0;

	while (read(fd, pair, sizeof(pair)) == sizeof(pair) && pair[0] != AT_NULL) {
		count++;
		if (pair[0] == AT_ENTRY)
			entry = pair[1];
	}
	say("%s: %s, the entry is %s", when, count > 10 ? "whole" : "cut",
	    entry == getauxval(AT_ENTRY) ? "right" : "wrong");
	close(fd);
}

static char **own_argv;
extern char **environ;

static void vectors(void)
{
	say_auxv("at first");
	own_argv[1] = NULL;
	say_auxv("without arguments");
	environ[0] = NULL;
	say_auxv("without environment");
}

static void zombies(void)
{
	char path[64];
	char text[64];
	pid_t pid = (pid_t)MUST(fork());
	ssize_t n;
	int fd;

	if (pid == 0)
		_exit(0);
	MUST(waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT));
	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	n = readlink(path, text, sizeof(text));
	say("exe: %s", n < 0 ? error_name(errno) : "a path");
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	fd = open(path, O_RDONLY);
	say("maps: %s", fd < 0 ? error_name(errno) : "open");
	if (fd >= 0)
		SEE(read(fd, text, sizeof(text)));
	snprintf(path, sizeof(path), "/proc/%d/cwd", pid);
	n = readlink(path, text, sizeof(text));
	say("cwd: %s", n < 0 ? error_name(errno) : "a path");
	wait_for(pid);
}

/* ---- listings ---- */

struct entry { /* struct linux_dirent64 */
	uint64_t ino;
	int64_t off;
	unsigned short reclen;
	unsigned char type;
	char name[];
};

static void see_listing(const char *dir)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *pages =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = (int)MUST(open(dir, O_RDONLY | O_DIRECTORY));
	unsigned count = 0;
	long n;

	MUST(mprotect(pages + page, page, PROT_NONE));
	say("%s, 2^31 bytes: %s", dir,
	    syscall(SYS_getdents64, fd, pages, 1U << 31) < 0 ? error_name(errno) : "entries");
	/* only some entries fit before the page that cannot be written */
	n = syscall(SYS_getdents64, fd, pages + page - 64, 32768);
	say("%s, 64 bytes of memory: %s", dir,
	    n < 0   ? error_name(errno)
	    : n > 0 ? "entries"
		    : "none");
	for (long at = 0; at < n; count++)
		at += ((struct entry *)(void *)(pages + page - 64 + at))->reclen;
	while ((n = MUST(syscall(SYS_getdents64, fd, pages, page))) > 0)
		for (long at = 0; at < n; count++)
			at += ((struct entry *)(void *)(pages + at))->reclen;
	say("%s: %u entries", dir, count);
	MUST(lseek(fd, 0, SEEK_SET));
	n = syscall(SYS_getdents64, fd, pages + page - 1, 32768);
	say("%s, no memory: %s", dir, n < 0 ? error_name(errno) : "entries");
	close(fd);
	munmap(pages, 2 * page);
}

static void listings(void)
{
	char name[32];

	MUST(mkdir("many", 0755));
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "many/name-%d", i);
		write_file(name, "");
	}
	see_listing("many");
	see_listing("/usr/bin/..");
	MUST(mkdir("none", 0755));
	see_listing("none");
}

/* ---- sockets ---- */

static void binds(void)
{
	struct sockaddr_un path = {.sun_family = AF_UNIX, .sun_path = "."};
	struct sockaddr_in inet = {.sin_family = AF_INET};
	int inet_fd = (int)MUST(socket(AF_INET, SOCK_STREAM, 0));
	int unix_fd = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	int file = (int)MUST(open(".", O_RDONLY));

	SEE(bind(inet_fd, (struct sockaddr *)&path, sizeof(path)));
	SEE(bind(unix_fd, (struct sockaddr *)&inet, sizeof(inet)));
	SEE(bind(file, (struct sockaddr *)&path, sizeof(path)));
	SEE(bind(99, (struct sockaddr *)&path, sizeof(path)));
	SEE(bind(unix_fd, (struct sockaddr *)&path, sizeof(path)));
	SEE(connect(inet_fd, (struct sockaddr *)&path, sizeof(path)));
	close(inet_fd);
	close(unix_fd);
	for (unsigned mode = 0700; mode != 0; mode = mode == 0700 ? 0640 : 0) {
		unix_fd = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));
		strcpy(path.sun_path, "socket");
		SEE(fchmod(unix_fd, mode));
		SEE(bind(unix_fd, (struct sockaddr *)&path, sizeof(path)));
		say_stat("socket");
		SEE(bind(unix_fd, (struct sockaddr *)&path, sizeof(path)));
		MUST(unlink("socket"));
		strcpy(path.sun_path, "again");
		SEE(bind(unix_fd, (struct sockaddr *)&path, sizeof(path)));
		close(unix_fd);
	}
}

/* ---- alternate stacks that cannot be written ---- */

static volatile sig_atomic_t faults;
static volatile sig_atomic_t arrivals;

static void on_fault(int sig)
{
	(void)sig;
	faults++;
}

static void on_arrival(int sig)
{
	(void)sig;
	arrivals++;
}

static void stacks(void)
{
	const size_t size = 65536;
	struct sigaction action = {.sa_handler = on_arrival, .sa_flags = SA_ONSTACK};
	stack_t stack = {.ss_size = size};

	for (int i = 0; i < 20; i++) { /* calls that come often take a shorter way in a container */
		kill(getpid(), 0);
		syscall(SYS_tgkill, getpid(), gettid(), 0);
	}
	say("faults %d, arrivals %d", faults, arrivals);
	stack.ss_sp = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	MUST(sigaction(SIGUSR1, &action, NULL));
	action = (struct sigaction){.sa_handler = on_fault};
	MUST(sigaction(SIGSEGV, &action, NULL));
	MUST(sigaltstack(&stack, NULL));
	SEE(syscall(SYS_tgkill, getpid(), gettid(), SIGUSR1));
	say("faults %d, arrivals %d", faults, arrivals);
	for (int i = 0; i < 20; i++)
		kill(getpid(), SIGUSR1);
	say("faults %d, arrivals %d", faults, arrivals);
	MUST(mprotect(stack.ss_sp, size, PROT_READ | PROT_WRITE));
	for (int i = 0; i < 20; i++)
		kill(getpid(), SIGUSR1);
	say("faults %d, arrivals %d", faults, arrivals);
}

/* ---- mount ids ---- */

/* Is there a row with this id whose mount point is the file or a directory above it? */
static const char *row_of(unsigned long long id, const char *path)
{
	FILE *rows = fopen("/proc/self/mountinfo", "r");
	char line[4096];
	char point[1024];
	unsigned long long row;
	const char *answer = "no row";

	while (rows && fgets(line, sizeof(line), rows)) {
		if (sscanf(line, "%llu %*u %*s %*s %1023s", &row, point) != 2 || row != id)
			continue;
		if (strcmp(point, path) == 0)
			answer = "its own";
		else
			answer = strcmp(point, "/") == 0 || strncmp(path, point, strlen(point)) == 0
					 ? "one above"
					 : "a wrong row";
	}
	if (rows)
		fclose(rows);
	return answer;
}

static void mounts(void)
{
	static const char *const paths[] = {"/", "/proc", "/proc/version"};
	struct statx sx;

	for (size_t i = 0; i < COUNT(paths); i++) {
		MUST(syscall(SYS_statx, AT_FDCWD, paths[i], 0, STATX_BASIC_STATS | 0x1000, &sx));
		say("%s: %s, %s, %s", paths[i], sx.stx_mask & 0x1000 ? "an id" : "no id",
		    row_of(sx.stx_mnt_id, paths[i]),
		    sx.stx_attributes & 0x2000 ? "the root of a mount" : "below");
	}
	MUST(syscall(SYS_statx, (int)MUST(open("/proc", O_RDONLY)), "", AT_EMPTY_PATH, 0x1000,
		     &sx));
	say("open /proc: %s, %s", sx.stx_mask & 0x1000 ? "an id" : "no id",
	    row_of(sx.stx_mnt_id, "/proc"));
}

static const struct part groups[] = {
	{"busy", busy},         {"changes", changes},
	{"watches", watches},   {"namespaces", namespaces},
	{"vectors", vectors},   {"zombies", zombies},
	{"listings", listings}, {"binds", binds},
	{"mounts", mounts},     {"stacks", stacks},
	{"wait", wait_for_end},
};

int main(int argc, char **argv)
{
	own_argv = argv;
	if (argc == 2 && strcmp(argv[1], "nothing") == 0)
		return 7;
	return run_group(argc, argv, groups, COUNT(groups));
}
