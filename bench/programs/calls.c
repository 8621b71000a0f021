/* SPDX-License-Identifier: MIT */
/*
 * calls.c - measure the time of single system calls.
 *
 * `calls DIR BATCHES SCALE [NAME...]` prints a line `name nanoseconds` for each call of the table
 * below, or only for the given names, to profile them. A figure is the quickest of BATCHES batches,
 * since other work on the machine only adds time. A batch is shorter than a time slice, and the
 * batches of all calls take turns. DIR is the folder that bench/tree.py fills; SCALE (per cent)
 * changes the length of batches.
 *
 * Rules
 *   Linked statically, so that one binary runs in any tree. A call that fails ends the program,
 *   since a fast failure must not pass for speed. Only futex goes through syscall(): if
 *   intercepted calls and others shared its syscall instruction, each would slow down the other.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/landlock.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char existing[512];
static char missing[512];
static char hundred[512];
static char work[512];
static char top[512];
static int image_file;
static int null_device;
static int hundred_fd;

static void must(int good, const char *what)
{
	if (!good) {
		fprintf(stderr, "calls: %s: %s\n", what, strerror(errno));
		exit(1);
	}
}

static void stat_existing(int count)
{
	struct stat st;

	while (count--)
		must(stat(existing, &st) == 0 && st.st_size == 1000, "stat");
}

static void stat_missing(int count)
{
	struct stat st;

	while (count--)
		must(stat(missing, &st) == -1 && errno == ENOENT, "failed stat");
}

static void open_close(int count)
{
	while (count--) {
		int fd = open(existing, O_RDONLY | O_CLOEXEC);

		must(fd >= 0, "open");
		close(fd);
	}
}

/* ---- a second process, which makes the same calls at once, or behind Landlock ---------- */

struct helper {
	int ask;
	int answer;
};
static struct helper fenced;
static struct helper second;

/* Restrict the process with Landlock as sandbox does: it may only read below the folder. Does
 * nothing where Landlock is not available. */
static void fence(void)
{
	static const unsigned long by_version[] = {0x1fff, 0x3fff, 0x7fff, 0x7fff, 0xffff};
	struct landlock_ruleset_attr set = {0};
	struct landlock_path_beneath_attr rule = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
	};
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
	int rules;

	if (version < 1)
		return;
	set.handled_access_fs = by_version[(version > 5 ? 5 : version) - 1];
	rules = (int)syscall(SYS_landlock_create_ruleset, &set, sizeof(set.handled_access_fs), 0);
	rule.parent_fd = open(top, O_PATH);
	must(rules >= 0 && rule.parent_fd >= 0, "landlock");
	must(syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0,
	     "landlock rule");
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no new privileges");
	must(syscall(SYS_landlock_restrict_self, rules, 0) == 0, "landlock fence");
	close(rules);
	close(rule.parent_fd);
}

static void start(struct helper *helper, void (*run)(int count), int is_fenced)
{
	int ask[2];
	int answer[2];
	int count;

	must(pipe(ask) == 0 && pipe(answer) == 0, "pipe");
	helper->ask = ask[1];
	helper->answer = answer[0];
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (is_fenced)
			fence();
		while (read(ask[0], &count, sizeof(count)) == sizeof(count)) {
			run(count);
			must(write(answer[1], "", 1) == 1, "answer");
		}
		_exit(0);
	}
	close(ask[0]);
	close(answer[1]);
}

static void begin(const struct helper *helper, int count)
{
	must(write(helper->ask, &count, sizeof(count)) == sizeof(count), "ask");
}

static void wait_for(const struct helper *helper)
{
	char byte;

	must(read(helper->answer, &byte, 1) == 1, "wait");
}

static void open_fenced(int count)
{
	begin(&fenced, count);
	wait_for(&fenced);
}

static void two_storms(int count)
{
	begin(&second, count);
	stat_existing(count);
	wait_for(&second);
}

static void fstat_open(int count)
{
	struct stat st;

	while (count--)
		must(fstat(image_file, &st) == 0 && st.st_size == 1000, "fstat");
}

static void getcwd_again(int count)
{
	char path[600];

	while (count--)
		must(getcwd(path, sizeof(path)) != NULL, "getcwd");
}

/* List the folder of 100 files without opening it. */
static void list_hundred(int count)
{
	static char buffer[32768];

	while (count--) {
		int entries = 0;
		long got;

		must(lseek(hundred_fd, 0, SEEK_SET) == 0, "lseek");
		while ((got = getdents64(hundred_fd, buffer, sizeof(buffer))) > 0)
			for (long at = 0; at < got; entries++)
				at += ((struct dirent64 *)(buffer + at))->d_reclen;
		must(got == 0 && entries == 102, "getdents64");
	}
}

static void name_of(char *out, size_t size, const char *kind, int number)
{
	snprintf(out, size, "%s/%s%d", work, kind, number);
}

static void create_files(int count)
{
	char path[600];
	char data[100] = {0};

	while (count--) {
		name_of(path, sizeof(path), "new", count);
		int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

		must(fd >= 0, "create");
		must(write(fd, data, sizeof(data)) == sizeof(data), "write");
		close(fd);
	}
}

static void rename_files(int count)
{
	char from[600];
	char to[600];

	while (count--) {
		name_of(from, sizeof(from), "new", count);
		name_of(to, sizeof(to), "moved", count);
		must(rename(from, to) == 0, "rename");
	}
}

static void unlink_files(int count)
{
	char path[600];

	while (count--) {
		name_of(path, sizeof(path), "moved", count);
		must(unlink(path) == 0, "unlink");
	}
}

static void fork_exec_wait(int count)
{
	while (count--) {
		int status;
		pid_t child = fork();

		must(child >= 0, "fork");
		if (child == 0) {
			execl("/bin/true", "true", (char *)NULL);
			_exit(127);
		}
		must(waitpid(child, &status, 0) == child && status == 0, "exec");
	}
}

static void read_byte(int count)
{
	char byte;

	while (count--)
		must(pread(image_file, &byte, 1, 0) == 1, "pread");
}

static void write_byte(int count)
{
	while (count--)
		must(write(null_device, "", 1) == 1, "write");
}

static void futex_wake(int count)
{
	static int word;

	while (count--)
		must(syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 0, "futex");
}

static void mmap_munmap(int count)
{
	while (count--) {
		void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		must(page != MAP_FAILED, "mmap");
		munmap(page, 4096);
	}
}

static void poll_nothing(int count)
{
	while (count--)
		must(poll(NULL, 0, 0) == 0, "poll");
}

static void getpid_again(int count)
{
	while (count--)
		must(getpid() > 0, "getpid");
}

/* Up and down, twice a count. */
static void semop_again(int count)
{
	struct sembuf up = {0, 1, 0};
	struct sembuf down = {0, -1, 0};
	const int set = semget(IPC_PRIVATE, 1, 0600);

	must(set >= 0, "semget");
	while (count--)
		must(semop(set, &up, 1) == 0 && semop(set, &down, 1) == 0, "semop");
	must(semctl(set, 0, IPC_RMID) == 0, "semctl");
}

static void make_segments(int count)
{
	while (count--) {
		const int segment = shmget(IPC_PRIVATE, 4096, 0600);

		must(segment >= 0 && shmctl(segment, IPC_RMID, NULL) == 0, "shmget");
	}
}

static const struct {
	const char *name;
	int count;
	void (*run)(int count);
} calls[] = {
	{"stat", 1000, stat_existing},     {"stat-missing", 1000, stat_missing},
	{"fstat", 1000, fstat_open},       {"getcwd", 1000, getcwd_again},
	{"two-storms", 5000, two_storms},  {"open-close", 500, open_close},
	{"open-fenced", 500, open_fenced}, {"getdents", 50, list_hundred},
	{"create", 100, create_files},     {"rename", 100, rename_files},
	{"unlink", 100, unlink_files},     {"fork-exec-wait", 1, fork_exec_wait},
	{"read", 2000, read_byte},         {"write", 2000, write_byte},
	{"futex", 2000, futex_wake},       {"mmap", 200, mmap_munmap},
	{"poll", 2000, poll_nothing},      {"getpid", 2000, getpid_again},
	{"semop", 1000, semop_again},      {"shmget", 200, make_segments},
};
#define CALLS ((int)(sizeof(calls) / sizeof(calls[0])))

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static void prepare(const char *folder)
{
	struct stat st;

	snprintf(top, sizeof(top), "%s", folder);
	snprintf(existing, sizeof(existing), "%s/files/deep/file", folder);
	snprintf(missing, sizeof(missing), "%s/files/deep/missing", folder);
	snprintf(hundred, sizeof(hundred), "%s/files/hundred", folder);
	snprintf(work, sizeof(work), "%s/work", folder);
	must(stat(work, &st) == 0, work);
	image_file = open(existing, O_RDONLY);
	must(image_file >= 0, existing);
	null_device = open("/dev/null", O_WRONLY);
	must(null_device >= 0, "/dev/null");
	hundred_fd = open(hundred, O_RDONLY | O_DIRECTORY);
	must(hundred_fd >= 0, hundred);
	must(chdir(folder) == 0, folder);
	start(&fenced, open_close, 1);
	start(&second, stat_existing, 0);
}

static int is_wanted(const char *name, char **names)
{
	if (*names == NULL)
		return 1;
	while (*names != NULL && strcmp(*names, name) != 0)
		names++;
	return *names != NULL;
}

int main(int argc, char **argv)
{
	static double quickest[CALLS];
	int batches = argc > 3 ? atoi(argv[2]) : 0;
	int scale = argc > 3 ? atoi(argv[3]) : 0;

	if (batches < 1 || scale < 1) {
		fprintf(stderr, "usage: calls DIR BATCHES SCALE [NAME...]\n");
		return 2;
	}
	prepare(argv[1]);
	for (int batch = 0; batch < batches; batch++)
		for (int i = 0; i < CALLS; i++) {
			int count = (calls[i].count * scale + 99) / 100;
			double taken;

			if (!is_wanted(calls[i].name, argv + 4))
				continue;
			taken = -now();
			calls[i].run(count);
			taken = (taken + now()) / count;
			if (batch == 0 || taken < quickest[i])
				quickest[i] = taken;
		}
	for (int i = 0; i < CALLS; i++)
		if (is_wanted(calls[i].name, argv + 4))
			printf("%s %.1f\n", calls[i].name, quickest[i]);
	return 0;
}
