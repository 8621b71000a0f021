/* SPDX-License-Identifier: MIT */
/*
 * own.c - measure the time of system calls on files that the program itself has made.
 *
 * `own DIR BATCHES` makes DIR/own with 200 files, prints a line `name nanoseconds` for each row of
 * the table below, and removes what it made. A figure is the quickest of BATCHES batches, which
 * take turns, as in calls.c. A row of two calls, such as mkdir and rmdir, counts both.
 *
 * Rules
 *   Linked statically. A call that fails ends the program.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define FILES 200
#define PATH 600

static char top[256];
static char names[FILES][16];
static char deep[FILES][48];
static char paths[FILES][PATH];
static int folder;

static void must(int good, const char *what)
{
	if (!good) {
		fprintf(stderr, "own: %s: %s\n", what, strerror(errno));
		exit(1);
	}
}

static void look(int at, const char *name)
{
	struct stat st;

	must(fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size == 5, name);
}

static void lstat_path(int i)
{
	look(AT_FDCWD, paths[i]);
}

static void lstat_name(int i)
{
	look(AT_FDCWD, names[i]);
}

static void lstat_deep(int i)
{
	look(AT_FDCWD, deep[i]);
}

static void lstat_at(int i)
{
	look(folder, names[i]);
}

static void lstat_missing(int i)
{
	struct stat st;

	(void)i;
	must(lstat("missing", &st) == -1 && errno == ENOENT, "missing");
}

static void access_name(int i)
{
	must(access(names[i], R_OK) == 0, "access");
}

static void open_at(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_CLOEXEC);

	must(fd >= 0, "open");
	close(fd);
}

static void open_path(int i)
{
	open_at(AT_FDCWD, paths[i]);
}

static void open_name(int i)
{
	open_at(AT_FDCWD, names[i]);
}

static void open_read(int i)
{
	char bytes[64];
	struct stat st;
	int fd = open(names[i], O_RDONLY | O_CLOEXEC);

	must(fd >= 0 && fstat(fd, &st) == 0 && read(fd, bytes, sizeof(bytes)) == 5, "read");
	close(fd);
}

static void chmod_name(int i)
{
	must(chmod(names[i], 0644) == 0, "chmod");
}

static void touch_name(int i)
{
	must(utimensat(folder, names[i], NULL, AT_SYMLINK_NOFOLLOW) == 0, "utimensat");
}

static void chown_name(int i)
{
	must(lchown(names[i], getuid(), getgid()) == 0, "lchown");
}

static void link_name(int i)
{
	must(link(names[i], "second") == 0 && unlink("second") == 0, "link");
}

static void symlink_name(int i)
{
	must(symlink(names[i], "link") == 0 && unlink("link") == 0, "symlink");
}

static void make_folder(int i)
{
	(void)i;
	must(mkdir("folder", 0755) == 0 && rmdir("folder") == 0, "mkdir");
}

static void read_link(int i)
{
	char target[64];

	(void)i;
	must(readlink("pointer", target, sizeof(target)) == 6, "readlink");
}

static void list(int i)
{
	int count = 0;
	DIR *dir = opendir("../listed");

	(void)i;
	must(dir != NULL, "opendir");
	while (readdir(dir) != NULL)
		count++;
	must(count == FILES + 2, "readdir");
	closedir(dir);
}

static const struct {
	const char *name;
	int count;
	void (*run)(int i);
} rows[] = {
	{"own-lstat-path", FILES, lstat_path},
	{"own-lstat-name", FILES, lstat_name},
	{"own-lstat-deep", FILES, lstat_deep},
	{"own-lstat-at", FILES, lstat_at},
	{"own-missing", FILES, lstat_missing},
	{"own-access", FILES, access_name},
	{"own-open-path", FILES, open_path},
	{"own-open-name", FILES, open_name},
	{"own-open-read", FILES, open_read},
	{"own-chmod", FILES, chmod_name},
	{"own-utimens", FILES, touch_name},
	{"own-chown", FILES, chown_name},
	{"own-link", 50, link_name},
	{"own-symlink", 50, symlink_name},
	{"own-mkdir", 50, make_folder},
	{"own-readlink", FILES, read_link},
	{"own-list", 5, list},
};
#define ROWS ((int)(sizeof(rows) / sizeof(rows[0])))

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* Restrict the process with Landlock to the folder, as sandbox restricts a container: the kernel's
 * walk up from an opened file is part of its price. */
static void fence(void)
{
	static const unsigned long by_version[] = {0x1fff, 0x3fff, 0x7fff, 0x7fff, 0xffff};
	struct landlock_ruleset_attr set = {0};
	struct landlock_path_beneath_attr rule = {0};
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
	int rules;

	if (version < 1)
		return;
	set.handled_access_fs = by_version[(version > 5 ? 5 : version) - 1];
	rule.allowed_access = set.handled_access_fs & ~(unsigned long)LANDLOCK_ACCESS_FS_EXECUTE;
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

static void write_file(const char *path)
{
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0644);

	must(fd >= 0 && write(fd, "bytes", 5) == 5, path);
	close(fd);
}

static void make_folders(const char *base)
{
	static const char *const parts[] = {"", "/listed", "/deeper", "/deeper/below"};
	char path[PATH];

	snprintf(top, sizeof(top), "%s", base);
	for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		snprintf(path, sizeof(path), "%s/own%s", base, parts[i]);
		must(mkdir(path, 0755) == 0, path);
	}
}

static void prepare(const char *base)
{
	char path[PATH];

	make_folders(base);
	for (int i = 0; i < FILES; i++) {
		snprintf(names[i], sizeof(names[i]), "f%d", i);
		snprintf(deep[i], sizeof(deep[i]), "deeper/below/f%d", i);
		snprintf(paths[i], sizeof(paths[i]), "%s/own/deeper/f%d", base, i);
		write_file(paths[i]);
		snprintf(path, sizeof(path), "%s/own/deeper/below/f%d", base, i);
		write_file(path);
		snprintf(path, sizeof(path), "%s/own/listed/file-%d", base, i);
		write_file(path);
	}
	snprintf(path, sizeof(path), "%s/own/deeper", base);
	must(chdir(path) == 0 && symlink("target", "pointer") == 0, path);
	folder = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(folder >= 0, "open .");
	fence();
}

static void clean(void)
{
	for (int i = 0; i < FILES; i++) {
		char path[32];

		unlink(names[i]);
		snprintf(path, sizeof(path), "below/f%d", i);
		unlink(path);
		snprintf(path, sizeof(path), "../listed/file-%d", i);
		unlink(path);
	}
	unlink("pointer");
	rmdir("below");
	rmdir("../listed");
	must(chdir("../..") == 0, "cd");
	must(rmdir("own/deeper") == 0 && rmdir("own") == 0, "rmdir");
}

int main(int argc, char **argv)
{
	static double quickest[ROWS];
	int batches = argc == 3 ? atoi(argv[2]) : 0;

	if (batches < 1) {
		fprintf(stderr, "usage: own DIR BATCHES\n");
		return 2;
	}
	prepare(argv[1]);
	for (int batch = 0; batch < batches; batch++)
		for (int i = 0; i < ROWS; i++) {
			double taken;

			must(rows[i].run != lstat_deep || chdir("..") == 0, "cd");
			taken = -now();
			for (int n = 0; n < rows[i].count; n++)
				rows[i].run(n);
			taken = (taken + now()) / rows[i].count;
			must(rows[i].run != lstat_deep || chdir("deeper") == 0, "cd");
			if (batch == 0 || taken < quickest[i])
				quickest[i] = taken;
		}
	for (int i = 0; i < ROWS; i++)
		printf("%s %.1f\n", rows[i].name, quickest[i]);
	clean();
	return 0;
}
