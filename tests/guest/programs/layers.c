/* SPDX-License-Identifier: MIT */
/*
 * layers.c - change files and directories that existed before: in a container, those of layers.
 *
 *   layers GROUP prepare|observe|both (in an empty directory)
 *
 * The output is the same wherever the files come from. The known limits of layers
 * (docs/limits.md) are left out: hard links between files of a layer, the old content behind a
 * descriptor that was opened before a change, and a directory that moves while it is open.
 */
#include "see.h"

#include <dirent.h>
#include <linux/fs.h>
#include <linux/stat.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

#define OLD 1000000000

static const struct timespec old_times[2] = {{OLD, 1}, {OLD, 123456789}};

static void age(const char *path)
{
	MUST(utimensat(AT_FDCWD, path, old_times, AT_SYMLINK_NOFOLLOW));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Print everything below a directory, a line for each directory: types, modes, sizes, targets. */
static void say_tree(const char *dir)
{
	char *names[64];
	char path[4096], target[64];
	size_t count = 0;
	struct dirent *entry;
	struct stat st;
	DIR *stream = opendir(dir);

	if (!stream) {
		say("%.60s: %s", dir, error_name(errno));
		return;
	}
	while ((entry = readdir(stream)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    count < COUNT(names))
			names[count++] = strdup(entry->d_name);
	}
	closedir(stream);
	qsort(names, count, sizeof(names[0]), by_name);
	printf("%.60s:", dir);
	for (size_t i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		if (lstat(path, &st) == -1) {
			printf(" %.40s:%s", names[i], error_name(errno));
			continue;
		}
		printf(" %.40s:%c%o", names[i], type_letter(st.st_mode),
		       (unsigned)st.st_mode & 07777);
		if (S_ISREG(st.st_mode))
			printf(":%lld", (long long)st.st_size);
		if (S_ISLNK(st.st_mode)) {
			ssize_t n = readlink(path, target, sizeof(target) - 1);

			printf("->%.*s", (int)(n < 0 ? 0 : n), target);
		}
	}
	printf("\n");
	for (size_t i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
			say_tree(path);
		free(names[i]);
	}
}

static void make_tree(const char *top)
{
	char path[4096];

	MUST(mkdir(top, 0755));
	for (int i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/f%d", top, i);
		write_file(path, "content");
		age(path);
	}
	snprintf(path, sizeof(path), "%s/sub", top);
	MUST(mkdir(path, 0750));
	snprintf(path, sizeof(path), "%s/sub/in", top);
	write_file(path, "inner");
	snprintf(path, sizeof(path), "%s/sub/other", top);
	write_file(path, "another");
	snprintf(path, sizeof(path), "%s/sub/deep", top);
	MUST(mkdir(path, 0700));
	snprintf(path, sizeof(path), "%s/sub/deep/l", top);
	MUST(symlink("../in", path));
	snprintf(path, sizeof(path), "%s/empty", top);
	MUST(mkdir(path, 0755));
	snprintf(path, sizeof(path), "%s/l", top);
	MUST(symlink("sub/in", path));
	snprintf(path, sizeof(path), "%s/p", top);
	MUST(mkfifo(path, 0640));
}

static void prepare_trees(void)
{
	make_tree("a");
	make_tree("b");
	make_tree("c");
}

/* ---- emptied, removed, made again ---- */

static void emptied(void)
{
	static const char *const gone[] = {"a/f0", "a/f1", "a/f2", "a/f3", "a/l", "a/p", "a/l"};

	SEE(rmdir("a"));
	SEE(rmdir("a/sub/deep"));
	SEE(rmdir("a/empty"));
	SEE(rmdir("a/empty"));
	SEE(access("a/empty", F_OK));
	for (size_t i = 0; i < COUNT(gone); i++)
		SEE(unlink(gone[i]));
	say_tree("a");
	SEE(rmdir("a"));
	SEE(unlink("a/sub/in"));
	SEE(unlink("a/sub/other"));
	SEE(unlink("a/sub/deep/l"));
	SEE(rmdir("a/sub/deep"));
	SEE(rmdir("a/sub"));
	write_file("a/new", "new");
	SEE(rmdir("a"));
	SEE(unlink("a/new"));
	SEE(rmdir("a"));
	say_tree(".");
	SEE(access("a/f0", F_OK));
	SEE(mkdir("a", 0711));
	say_tree("a");
	SEE(access("a/sub/in", F_OK));
	SEE(mkdir("a/sub", 0755));
	SEE(open("a/sub/in", O_RDONLY));
	write_file("a/sub/in", "made again");
	say_content("a/sub/in");
	SEE(mkdir("a/sub/deep", 0755));
	SEE(symlink("x", "a/l"));
	SEE(mkfifo("a/f1", 0600));
	say_tree("a");
	SEE(unlink("a/f1"));
	SEE(rename("b/f1", "a/f1"));
	SEE(rename("b/sub", "a/empty"));
	say_tree(".");
}

/* ---- moved ---- */

static void moved(void)
{
	SEE(rename("a", "b"));
	SEE(rename("a", "a/sub/x"));
	SEE(rename("a/sub", "a/sub"));
	SEE(rename("a/sub", "a/empty"));
	say_tree("a");
	SEE(mkdir("a/sub", 0755));
	say_tree("a/sub");
	SEE(rename("a/empty/in", "a/sub/in"));
	SEE(rename("a/sub", "d"));
	SEE(rename("a", "e"));
	SEE(mkdir("a", 0700));
	say_tree("a");
	SEE(rename("e/f0", "a/f0"));
	say_tree(".");
	SEE(rename("e", "a/e"));
	SEE(rename("b/sub/deep", "b/empty"));
	SEE(rename("b/sub", "b/empty"));
	SEE(rename("b/empty/l", "b/f0"));
	SEE(rename("b/empty", "b/sub/deep"));
	SEE(rename("b/f1", "b/sub"));
	SEE(rename("b/sub", "b/f1"));
	SEE(rename("b/f1", "b/f2"));
	say_content("b/f2");
	SEE(rename("b/f3", "b/new"));
	SEE(rename("b/new", "b/f3"));
	SEE(rename("b/l", "b/p"));
	say_tree(".");
	SEE(unlink("b/f3"));
	SEE(syscall(SYS_renameat2, AT_FDCWD, "b/f2", AT_FDCWD, "b/f3", RENAME_NOREPLACE));
	SEE(syscall(SYS_renameat2, AT_FDCWD, "b/f3", AT_FDCWD, "b/f0", RENAME_NOREPLACE));
	SEE(mkdir("b/f2", 0755));
	SEE(rename("c", "b/f2"));
	SEE(mkdir("c", 0755));
	say_tree(".");
}

static void exchanged(void)
{
	const unsigned swap = RENAME_EXCHANGE;

	SEE(syscall(SYS_renameat2, AT_FDCWD, "a/f0", AT_FDCWD, "b/f1", swap));
	SEE(syscall(SYS_renameat2, AT_FDCWD, "a/sub", AT_FDCWD, "b/empty", swap));
	say_tree("a");
	say_tree("b");
	SEE(syscall(SYS_renameat2, AT_FDCWD, "a/f1", AT_FDCWD, "b/sub", swap));
	SEE(syscall(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, "a/sub", swap));
	SEE(syscall(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, "c", swap));
	SEE(syscall(SYS_renameat2, AT_FDCWD, "a/l", AT_FDCWD, "a/p", swap));
	SEE(syscall(SYS_renameat2, AT_FDCWD, "a/l", AT_FDCWD, "missing", swap));
	say_tree(".");
	SEE(unlink("c/f1/in"));
	SEE(unlink("c/f1/other"));
	SEE(unlink("c/f1/deep/l"));
	SEE(rmdir("c/f1/deep"));
	SEE(rmdir("c/f1"));
	SEE(mkdir("c/f1", 0755));
	say_tree("c");
}

/* ---- removed files are replaced by files of other kinds ---- */

static void kinds(void)
{
	SEE(unlink("a/f0"));
	SEE(mkdir("a/f0", 0755));
	write_file("a/f0/in", "in");
	SEE(rmdir("a/empty"));
	SEE(symlink("f0", "a/empty"));
	say_content("a/empty/in");
	SEE(unlink("a/l"));
	write_file("a/l", "a file");
	SEE(unlink("a/p"));
	SEE(mkdir("a/p", 0700));
	SEE(rename("b/sub", "a/p"));
	SEE(unlink("a/f1"));
	SEE(mkfifo("a/f1", 0600));
	SEE(unlink("a/f1"));
	SEE(symlink("f2", "a/f1"));
	say_content("a/f1");
	SEE(open("a/f1", O_WRONLY | O_TRUNC) >= 0);
	say_content("a/f2");
	SEE(open("a/f3", O_WRONLY | O_CREAT | O_EXCL, 0600));
	SEE(unlink("a/f3"));
	SEE(open("a/f3", O_WRONLY | O_CREAT | O_EXCL, 0600) >= 0);
	SEE(open("a/f3", O_WRONLY | O_CREAT | O_EXCL, 0600));
	SEE(mkdir("a/f3", 0755));
	SEE(symlink("x", "a/sub"));
	SEE(mkfifo("a/sub/in", 0600));
	SEE(link("a/f2", "a/f3"));
	SEE(unlink("a/f3"));
	SEE(link("a/f2", "a/f3"));
	say_tree("a");
	SEE(rmdir("a/f3"));
	SEE(unlink("a/sub"));
	SEE(unlink("a/f0"));
	say_tree("b");
}

/* ---- changes through a read-only descriptor ---- */

static void say_both(const char *path, int fd)
{
	struct stat st, at;
	struct timespec when;

	MUST(fstat(fd, &st));
	say("descriptor: %s", describe(&st));
	say_stat(path);
	MUST(stat(path, &at));
	when = at.st_mtim;
	say("one file: %d, mtime %s", st.st_ino == at.st_ino && st.st_dev == at.st_dev,
	    when.tv_sec == OLD        ? "old"
	    : when.tv_sec == OLD + 10 ? "set"
				      : "of now");
}

static void by_descriptor(const char *path)
{
	const struct timespec set[2] = {{OLD + 10, 0}, {OLD + 10, 0}};
	char value[16];
	int fd = (int)MUST(open(path, O_RDONLY));

	say_both(path, fd);
	SEE(fchmod(fd, 0701));
	say_both(path, fd);
	SEE(fchown(fd, geteuid(), getegid()));
	SEE(futimens(fd, set));
	say_both(path, fd);
	SEE(fsetxattr(fd, "user.a", "value", 5, 0));
	SEE(getxattr(path, "user.a", value, sizeof(value)));
	SEE(fgetxattr(fd, "user.a", value, sizeof(value)));
	SEE(fremovexattr(fd, "user.a"));
	SEE(chmod(path, 0711));
	say_both(path, fd);
	close(fd);
	fd = (int)MUST(open(path, O_PATH));
	SEE(fchmod(fd, 0755));
	SEE(fchownat(fd, "", geteuid(), getegid(), AT_EMPTY_PATH));
	SEE(syscall(SYS_fchmodat, AT_FDCWD, path, 0700));
	say_both(path, fd);
	close(fd);
}

static void descriptors(void)
{
	age("a/sub");
	by_descriptor("a/f0");
	by_descriptor("a/sub");
	by_descriptor("a");
	say_tree("a");
}

/* ---- descriptors of removed files ---- */

static void nameless(void)
{
	char text[16] = "";
	struct stat st;
	int file = (int)MUST(open("a/f0", O_RDONLY));
	int replaced = (int)MUST(open("a/f1", O_RDONLY));
	char *map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, file, 0);

	MUST(unlink("a/f0"));
	MUST(rename("a/f2", "a/f1"));
	SEE(read(file, text, sizeof(text)));
	say("%s, mapped %s", text, map);
	SEE(pread(replaced, text, sizeof(text), 0));
	SEE(fstat(file, &st));
	say("size %d mode %o", (int)st.st_size, st.st_mode);
	SEE(fstat(replaced, &st));
	say("size %d mode %o", (int)st.st_size, st.st_mode);
	write_file("a/f0", "another one");
	SEE(pread(file, text, sizeof(text), 0));
	say_content("a/f0");
	MUST(chmod("a/f0", 0600));
	SEE(fstat(file, &st));
	say("size %d mode %o", (int)st.st_size, st.st_mode);
	SEE(lseek(file, 0, SEEK_END));
}

/* A removed directory is not the same as a new directory of its name. */
static void other_directory(void)
{
	struct stat st;
	int dir = (int)MUST(open("a/empty", O_RDONLY | O_DIRECTORY));
	int path = (int)MUST(open("b/empty", O_PATH));
	DIR *stream = opendir("c/empty");

	MUST(rmdir("a/empty"));
	MUST(rmdir("b/empty"));
	MUST(rmdir("c/empty"));
	SEE(openat(dir, "x", O_CREAT | O_WRONLY, 0600));
	MUST(mkdir("a/empty", 0755));
	MUST(mkdir("b/empty", 0755));
	MUST(mkdir("c/empty", 0755));
	write_file("a/empty/f", "new");
	write_file("b/empty/f", "new");
	write_file("c/empty/f", "new");
	SEE(openat(dir, "x", O_CREAT | O_WRONLY, 0600));
	SEE(mkdirat(dir, "d", 0755));
	SEE(fstatat(dir, "f", &st, 0));
	SEE(openat(path, "f", O_RDONLY));
	SEE(faccessat(path, "f", F_OK, 0));
	for (int i = 0; stream && i < 4; i++) {
		struct dirent *entry = readdir(stream);

		if (entry && entry->d_name[0] != '.')
			say("listed %s", entry->d_name);
	}
	say_tree("a/empty");
}

static void other_cwd(void)
{
	MUST(chdir("a/sub"));
	SEE(access("in", F_OK));
	write_file("new", "new");
	say_content("../../a/sub/new");
	SEE(rename("in", "../in"));
	say_tree("../../a");
	SEE(chdir("deep"));
	SEE(unlink("l"));
	SEE(rmdir("../deep"));
	SEE(access("l", F_OK));
	SEE(open("x", O_CREAT | O_WRONLY, 0600));
}

/* A removed working directory stays removed although a new directory has its name. */
static void lost_cwd(void)
{
	char cwd[PATH_MAX];
	char top[PATH_MAX];
	struct stat st;

	if (!getcwd(top, sizeof(top)))
		broken("getcwd");
	MUST(chdir("a/empty"));
	strcat(top, "/a/empty");
	MUST(rmdir(top));
	MUST(mkdir(top, 0755));
	say("cwd %s", getcwd(cwd, sizeof(cwd)) ? cwd : error_name(errno));
	SEE(open("x", O_CREAT | O_WRONLY, 0600));
	SEE(mkdir("d", 0755));
	SEE(access("x", F_OK));
	SEE(fstatat(AT_FDCWD, "x", &st, 0));
	say_tree(top);
}

/* ---- through /proc/self/fd ---- */

static const char *of_fd(int fd)
{
	static char path[4][32];
	static unsigned turn;
	char *chosen = path[turn++ % 4];

	snprintf(chosen, sizeof(path[0]), "/proc/self/fd/%d", fd);
	return chosen;
}

static void reopened(void)
{
	int fd = (int)MUST(open("a/f0", O_RDONLY));
	int path = (int)MUST(open("a/f1", O_PATH));
	int again = (int)SEE(open(of_fd(fd), O_RDWR) >= 0);

	again = (int)MUST(open(of_fd(fd), O_RDWR));
	SEE(write(again, "CON", 3));
	say_content("a/f0");
	SEE(ftruncate(again, 4));
	say_content("a/f0");
	close(again);
	SEE(truncate(of_fd(path), 2));
	say_content("a/f1");
	again = (int)MUST(open(of_fd(path), O_WRONLY | O_APPEND));
	SEE(write(again, "++", 2));
	say_content("a/f1");
	SEE(chmod(of_fd(path), 0601));
	SEE(setxattr(of_fd(fd), "user.x", "x", 1, 0));
	SEE(linkat(AT_FDCWD, of_fd(path), AT_FDCWD, "linked", AT_SYMLINK_FOLLOW));
	say_tree("a");
	say_stat("linked");
	fd = (int)MUST(open("a/f2", O_RDONLY));
	SEE(open(of_fd(fd), O_WRONLY | O_TRUNC) >= 0);
	say_stat("a/f2");
	fd = (int)MUST(open("a/sub", O_RDONLY | O_DIRECTORY));
	SEE(open(of_fd(fd), O_TMPFILE | O_RDWR, 0600) >= 0);
	SEE(rename("a/f3", "a/sub/f3"));
	SEE(openat(fd, "f3", O_RDWR) >= 0);
	fd = (int)MUST(open("b/sub", O_PATH));
	SEE(mkdirat(fd, "made", 0755));
	SEE(renameat(fd, "in", fd, "made/in"));
	SEE(unlinkat(fd, "other", 0));
	say_tree("b/sub");
}

/* ---- O_TMPFILE files get names ---- */

static void tmpfiles(void)
{
	int fd = (int)MUST(open("a/sub", O_TMPFILE | O_RDWR, 0640));

	MUST(write(fd, "nameless", 8));
	SEE(linkat(AT_FDCWD, of_fd(fd), AT_FDCWD, "a/f0", AT_SYMLINK_FOLLOW));
	MUST(unlink("a/f0"));
	SEE(linkat(AT_FDCWD, of_fd(fd), AT_FDCWD, "a/f0", AT_SYMLINK_FOLLOW));
	SEE(linkat(AT_FDCWD, of_fd(fd), AT_FDCWD, "b/sub/new", AT_SYMLINK_FOLLOW));
	say_stat("b/sub/new");
	say_content("a/f0");
	SEE(rename("b/sub/new", "b/f1"));
	say_tree("a");
	say_tree("b");
}

/* ---- programs ---- */

static void prepare_programs(void)
{
	MUST(mkdir("bin", 0755));
	copy_self("bin/program");
	MUST(symlink("program", "bin/link"));
	write_file("bin/script", "#!bin/program -\n");
	MUST(chmod("bin/script", 0755));
}

static void run(const char *path)
{
	pid_t pid;

	fflush(stdout);
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		execl(path, path, "-", (char *)NULL);
		say("%s: %s", path, error_name(errno));
		fflush(stdout);
		_exit(1);
	}
	say_status(path, wait_for(pid));
}

/* What the program does when `-` is its argument: calls, repeated until they are rewritten. */
static void started(void)
{
	char exe[PATH_MAX] = "";
	struct stat st;
	int found = 0;

	for (int i = 0; i < 20; i++) {
		found += access("/proc/self/exe", F_OK) == 0;
		found += stat("bin", &st) == 0;
		close(open("bin/script", O_RDONLY));
	}
	MUST(readlink("/proc/self/exe", exe, sizeof(exe) - 1));
	say("runs as %s, found %d", strrchr(exe, '/') + 1, found);
}

static void programs(void)
{
	int fd;

	run("bin/program");
	run("bin/link");
	run("bin/script");
	MUST(chmod("bin/program", 0711));
	run("bin/program");
	MUST(chmod("bin/program", 0644));
	run("bin/program");
	run("bin/script");
	MUST(chmod("bin/program", 0755));
	fd = (int)MUST(open("bin/program", O_WRONLY | O_APPEND));
	MUST(write(fd, "more", 4));
	close(fd);
	run("bin/link");
	MUST(rename("bin/program", "bin/moved"));
	run("bin/link");
	MUST(link("bin/moved", "bin/program"));
	run("bin/link");
	copy_self("bin/fresh");
	MUST(rename("bin/fresh", "bin/program"));
	run("bin/script");
	MUST(truncate("bin/moved", 100));
	run("bin/moved");
	MUST(rename("bin", "else"));
	MUST(symlink("else", "bin"));
	run("bin/program");
	run("else/link");
	fd = (int)MUST(open("else/program", O_RDONLY));
	MUST(unlink("else/program"));
	SEE(access(of_fd(fd), X_OK));
	run("else/link");
}

/* ---- names ---- */

static char longest[256];
static const char *const strange[] = {"\xff\xfe\x80", "new\nline", " blank ",     "...",  "-f",
				      "\x01",         "*",         "caf\xc3\xa9", longest};

static void prepare_names(void)
{
	char path[300];

	memset(longest, 'n', 255);
	MUST(mkdir("d", 0755));
	for (size_t i = 0; i < COUNT(strange); i++) {
		snprintf(path, sizeof(path), "d/%s", strange[i]);
		write_file(path, "strange");
		MUST(mkdir(strange[i], 0755));
		snprintf(path, sizeof(path), "%s/f", strange[i]);
		write_file(path, "inside");
	}
}

static void names(void)
{
	char path[300], other[300], too_long[300];
	struct stat st;

	memset(longest, 'n', 255);
	memset(too_long, 'n', 256);
	too_long[256] = '\0';
	SEE(access(too_long, F_OK));
	for (size_t i = 0; i < COUNT(strange); i++) {
		say("name %zu", i);
		snprintf(path, sizeof(path), "d/%s", strange[i]);
		SEE(chmod(path, 0600));
		SEE(stat(path, &st));
		say("%s", describe(&st));
		SEE(rename(path, "d/x"));
		SEE(access(path, F_OK));
		SEE(mkdir(path, 0755));
		SEE(rmdir(path));
		SEE(link("d/x", path));
		SEE(unlink("d/x"));
		say_stat("d/x");
		snprintf(other, sizeof(other), "%s/f", strange[i]);
		SEE(rename(other, "d/y"));
		SEE(rename("d/y", other));
		SEE(rename(strange[i], "moved"));
		SEE(access(other, F_OK));
		SEE(rename("moved", strange[i]));
		SEE(truncate(other, 3));
		SEE(unlink(path));
		SEE(unlink(other));
		SEE(rmdir(strange[i]));
	}
	say_tree(".");
}

static void prepare_deep(void)
{
	char name[201];

	memset(name, 'n', 200);
	name[200] = '\0';
	MUST(mkdir("top", 0755));
	MUST(chdir("top"));
	for (int i = 0; i < 14; i++) {
		MUST(mkdir(name, 0755));
		write_file("f", "on the way");
		MUST(chdir(name));
	}
	write_file("f", "at the end");
	MUST(mkdir("d", 0755));
}

static void deep(void)
{
	char name[201], path[PATH_MAX] = "top";

	memset(name, 'n', 200);
	name[200] = '\0';
	for (int i = 0; i < 14; i++) {
		strcat(path, "/");
		strcat(path, name);
	}
	SEE(chdir(path));
	say_content("f");
	SEE(chmod("f", 0600));
	SEE(rename("f", "d/g"));
	SEE(access("f", F_OK));
	SEE(mkdir("new", 0755));
	SEE(rename("d", "new/d"));
	say_content("new/d/g");
	say_tree(".");
	SEE(unlink("../f"));
	SEE(rename("../../f", "../f"));
	SEE(chdir("/"));
}

/* ---- statx ---- */

static void say_statx(const char *path)
{
	struct statx sx;
	struct stat st;

	MUST(syscall(SYS_statx, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_ALL, &sx));
	MUST(lstat(path, &st));
	say("%s: basic %d, mode %o, as stat %d, blocks %s, block size %u", path,
	    (sx.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS, sx.stx_mode,
	    sx.stx_ino == st.st_ino && sx.stx_nlink == st.st_nlink && sx.stx_uid == st.st_uid &&
		    sx.stx_gid == st.st_gid && (int64_t)sx.stx_size == st.st_size &&
		    (int64_t)sx.stx_blocks == st.st_blocks &&
		    sx.stx_blksize == (unsigned)st.st_blksize &&
		    (long)sx.stx_mtime.tv_nsec == st.st_mtim.tv_nsec &&
		    (long)sx.stx_ctime.tv_nsec == st.st_ctim.tv_nsec,
	    S_ISREG(st.st_mode) && st.st_size > 0 && st.st_blocks == 0 ? "none" : "good",
	    sx.stx_blksize);
}

static void statxes(void)
{
	static const char *const all[] = {"a", "a/f0", "a/l", "a/p", "a/sub", "a/sub/in"};

	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < COUNT(all); i++)
			say_statx(all[i]);
		MUST(chmod("a/f0", 0600));
		MUST(chmod("a/p", 0600));
		MUST(lchown("a/l", geteuid(), getegid()));
		write_file("a/sub/new", "new");
		MUST(truncate("a/sub/in", 3));
	}
}

/* ---- times of directories ---- */

static void say_age(const char *path)
{
	struct stat st;

	MUST(stat(path, &st));
	say("%s: %s", path,
	    st.st_mtim.tv_sec != OLD          ? "changed"
	    : st.st_mtim.tv_nsec == 123456789 ? "old"
					      : "old, but not the nanoseconds");
}

static void prepare_times(void)
{
	prepare_trees();
	age("a/sub/deep");
	age("a/sub/in");
	age("a/sub");
	age("a/empty");
	age("a");
}

static void times(void)
{
	static const char *const all[] = {"a", "a/f0", "a/sub", "a/sub/in", "a/sub/deep"};

	for (size_t i = 0; i < COUNT(all); i++)
		say_age(all[i]);
	MUST(chmod("a/f0", 0600));
	MUST(chmod("a/sub/in", 0600));
	MUST(chmod("a/sub/deep", 0755));
	for (size_t i = 0; i < COUNT(all); i++)
		say_age(all[i]);
	MUST(unlink("a/sub/other"));
	say_age("a");
	say_age("a/sub");
	say_age("a/sub/deep");
	age("a/sub");
	MUST(rename("a/sub/in", "a/sub/moved"));
	say_age("a/sub");
	say_age("a/sub/moved");
	age("a/sub");
	age("a");
	MUST(rename("a/sub", "a/other"));
	say_age("a/other");
	say_age("a/other/deep");
	say_age("a");
	age("a");
	MUST(rmdir("a/empty"));
	say_age("a");
	age("a");
	MUST(mkdir("a/empty", 0755));
	say_age("a");
}

/* ---- inode flags (chattr) ---- */

static void flags(void)
{
	int fd = (int)MUST(open("a/f0", O_RDONLY));
	int changed = (int)MUST(open("a/f1", O_RDWR));
	int value = 0;

	say("read: %d", ioctl(fd, FS_IOC_GETFLAGS, &value) == 0);
	say("written: %d", ioctl(changed, FS_IOC_GETFLAGS, &value) == 0);
	value |= FS_NODUMP_FL;
	say("changed: %d", ioctl(fd, FS_IOC_SETFLAGS, &value) == 0);
	close(fd);
	fd = (int)MUST(open("a/f0", O_RDONLY));
	value = 0;
	say("found: %d", ioctl(fd, FS_IOC_GETFLAGS, &value) == 0 && value & FS_NODUMP_FL);
	say_content("a/f0");
}

/* Requests that change or describe an inode through a read-only descriptor. Layers refuse them. */
static void requests(void)
{
	static const struct {
		const char *name;
		unsigned long request;
	} all[] = {
		{"enable verity", 0x40806685},
		{"set a version", FS_IOC_SETVERSION},
		{"encrypt", 0x800c6613},
		{"begin to shut down", 0x8004587d},
		{"get a version", FS_IOC_GETVERSION},
		{"list extents", 0xc020660b},
	};
	int lower = (int)MUST(open("a/f0", O_RDONLY));
	int folder = (int)MUST(open("a", O_RDONLY | O_DIRECTORY));

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		char argument[256] = {0};

		say("%s: %d", all[i].name, ioctl(lower, all[i].request, argument) < 0 ? errno : 0);
		memset(argument, 0, sizeof(argument));
		say("of a directory: %d", ioctl(folder, all[i].request, argument) < 0 ? errno : 0);
	}
}

static const struct story stories[] = {
	{"emptied", prepare_trees, emptied},
	{"moved", prepare_trees, moved},
	{"exchanged", prepare_trees, exchanged},
	{"kinds", prepare_trees, kinds},
	{"descriptors", prepare_trees, descriptors},
	{"nameless", prepare_trees, nameless},
	{"other-directory", prepare_trees, other_directory},
	{"other-cwd", prepare_trees, other_cwd},
	{"lost-cwd", prepare_trees, lost_cwd},
	{"reopened", prepare_trees, reopened},
	{"tmpfiles", prepare_trees, tmpfiles},
	{"programs", prepare_programs, programs},
	{"names", prepare_names, names},
	{"deep", prepare_deep, deep},
	{"statxes", prepare_trees, statxes},
	{"times", prepare_times, times},
	{"flags", prepare_trees, flags},
	{"requests", prepare_trees, requests},
};

int main(int argc, char **argv)
{
	if (argc >= 2 && strcmp(argv[1], "-") == 0) {
		setvbuf(stdout, NULL, _IOLBF, 0);
		umask(022);
		started();
		return 0;
	}
	return run_story(argc, argv, stories, COUNT(stories));
}
