/* SPDX-License-Identifier: MIT */
/*
 * directory_listings.c - directories as readdir, seekdir and getdents show them.
 *
 *   directory_listings GROUP prepare|observe|both (in an empty directory)
 *
 * The order of entries depends on the file system, so only sets, counts and checksums are printed.
 */
#include "see.h"

#include <dirent.h>
#include <sys/time.h>

#define MANY 5000

struct linux_dirent64 {
	uint64_t d_ino;
	int64_t d_off;
	unsigned short d_reclen;
	unsigned char d_type;
	char d_name[];
};

static uint64_t hash(const char *name)
{
	uint64_t sum = 14695981039346656037ULL;

	for (; *name; name++)
		sum = (sum ^ (unsigned char)*name) * 1099511628211ULL;
	return sum;
}

static unsigned char expected_type(mode_t mode)
{
	return (unsigned char)((mode & S_IFMT) >> 12);
}

/* Print the count, a checksum that ignores the order, and where entries differ from lstat. */
static void say_listing(const char *dir)
{
	DIR *stream = opendir(dir);
	struct dirent *entry;
	uint64_t sum = 0;
	int count = 0, dots = 0, wrong_type = 0, wrong_inode = 0;

	if (!stream) {
		say("%s: %s", dir, error_name(errno));
		return;
	}
	errno = 0;
	while ((entry = readdir(stream)) != NULL) {
		struct stat st;

		count++;
		sum += hash(entry->d_name);
		dots += strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
		if (fstatat(dirfd(stream), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == -1)
			say("listed but not there: %s", entry->d_name);
		else if (entry->d_type != DT_UNKNOWN && entry->d_type != expected_type(st.st_mode))
			wrong_type++;
		else if (entry->d_ino != st.st_ino)
			wrong_inode++;
	}
	say("%s: %d entries, %d dots, checksum %016llx, wrong types %d, wrong numbers %d, %s", dir,
	    count, dots, (unsigned long long)sum, wrong_type, wrong_inode,
	    errno ? error_name(errno) : "complete");
	closedir(stream);
}

static void touch(const char *format, int number)
{
	char name[300];

	snprintf(name, sizeof(name), format, number);
	close((int)MUST(open(name, O_CREAT | O_WRONLY, 0600)));
}

static void make_numbered(int count)
{
	MUST(mkdir("d", 0755));
	for (int i = 0; i < count; i++)
		touch("d/entry-%d", i);
}

/* ---- kinds and names ---- */

static void prepare_kinds(void)
{
	char name[300] = "d/";

	make_numbered(3);
	MUST(mkdir("d/dir", 0755));
	touch("d/dir/inner-%d", 1);
	MUST(symlink("nowhere", "d/link"));
	MUST(mkfifo("d/fifo", 0600));
	MUST(mknod("d/socket", S_IFSOCK | 0600, 0));
	memset(name + 2, 'l', 255);
	MUST(mkdir(name, 0755));
	touch("d/\xff\xfe\x80-%d", 1);
	touch("d/with\nnewline-%d", 1);
	touch("d/ blank -%d", 1);
	touch("d/.hidden-%d", 1);
	touch("d/...-%d", 1);
	touch("d/.wh.name-%d", 1);
}

static void kinds(void)
{
	char name[300] = "d/";

	say_listing("d");
	say_listing("d/dir");
	memset(name + 2, 'm', 255);
	close((int)MUST(open(name, O_CREAT | O_WRONLY, 0600)));
	touch("d/\xfe\xff-new-%d", 1);
	MUST(unlink("d/link"));
	MUST(symlink("d", "d/link"));
	MUST(unlink("d/fifo"));
	MUST(mkdir("d/fifo", 0700));
	MUST(rename("d/dir", "d/moved"));
	touch("d/moved/added-%d", 1);
	say_listing("d");
	say_listing("d/moved");
	say_listing("d/fifo");
	MUST(unlink("d/entry-1"));
	touch("d/entry-%d", 1);
	say_listing("d");
}

/* ---- many ---- */

static void prepare_many(void)
{
	make_numbered(MANY);
}

static void many(void)
{
	say_listing("d");
	for (int i = 0; i < MANY; i += 50) {
		char name[64];

		snprintf(name, sizeof(name), "d/entry-%d", i);
		MUST(unlink(name));
		touch("d/new-%d", i);
	}
	say_listing("d");
}

/* ---- moving around in a stream ---- */

#define SEEKS 300

static void prepare_seeks(void)
{
	make_numbered(SEEKS);
}

static void seeks(void)
{
	static long positions[SEEKS + 20];
	static char names[SEEKS + 20][32];
	struct dirent *entry;
	DIR *stream;
	int count = 0, wrong = 0;
	long at_start;

	touch("d/extra-%d", 1);
	MUST(unlink("d/entry-7"));
	stream = opendir("d");
	at_start = telldir(stream);
	positions[0] = at_start;
	while (count < SEEKS + 10 && (entry = readdir(stream)) != NULL) {
		snprintf(names[count], sizeof(names[count]), "%.30s", entry->d_name);
		positions[++count] = telldir(stream);
	}
	say("%d entries", count);
	for (int i = 0; i < count; i++) {
		int to = (i * 7919) % count;

		seekdir(stream, positions[to]);
		entry = readdir(stream);
		if (!entry || strcmp(entry->d_name, names[to]) != 0)
			wrong++;
	}
	say("seeks that found another entry: %d", wrong);
	seekdir(stream, positions[count]);
	say("end: %s", readdir(stream) ? "an entry" : "nothing");
	seekdir(stream, at_start);
	entry = readdir(stream);
	say("start: %s", entry && strcmp(entry->d_name, names[0]) == 0 ? "the first" : "another");
	touch("d/late-%d", 1);
	rewinddir(stream);
	for (count = 0; (entry = readdir(stream)) != NULL; count++)
		;
	say("after rewinddir %d entries", count);
	lseek(dirfd(stream), 0, SEEK_SET);
	closedir(stream);
}

/* ---- changes while reading ---- */

static void removing(void)
{
	struct dirent *entry;
	DIR *stream = opendir("d");
	int removed = 0;

	while ((entry = readdir(stream)) != NULL) {
		if (entry->d_name[0] != '.' && unlinkat(dirfd(stream), entry->d_name, 0) == 0)
			removed++;
	}
	say("removed %d", removed);
	closedir(stream);
	say_listing("d");
	SEE(rmdir("d"));
}

static void adding(void)
{
	static unsigned char seen[SEEKS];
	struct dirent *entry;
	DIR *stream = opendir("d");
	int count = 0, twice = 0, missed = 0;

	while ((entry = readdir(stream)) != NULL) {
		int number;

		if (count++ % 10 == 0)
			touch("d/added-%d", count);
		if (sscanf(entry->d_name, "entry-%d", &number) == 1 && seen[number]++)
			twice++;
	}
	for (int i = 0; i < SEEKS; i++)
		missed += !seen[i];
	say("seen twice %d, missed %d", twice, missed);
	closedir(stream);
}

static void renaming(void)
{
	struct dirent *entry;
	DIR *stream = opendir("d");
	int missed = 0;
	static unsigned char seen[SEEKS];

	while ((entry = readdir(stream)) != NULL) {
		int number;
		char name[64];

		if (sscanf(entry->d_name, "entry-%d", &number) != 1)
			continue;
		seen[number] = 1;
		snprintf(name, sizeof(name), "renamed-%d", number);
		if (number % 3 == 0)
			MUST(renameat(dirfd(stream), entry->d_name, dirfd(stream), name));
	}
	for (int i = 0; i < SEEKS; i++)
		missed += !seen[i];
	say("missed %d", missed);
	closedir(stream);
	say_listing("d");
}

/* ---- the system call ---- */

static void prepare_raw(void)
{
	make_numbered(100);
	write_file("f", "file");
}

static int count_raw(int fd, char *buf, size_t size)
{
	int count = 0;

	for (;;) {
		long n = syscall(SYS_getdents64, fd, buf, size);

		if (n <= 0)
			return n == 0 ? count : -errno;
		for (long at = 0; at < n;) {
			const struct linux_dirent64 *entry = (const void *)(buf + at);

			if (entry->d_reclen % 8 != 0 || at + entry->d_reclen > n)
				return -1;
			count++;
			at += entry->d_reclen;
		}
	}
}

static void raw(void)
{
	static char buf[65536] __attribute__((aligned(8)));
	static const size_t sizes[] = {1, 23, 24, 32, 40, 48, 100, 4096, 65536};
	int fd, other, file;

	touch("d/new-%d", 1);
	fd = (int)MUST(open("d", O_RDONLY | O_DIRECTORY));
	for (size_t i = 0; i < COUNT(sizes); i++) {
		MUST(lseek(fd, 0, SEEK_SET));
		say("buffer of %zu: %d", sizes[i], count_raw(fd, buf, sizes[i]));
	}
	MUST(lseek(fd, 0, SEEK_SET));
	SEE(syscall(SYS_getdents64, fd, (void *)8, 4096));
	/* A copy of a descriptor shares its position, also in a child. */
	MUST(lseek(fd, 0, SEEK_SET));
	other = dup(fd);
	say("with a copy: %d",
	    (syscall(SYS_getdents64, fd, buf, 200) > 0) + count_raw(other, buf, 4096) > 50);
	say("then the first: %d", count_raw(fd, buf, 4096));
	MUST(lseek(other, 0, SEEK_SET));
	say("rewound by the copy: %d", count_raw(fd, buf, 4096));
	MUST(lseek(fd, 0, SEEK_SET));
	if (MUST(fork()) == 0)
		_exit(count_raw(fd, buf, 4096) == 103 ? 0 : 1);
	say_status("child", wait_for(-1));
	say("after the child: %d", count_raw(fd, buf, 4096));
	close(other);
#ifdef SYS_getdents
	MUST(lseek(fd, 0, SEEK_SET));
	say("old call: %d", syscall(SYS_getdents, fd, buf, sizeof(buf)) > 1000);
	say("old call: %ld", syscall(SYS_getdents, fd, buf, sizeof(buf)));
	SEE(syscall(SYS_getdents, 999, buf, sizeof(buf)));
#endif
	file = (int)MUST(open("f", O_RDONLY));
	SEE(syscall(SYS_getdents64, file, buf, 4096));
	SEE(syscall(SYS_getdents64, 999, buf, 4096));
	other = (int)MUST(open("d", O_PATH));
	SEE(syscall(SYS_getdents64, other, buf, 4096));
	MUST(mkdir("gone", 0700));
	other = (int)MUST(open("gone", O_RDONLY));
	MUST(rmdir("gone"));
	SEE(syscall(SYS_getdents64, other, buf, 4096));
}

/* ---- signals ---- */

static volatile sig_atomic_t ticks;

static void tick(int sig)
{
	(void)sig;
	ticks++;
}

/* A call that a signal interrupts must not lose what it read. */
static void storm(void)
{
	const struct itimerval often = {{0, 100}, {0, 100}}, never = {0};
	const struct sigaction action = {.sa_handler = tick, .sa_flags = SA_RESTART};
	static char buf[1000] __attribute__((aligned(8)));
	const int fd = (int)MUST(open("d", O_RDONLY | O_DIRECTORY));
	int other = 0;

	MUST(sigaction(SIGALRM, &action, NULL));
	MUST(setitimer(ITIMER_REAL, &often, NULL));
	while (ticks < 2000) {
		MUST(lseek(fd, 0, SEEK_SET));
		other += count_raw(fd, buf, sizeof(buf)) != SEEKS + 2;
	}
	MUST(setitimer(ITIMER_REAL, &never, NULL));
	say("listings of another length: %d", other);
}

/* Do the same with a directory that was changed. */
static void changed(void)
{
	touch("d/new-%d", 1);
	MUST(unlink("d/entry-7"));
	storm();
}

static const struct story stories[] = {
	{"kinds", prepare_kinds, kinds},     {"many", prepare_many, many},
	{"seeks", prepare_seeks, seeks},     {"removing", prepare_seeks, removing},
	{"adding", prepare_seeks, adding},   {"renaming", prepare_seeks, renaming},
	{"raw", prepare_raw, raw},           {"storm", prepare_seeks, storm},
	{"changed", prepare_seeks, changed},
};

int main(int argc, char **argv)
{
	return run_story(argc, argv, stories, COUNT(stories));
}
