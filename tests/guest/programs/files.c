/* SPDX-License-Identifier: MIT */
/*
 * files.c - short sequences of calls on files: working directories, contents, times, links, modes,
 * attributes, watches and locks.
 *
 *   files GROUP prepare|observe|both (in an empty directory)
 *
 * `prepare` makes the files that a group starts with; in a container they may then be a lower
 * layer.
 */
#include "see.h"

#include <dirent.h>
#include <linux/stat.h>
#include <poll.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/socket.h>
#include <sys/xattr.h>

static void set_time(const char *path)
{
	const struct timespec times[2] = {{1000000000, 1}, {1000000000, 123456789}};

	MUST(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW));
}

static void say_cwd(const char *when)
{
	char cwd[PATH_MAX];

	say("%s: cwd %s", when, getcwd(cwd, sizeof(cwd)) ? cwd : error_name(errno));
}

static void say_link(const char *path)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	target[n < 0 ? 0 : n] = '\0';
	say("%s -> %s", path, n < 0 ? error_name(errno) : target);
}

static void say_fd_link(const char *what, int fd)
{
	char path[64];
	char target[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = '\0';
	if (strstr(target, "/#"))
		strcpy(strstr(target, "/#"), "/(unnamed)");
	say("%s is %s", what, n < 0 ? error_name(errno) : target);
}

static ino_t inode(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 ? st.st_ino : 0;
}

/* ---- working directory ---- */

static void prepare_cwd(void)
{
	MUST(mkdir("a", 0755));
	MUST(mkdir("a/b", 0755));
	MUST(mkdir("a/b/c", 0755));
	MUST(symlink("a/b", "link"));
	write_file("a/b/f", "in b");
}

static void cwd(void)
{
	char cwd[PATH_MAX];
	int dir;

	SEE(chdir("link"));
	say_cwd("through a link");
	SEE(chdir(".."));
	say_cwd("up");
	SEE(chdir("b/c"));
	SEE(rename("../../../a", "../../../moved"));
	say_cwd("above was renamed");
	say_content("../f");
	SEE(access("../../b/c", F_OK));
	errno = 0;
	say("length %ld", syscall(SYS_getcwd, cwd, sizeof(cwd)) - (long)strlen(cwd));
	SEE(syscall(SYS_getcwd, cwd, strlen(cwd)));
	SEE(syscall(SYS_getcwd, cwd, strlen(cwd) + 1) > 0);
	SEE(syscall(SYS_getcwd, cwd, 0));
	SEE(syscall(SYS_getcwd, NULL, 100));
	SEE(rmdir("../c"));
	say_cwd("removed");
	SEE(open("new", O_CREAT | O_WRONLY, 0600));
	SEE(mkdir("new", 0700));
	SEE(access("f", F_OK));
	say_cwd("still removed");
	strcpy(strstr(cwd, "/work") + 5, "/moved/b");
	SEE(chdir(cwd));
	say_cwd("left it");
	dir = (int)MUST(open(".", O_RDONLY | O_DIRECTORY));
	SEE(chdir("/"));
	SEE(fchdir(dir));
	say_cwd("fchdir");
	SEE(fchdir(0));
	SEE(fchdir(999));
	close(dir);
	dir = (int)MUST(open("f", O_RDONLY));
	SEE(fchdir(dir));
	close(dir);
	dir = (int)MUST(open("../..", O_PATH));
	SEE(fchdir(dir));
	say_cwd("O_PATH");
	SEE(access("moved/b/f", F_OK));
	SEE(access("a", F_OK));
}

/* The parent of a removed working directory is still reached by `..`. */
static void removed_cwd(void)
{
	MUST(mkdir("d", 0755));
	MUST(mkdir("d/e", 0755));
	MUST(chdir("d/e"));
	SEE(rmdir("../e"));
	SEE(access(".", F_OK));
	say_stat(".");
	SEE(access("..", F_OK));
	SEE(mkdir("../other", 0755));
	SEE(chdir(".."));
	say_cwd("left it");
}

/* ---- directory descriptors ---- */

static void prepare_dirfds(void)
{
	MUST(mkdir("d", 0755));
	MUST(mkdir("d/e", 0755));
	write_file("d/f", "first");
	write_file("d/e/g", "second");
}

static void dirfds(void)
{
	struct stat st;
	char buf[16] = "";
	int d = (int)MUST(open("d", O_RDONLY | O_DIRECTORY));
	int path = (int)MUST(open("d", O_PATH));
	int file = (int)MUST(open("d/f", O_RDONLY));
	int fd;

	SEE(rename("d", "moved"));
	say_fd_link("descriptor", d);
	SEE(fstatat(d, "f", &st, 0));
	SEE(faccessat(d, "../moved/f", F_OK, 0));
	SEE(mkdirat(d, "new", 0755));
	SEE(renameat(d, "f", path, "new/f2"));
	say_content("moved/new/f2");
	say_fd_link("open file", file);
	SEE(symlinkat("new/f2", path, "s"));
	SEE(linkat(d, "new/f2", d, "hard", 0));
	SEE(unlinkat(d, "new/f2", 0));
	SEE(unlinkat(d, "new", AT_REMOVEDIR));
	SEE(unlinkat(path, "e", AT_REMOVEDIR));
	SEE(read(file, buf, 5));
	fd = (int)SEE(openat(d, "e/g", O_RDWR));
	SEE(write(fd, "SEC", 3));
	close(fd);
	say_content("moved/e/g");
	SEE(fstatat(path, "", &st, AT_EMPTY_PATH));
	SEE(fchmod(path, 0700));
	SEE(fchmod(d, 0711));
	say_stat("moved");
	SEE(read(path, buf, 1));
	SEE(unlinkat(d, "hard", 0) + unlinkat(d, "s", 0) + unlinkat(d, "e/g", 0) +
	    unlinkat(d, "e", AT_REMOVEDIR));
	SEE(rmdir("moved"));
	SEE(fstatat(d, "f", &st, 0));
	SEE(openat(d, "late", O_CREAT | O_RDWR, 0600));
	say_fd_link("removed directory", d);
	SEE(fstat(d, &st));
	say("links of the removed directory: %d", (int)st.st_nlink);
	say_fd_link("removed file", file);
	SEE(fstat(file, &st));
	say("links of the removed file: %d", (int)st.st_nlink);
}

/* ---- open files outlive their names ---- */

static void prepare_unlinked(void)
{
	write_file("f", "content");
	write_file("g", "other");
	set_time("f");
}

static void unlinked(void)
{
	struct stat st;
	char buf[32] = "";
	char path[64];
	int fd = (int)MUST(open("f", O_RDWR));
	int second;

	SEE(unlink("f"));
	SEE(fstat(fd, &st));
	say("%s", describe(&st));
	SEE(read(fd, buf, sizeof(buf)));
	say("%s", buf);
	SEE(write(fd, "more", 4));
	SEE(fstat(fd, &st));
	say("%s", describe(&st));
	SEE(fchmod(fd, 0600));
	SEE(ftruncate(fd, 3));
	SEE(fchown(fd, geteuid(), getegid()));
	SEE(futimens(fd, NULL));
	SEE(fstat(fd, &st));
	say("%s", describe(&st));
	say_fd_link("descriptor", fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	second = (int)SEE(open(path, O_RDONLY));
	memset(buf, 0, sizeof(buf));
	SEE(read(second, buf, sizeof(buf)));
	say("%s", buf);
	SEE(stat(path, &st));
	say("%s", describe(&st));
	write_file("f", "a new one");
	SEE(pread(fd, buf, sizeof(buf), 0));
	say_content("f");
	SEE(rename("g", "f"));
	say_content("f");
	SEE(linkat(AT_FDCWD, path, AT_FDCWD, "again", AT_SYMLINK_FOLLOW));
	SEE(linkat(fd, "", AT_FDCWD, "again", AT_EMPTY_PATH) == -1 &&
	    (errno == ENOENT || errno == EPERM));
}

static void tmpfiles(void)
{
	static const mode_t modes[] = {0, 0640, 0, 0, 0600, 04755, 0755};
	char path[64];
	struct stat st;
	int fd = (int)SEE(open(".", O_TMPFILE | O_RDWR, 0640));

	SEE(write(fd, "unnamed", 7));
	SEE(fstat(fd, &st));
	say("%s", describe(&st));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	SEE(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	say_stat("named");
	say_content("named");
	SEE(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	SEE(linkat(AT_FDCWD, path, AT_FDCWD, "second", AT_SYMLINK_FOLLOW));
	say_stat("second");
	close(fd);
	fd = (int)SEE(open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	SEE(linkat(AT_FDCWD, path, AT_FDCWD, "excl", AT_SYMLINK_FOLLOW));
	close(fd);
	SEE(open("named", O_TMPFILE | O_RDWR, 0600));
	SEE(open("missing", O_TMPFILE | O_RDWR, 0600));
	/* Each file is gone before the next is made, which gets its inode and its time. */
	for (size_t i = 0; i < COUNT(modes); i++) {
		fd = (int)MUST(open(".", O_TMPFILE | O_RDWR, modes[i]));
		MUST(fstat(fd, &st));
		say("without a name: %o", st.st_mode);
		close(fd);
		fd = (int)MUST(open("after", O_CREAT | O_RDWR, 0640));
		MUST(fstat(fd, &st));
		say("after it: %o", st.st_mode);
		MUST(unlink("after"));
		MUST(fchmod(fd, modes[i]));
		close(fd);
		MUST(mkdir("after", 0750));
		say_stat("after");
		MUST(rmdir("after"));
	}
}

/* ---- reading and writing ---- */

static void prepare_contents(void)
{
	char block[4096];
	int fd;

	write_file("f", "0123456789");
	write_file("ro", "read only");
	MUST(chmod("ro", 0444));
	fd = (int)MUST(open("holes", O_RDWR | O_CREAT, 0644));
	memset(block, 'x', sizeof(block));
	MUST(pwrite(fd, block, sizeof(block), 0));
	MUST(pwrite(fd, block, sizeof(block), 1 << 20));
	MUST(ftruncate(fd, 2 << 20));
	close(fd);
	set_time("f");
	set_time("holes");
}

static void contents(void)
{
	char buf[64] = "";
	struct stat st;
	char *map;
	int fd, other;

	fd = (int)SEE(open("f", O_RDWR | O_APPEND));
	SEE(write(fd, "ab", 2));
	SEE(lseek(fd, 0, SEEK_CUR));
	SEE(pwrite(fd, "X", 1, 0));
	close(fd);
	say_content("f");
	fd = (int)SEE(open("f", O_WRONLY));
	SEE(write(fd, "Z", 1));
	SEE(read(fd, buf, 1));
	SEE(lseek(fd, 100, SEEK_SET));
	SEE(write(fd, "!", 1));
	SEE(fstat(fd, &st));
	say("%s", describe(&st));
	SEE(ftruncate(fd, 4));
	close(fd);
	say_content("f");
	SEE(truncate("f", 6));
	say_stat("f");
	fd = (int)SEE(open("f", O_RDWR | O_TRUNC));
	SEE(fstat(fd, &st));
	say("%s", describe(&st));
	SEE(ftruncate(fd, 8192));
	map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	say("mapped %d", map != MAP_FAILED);
	strcpy(map, "through memory");
	SEE(msync(map, 8192, MS_SYNC));
	say_content("f");
	munmap(map, 8192);
	SEE(posix_fallocate(fd, 0, 16384));
	say_stat("f");
	close(fd);
	SEE(open("ro", O_RDONLY) >= 0);
	say_stat("holes");
	fd = (int)SEE(open("holes", O_RDWR));
	SEE(lseek(fd, 0, SEEK_HOLE) <= 1 << 20);
	SEE(lseek(fd, 4096, SEEK_DATA));
	SEE(pread(fd, buf, 1, 1 << 20));
	SEE(pwrite(fd, "y", 1, 1));
	SEE(fstat(fd, &st));
	say("%s, blocks %s", describe(&st), st.st_blocks < 1024 ? "few" : "many");
	other = (int)SEE(open("copy", O_RDWR | O_CREAT, 0600));
	SEE(lseek(fd, 0, SEEK_SET));
	SEE(sendfile(other, fd, NULL, 5000));
	SEE(syscall(SYS_copy_file_range, fd, NULL, other, NULL, 100, 0));
	close(fd);
	close(other);
	say_stat("copy");
	SEE(open("holes", O_RDONLY | O_DIRECT) != -2);
}

/* ---- times ---- */

static void say_times(const char *path)
{
	struct stat st;

	MUST(lstat(path, &st));
	say("%s: atime %s mtime %lld.%09ld", path,
	    st.st_atim.tv_sec > 1600000000    ? "recent"
	    : st.st_atim.tv_sec == 1000000000 ? "old"
					      : "set",
	    st.st_mtim.tv_sec > 1600000000 ? 0LL : (long long)st.st_mtim.tv_sec,
	    st.st_mtim.tv_sec > 1600000000 ? 0L : st.st_mtim.tv_nsec);
}

static void prepare_times(void)
{
	MUST(mkdir("d", 0755));
	write_file("d/f", "x");
	write_file("f", "x");
	MUST(symlink("f", "l"));
	set_time("d/f");
	set_time("f");
	set_time("l");
	set_time("d");
}

static void times(void)
{
	const struct timespec set[2] = {{1234567890, 111}, {1234567891, 999999999}};
	const struct timespec omit_now[2] = {{0, UTIME_OMIT}, {0, UTIME_NOW}};
	const struct timespec now_omit[2] = {{0, UTIME_NOW}, {0, UTIME_OMIT}};
	const struct timespec negative[2] = {{-1, 0}, {-2, 500}};
	struct timespec before, after;
	struct stat st;
	int fd;

	SEE(utimensat(AT_FDCWD, "f", set, 0));
	say_times("f");
	SEE(utimensat(AT_FDCWD, "f", omit_now, 0));
	say_times("f");
	SEE(utimensat(AT_FDCWD, "f", set, 0));
	SEE(utimensat(AT_FDCWD, "f", now_omit, 0));
	say_times("f");
	SEE(utimensat(AT_FDCWD, "l", set, AT_SYMLINK_NOFOLLOW));
	say_times("l");
	SEE(utimensat(AT_FDCWD, "d", set, 0));
	say_times("d");
	say_times("d/f");
	SEE(chmod("d/f", 0600));
	say_times("d");
	SEE(utimensat(AT_FDCWD, "d/f", negative, 0));
	say_times("d/f");
	fd = (int)MUST(open("d/f", O_RDONLY));
	SEE(futimens(fd, set));
	say_times("d/f");
	SEE(syscall(SYS_utimensat, fd, NULL, set, 0));
	SEE(syscall(SYS_utimensat, AT_FDCWD, NULL, set, 0));
	close(fd);
	clock_gettime(CLOCK_REALTIME_COARSE, &before);
	fd = (int)MUST(open("new", O_CREAT | O_RDWR, 0600));
	MUST(fstat(fd, &st));
	clock_gettime(CLOCK_REALTIME, &after);
	say("new file is of now: %d", st.st_mtim.tv_sec >= before.tv_sec &&
					      st.st_mtim.tv_sec <= after.tv_sec &&
					      st.st_ctim.tv_sec >= before.tv_sec);
	close(fd);
	say("directory is of now: %d", stat(".", &st) == 0 && st.st_mtim.tv_sec >= before.tv_sec);
	SEE(rename("d/f", "d/g"));
	say("directory after rename is of now: %d",
	    stat("d", &st) == 0 && st.st_mtim.tv_sec >= before.tv_sec);
	say_times("d/g");
}

/* ---- identity of files ---- */

static void prepare_identity(void)
{
	MUST(mkdir("d", 0755));
	write_file("f", "one");
	write_file("g", "two");
	write_file("d/in", "three");
	MUST(symlink("f", "l"));
	MUST(mkfifo("p", 0644));
}

static ino_t listed_inode(const char *dir, const char *name)
{
	struct dirent *entry;
	DIR *stream = opendir(dir);
	ino_t found = 0;

	while (stream && (entry = readdir(stream)) != NULL) {
		if (strcmp(entry->d_name, name) == 0)
			found = entry->d_ino;
	}
	if (stream)
		closedir(stream);
	return found;
}

static void identity(void)
{
	static const char *const names[] = {"f", "g", "d", "l", "p"};
	struct stat st, other;
	struct statx sx;
	ino_t before[COUNT(names)];
	int fd = (int)MUST(open("f", O_RDONLY));

	for (size_t i = 0; i < COUNT(names); i++) {
		before[i] = inode(names[i]);
		say("%s: number %s the listed one", names[i],
		    before[i] == listed_inode(".", names[i]) ? "is" : "is not");
		for (size_t k = 0; k < i; k++) {
			if (before[i] == before[k])
				say("%s and %s have one number", names[i], names[k]);
		}
	}
	say(". is %s listed in ..", inode(".") == listed_inode(".", ".") ? "as" : "not as");
	say(".. is %s listed", inode("..") == listed_inode(".", "..") ? "as" : "not as");
	MUST(chmod("f", 0600));
	MUST(truncate("g", 1));
	MUST(chmod("d", 0700));
	MUST(lchown("l", geteuid(), getegid()));
	MUST(chmod("p", 0600));
	for (size_t i = 0; i < COUNT(names); i++)
		say("%s: number %s after a change", names[i],
		    before[i] == inode(names[i]) ? "kept" : "lost");
	for (size_t i = 0; i < COUNT(names); i++)
		say("%s: number %s the listed one", names[i],
		    inode(names[i]) == listed_inode(".", names[i]) ? "is" : "is not");
	MUST(fstat(fd, &st));
	say("an open file has %s number", st.st_ino == before[0] ? "its" : "another");
	MUST(rename("f", "d/renamed"));
	say("renamed file has %s number", inode("d/renamed") == before[0] ? "its" : "another");
	MUST(rename("d", "e"));
	say("renamed directory has %s number", inode("e") == before[2] ? "its" : "another");
	MUST(link("g", "h"));
	say("link has %s number", inode("h") == inode("g") ? "its" : "another");
	MUST(stat(".", &st));
	MUST(stat("g", &other));
	say("device of file and directory: %s", st.st_dev == other.st_dev ? "one" : "two");
	MUST(syscall(SYS_statx, AT_FDCWD, "g", 0, STATX_BASIC_STATS, &sx));
	say("statx agrees: %d",
	    sx.stx_ino == other.st_ino &&
		    makedev(sx.stx_dev_major, sx.stx_dev_minor) == other.st_dev &&
		    sx.stx_nlink == other.st_nlink && sx.stx_size == (uint64_t)other.st_size &&
		    sx.stx_mode == other.st_mode && sx.stx_uid == other.st_uid);
	close(fd);
}

static void prepare_links(void)
{
	write_file("a", "linked");
	MUST(link("a", "b"));
	MUST(link("a", "c"));
}

static void links(void)
{
	int fd;

	say_stat("a");
	say("one number: %d", inode("a") == inode("b") && inode("b") == inode("c"));
	fd = (int)MUST(open("b", O_RDONLY));
	SEE(unlink("c"));
	say_stat("b");
	SEE(link("b", "d"));
	say_stat("d");
	SEE(rename("a", "d"));
	say_stat("a");
	say_stat("d");
	say_content("d");
	SEE(linkat(AT_FDCWD, "missing", AT_FDCWD, "x", 0));
	SEE(unlink("d"));
	close(fd);
}

/* ---- modes, umask, set-group directories ---- */

static void modes(void)
{
	static const mode_t masks[] = {0, 022, 027, 077, 0777};
	static const mode_t bits[] = {0, 0644, 0755, 0777, 01777, 02755, 04711, 06755, 07777};
	char name[32];
	struct stat st;
	int fd;

	for (size_t i = 0; i < COUNT(masks); i++) {
		umask(masks[i]);
		snprintf(name, sizeof(name), "f%zu", i);
		fd = (int)MUST(open(name, O_CREAT | O_WRONLY, 0666));
		MUST(fstat(fd, &st));
		say("umask %03o: file %04o", masks[i], st.st_mode & 07777);
		close(fd);
		snprintf(name, sizeof(name), "d%zu", i);
		MUST(mkdir(name, 03777));
		say_stat(name);
		snprintf(name, sizeof(name), "p%zu", i);
		MUST(mkfifo(name, 0666));
		say_stat(name);
		snprintf(name, sizeof(name), "s%zu", i);
		MUST(mknod(name, S_IFSOCK | 0777, 0));
		say_stat(name);
		snprintf(name, sizeof(name), "l%zu", i);
		MUST(symlink("x", name));
		say_stat(name);
	}
	umask(022);
	write_file("f", "x");
	MUST(mkdir("d", 0755));
	for (size_t i = 0; i < COUNT(bits); i++) {
		SEE(chmod("f", bits[i]));
		say_stat("f");
		SEE(chmod("d", bits[i] | 0700));
		say_stat("d");
	}
	MUST(chmod("d", 02775));
	MUST(mkdir("d/sub", 0755));
	say_stat("d/sub");
	fd = (int)MUST(open("d/file", O_CREAT | O_WRONLY, 06755));
	close(fd);
	say_stat("d/file");
	MUST(chmod("f", 06755));
	SEE(chown("f", geteuid(), getegid()));
	say_stat("f");
	MUST(chmod("f", 06755));
	fd = (int)MUST(open("f", O_WRONLY));
	MUST(fchmod(fd, 0640));
	close(fd);
	say_stat("f");
	SEE(chmod("f", 0100644));
	SEE(chmod("f", 0177777) == 0 ? stat("f", &st) : -1);
	say("%s", describe(&st));
}

/* ---- extended attributes ---- */

static void say_xattrs(const char *path)
{
	char list[1024];
	char value[256];
	const char *names[16];
	size_t count = 0;
	ssize_t n = llistxattr(path, list, sizeof(list));

	if (n < 0) {
		say("%s: %s", path, error_name(errno));
		return;
	}
	for (char *p = list; p < list + n && count < COUNT(names); p += strlen(p) + 1) {
		if (strncmp(p, "user.", 5) == 0) /* file systems add their own */
			names[count++] = p;
	}
	for (size_t i = 0; i < count; i++) { /* listxattr promises no order */
		for (size_t k = i + 1; k < count; k++) {
			if (strcmp(names[k], names[i]) < 0) {
				const char *swap = names[i];

				names[i] = names[k];
				names[k] = swap;
			}
		}
		n = lgetxattr(path, names[i], value, sizeof(value));
		say("%s: %s = %.*s (%zd)", path, names[i], (int)(n > 20 ? 20 : n), value, n);
	}
	say("%s: %zu attributes", path, count);
}

static void prepare_xattrs(void)
{
	write_file("f", "x");
	MUST(mkdir("d", 0755));
	MUST(symlink("f", "l"));
	MUST(setxattr("f", "user.old", "from before", 11, 0));
	MUST(setxattr("d", "user.dir", "dir", 3, 0));
}

static void xattrs(void)
{
	char value[70000];
	char list[256];
	int fd;

	say_xattrs("f");
	say_xattrs("d");
	SEE(setxattr("f", "user.new", "1", 1, XATTR_CREATE));
	SEE(setxattr("f", "user.new", "2", 1, XATTR_CREATE));
	SEE(setxattr("f", "user.new", "3", 1, XATTR_REPLACE));
	SEE(setxattr("f", "user.none", "4", 1, XATTR_REPLACE));
	SEE(setxattr("f", "user.empty", "", 0, 0));
	SEE(setxattr("d", "user.more", "dir", 3, 0));
	say_xattrs("f");
	say_xattrs("d");
	SEE(getxattr("f", "user.old", NULL, 0));
	SEE(getxattr("f", "user.old", value, 3));
	SEE(getxattr("f", "user.none", value, 3));
	SEE(listxattr("f", NULL, 0) > 0);
	SEE(listxattr("f", list, 1));
	SEE(getxattr("l", "user.old", value, sizeof(value)));
	SEE(lgetxattr("l", "user.old", value, sizeof(value)));
	SEE(lsetxattr("l", "user.x", "x", 1, 0));
	fd = (int)MUST(open("f", O_RDONLY));
	SEE(fsetxattr(fd, "user.fd", "fd", 2, 0));
	SEE(fgetxattr(fd, "user.fd", value, sizeof(value)));
	SEE(flistxattr(fd, NULL, 0) > 0);
	SEE(flistxattr(fd, list, 1));
	SEE(fremovexattr(fd, "user.fd"));
	SEE(fremovexattr(fd, "user.fd"));
	close(fd);
	fd = (int)MUST(open("f", O_PATH));
	SEE(fgetxattr(fd, "user.old", value, sizeof(value)));
	close(fd);
	SEE(removexattr("f", "user.old"));
	MUST(rename("f", "g"));
	say_xattrs("g");
	MUST(chmod("g", 0600));
	say_xattrs("g");
	memset(value, 'v', sizeof(value));
	SEE(setxattr("g", "user.large", value, 2000, 0));
	SEE(getxattr("g", "user.large", value, sizeof(value)));
}

/* File systems differ in how many attributes a file may have. */
static void many_xattrs(void)
{
	char name[32], value[32], found[32];
	int count = 0, wrong = 0;

	for (; count < 5000; count++) {
		snprintf(name, sizeof(name), "user.number-%d", count);
		if (setxattr("f", name, "the first", 9, XATTR_CREATE) == -1)
			break;
	}
	say("some: %d", count >= 20);
	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "user.number-%d", i);
		snprintf(value, sizeof(value), "new %5d", i);
		MUST(setxattr("f", name, value, 9, XATTR_REPLACE));
	}
	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "user.number-%d", i);
		snprintf(value, sizeof(value), "new %5d", i);
		wrong += getxattr("f", name, found, sizeof(found)) != 9 ||
			 memcmp(value, found, 9) != 0;
	}
	say("wrong: %d", wrong);
	MUST(setxattr("d", "user.other", "1", 1, 0));
}

/* ---- inotify ---- */

static void prepare_inotify(void)
{
	MUST(mkdir("d", 0755));
	write_file("d/old", "old");
}

static void say_events(int fd)
{
	char buf[4096] __attribute__((aligned(8)));
	struct pollfd one = {.fd = fd, .events = POLLIN};

	while (poll(&one, 1, 20) > 0) {
		ssize_t n = read(fd, buf, sizeof(buf));

		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *event = (const void *)(buf + at);

			say("event %#x %s%s", event->mask, event->len ? event->name : "-",
			    event->cookie ? " moved" : "");
			at += (ssize_t)sizeof(*event) + event->len;
		}
	}
	say("--");
}

static void prepare_arrivals(void)
{
	MUST(mkdir("d", 0755));
}

/* Includes new files that their owner may not read: the sandbox makes those in another way. */
static void arrivals(void)
{
	int fd = (int)MUST(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
	int file;

	MUST(inotify_add_watch(fd, "d",
			       IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_OPEN |
				       IN_MODIFY | IN_CLOSE_WRITE | IN_CLOSE_NOWRITE));
	file = (int)SEE(open("d/file", O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0400));
	say("flags %#x %#x", fcntl(file, F_GETFL), fcntl(file, F_GETFD));
	say_fd_link("the new file", file);
	SEE(write(file, "text", 4));
	MUST(close(file));
	say_events(fd);
	file = (int)SEE(open("d/other", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0));
	say("flags %#x %#x", fcntl(file, F_GETFL), fcntl(file, F_GETFD));
	MUST(unlink("d/other"));
	say_fd_link("the removed file", file);
	MUST(close(file));
	SEE(open("d/file", O_RDWR | O_CREAT | O_EXCL, 0400));
	SEE(mknod("d/node", S_IFREG | 0040, 0));
	SEE(mkfifo("d/fifo", 0));
	SEE(mkfifo("d/fifo", 0));
	SEE(symlink("file", "d/link"));
	say_events(fd);
	MUST(close(fd));
}

static void watches(void)
{
	int fd = (int)MUST(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
	int watch = (int)SEE(inotify_add_watch(fd, "d",
					       IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
						       IN_MODIFY | IN_CLOSE_WRITE));

	write_file("d/new", "new");
	say_events(fd);
	MUST(mkdir("d/sub", 0755));
	MUST(rename("d/new", "d/newer"));
	say_events(fd);
	MUST(unlink("d/newer"));
	MUST(unlink("d/old"));
	MUST(rmdir("d/sub"));
	say_events(fd);
	SEE(inotify_rm_watch(fd, watch));
	say_events(fd);
	SEE(inotify_add_watch(fd, "missing", IN_CREATE));
	SEE(inotify_add_watch(fd, "missing", 0));
	SEE(inotify_add_watch(fd, "d", 0));
	SEE(inotify_add_watch(0, "d", IN_CREATE));
	SEE(inotify_add_watch(999, "d", IN_CREATE));
	write_file("file", "x");
	SEE(inotify_add_watch(fd, "file", IN_CREATE | IN_ONLYDIR));
	SEE(inotify_add_watch(fd, "file", IN_MODIFY | IN_ATTRIB | IN_DELETE_SELF) > 0);
	write_file("file", "y");
	MUST(chmod("file", 0600));
	MUST(unlink("file"));
	say_events(fd);
}

/* ---- locks ---- */

static void prepare_locks(void)
{
	write_file("f", "locked");
}

static int try_locks(void)
{
	struct flock lock = {.l_type = F_WRLCK};
	int fd = open("f", O_RDWR);

	return (flock(fd, LOCK_EX | LOCK_NB) == 0 ? 1 : 0) |
	       (fcntl(fd, F_SETLK, &lock) == 0 ? 2 : 0);
}

static int child_result(int (*body)(void))
{
	pid_t pid = (pid_t)MUST(fork());

	if (pid == 0)
		_exit(body());
	return WEXITSTATUS(wait_for(pid));
}

static void locks(void)
{
	struct flock lock = {.l_type = F_WRLCK};
	int fd = (int)MUST(open("f", O_RDWR));

	say("free: %d", child_result(try_locks));
	SEE(flock(fd, LOCK_EX));
	say("flock: %d", child_result(try_locks));
	SEE(fcntl(fd, F_SETLK, &lock));
	say("both: %d", child_result(try_locks));
	SEE(flock(fd, LOCK_UN));
	say("fcntl: %d", child_result(try_locks));
	close(fd);
	say("closed: %d", child_result(try_locks));
}

/* ---- FIFOs ---- */

static void prepare_fifos(void)
{
	MUST(mkfifo("p", 0644));
}

static void *write_fifo(void *arg)
{
	int fd = open("p", O_WRONLY);

	(void)arg;
	(void)!write(fd, "through the pipe", 16);
	close(fd);
	return NULL;
}

static void fifos(void)
{
	pthread_t thread;
	char buf[32] = "";
	int fd;

	SEE(open("p", O_WRONLY | O_NONBLOCK));
	fd = (int)SEE(open("p", O_RDONLY | O_NONBLOCK));
	SEE(read(fd, buf, sizeof(buf)));
	close(fd);
	pthread_create(&thread, NULL, write_fifo, NULL);
	fd = (int)MUST(open("p", O_RDONLY));
	SEE(read(fd, buf, sizeof(buf)));
	say("%s", buf);
	SEE(read(fd, buf, sizeof(buf)));
	pthread_join(thread, NULL);
	close(fd);
	say_stat("p");
	SEE(link("p", "q"));
	SEE(unlink("p"));
	say_stat("q");
	SEE(open("q", O_RDWR | O_TRUNC) >= 0);
}

/* ---- long names and paths ---- */

static void long_paths(void)
{
	char name[256];
	char path[PATH_MAX];
	int depth = 0;
	int fd;

	memset(name, 'n', 200);
	name[200] = '\0';
	while (depth < 15 && mkdir(name, 0755) == 0 && chdir(name) == 0)
		depth++;
	say("depth %d", depth);
	say("getcwd: %s", getcwd(path, sizeof(path)) ? "0" : error_name(errno));
	SEE(mkdir("deepest", 0700));
	fd = (int)SEE(open("deepest/f", O_CREAT | O_RDWR, 0600) >= 0);
	(void)fd;
	SEE(access("deepest/f", F_OK));
	SEE(unlink("deepest/f"));
	SEE(rmdir("deepest"));
	for (; depth > 0; depth--) {
		if (chdir("..") == -1 || rmdir(name) == -1)
			break;
	}
	say("removed but for %d", depth);
}

/* Step by step, the path of the working directory grows beyond PATH_MAX. */
static void longer_paths(void)
{
	char name[256];
	char path[PATH_MAX];
	int depth = 0;

	memset(name, 'n', 200);
	name[200] = '\0';
	while (depth < 30 && mkdir(name, 0755) == 0 && chdir(name) == 0)
		depth++;
	say("depth %d", depth);
	errno = 0;
	say("getcwd: %s", getcwd(path, sizeof(path)) ? "0" : error_name(errno));
	SEE(mkdir("deepest", 0700));
	SEE(rmdir("deepest"));
}

/* ---- devices that every container has ---- */

static void devices(void)
{
	static const char *const names[] = {"/dev/null",   "/dev/zero",    "/dev/full",
					    "/dev/random", "/dev/urandom", "/dev/tty"};
	char buf[8] = "xxxxxxx";
	char target[64];
	struct stat st;
	int fd;

	for (size_t i = 0; i < COUNT(names); i++) {
		MUST(stat(names[i], &st));
		say("%s: %c %u:%u writable %d", names[i], type_letter(st.st_mode),
		    major(st.st_rdev), minor(st.st_rdev), access(names[i], W_OK) == 0);
	}
	fd = (int)SEE(open("/dev/null", O_RDWR | O_TRUNC | O_CREAT, 0600));
	SEE(read(fd, buf, 4));
	SEE(write(fd, buf, 4));
	SEE(fstat(fd, &st));
	say("%c %u:%u", type_letter(st.st_mode), major(st.st_rdev), minor(st.st_rdev));
	close(fd);
	fd = (int)SEE(open("/dev/zero", O_RDWR));
	SEE(read(fd, buf, 4));
	say("%d %d", buf[0], buf[3]);
	say("mapped %d", mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) != MAP_FAILED);
	close(fd);
	fd = (int)SEE(open("/dev/full", O_WRONLY));
	SEE(write(fd, "x", 1));
	close(fd);
	fd = (int)SEE(open("/dev/urandom", O_RDONLY));
	SEE(read(fd, buf, 8));
	close(fd);
	fd = (int)SEE(open("/dev/tty", O_RDWR));
	say_link("/dev/fd");
	say_link("/dev/stdin");
	say_link("/dev/stdout");
	say_link("/dev/stderr");
	fd = (int)MUST(open("/dev/stderr", O_PATH | O_NOFOLLOW));
	say("the link itself: %zd bytes", readlinkat(fd, "", target, sizeof(target)));
	MUST(close(fd));
	fd = (int)SEE(open("/dev/stdin", O_RDONLY));
	close(fd);
	SEE(access("/dev/shm", W_OK));
	fd = (int)SEE(open("/dev/ptmx", O_RDWR | O_NOCTTY));
	say("terminal %d", isatty(fd));
	close(fd);
}

static const struct story stories[] = {
	{"cwd", prepare_cwd, cwd},
	{"dirfds", prepare_dirfds, dirfds},
	{"unlinked", prepare_unlinked, unlinked},
	{"tmpfiles", NULL, tmpfiles},
	{"contents", prepare_contents, contents},
	{"times", prepare_times, times},
	{"identity", prepare_identity, identity},
	{"links", prepare_links, links},
	{"modes", NULL, modes},
	{"xattrs", prepare_xattrs, xattrs},
	{"many_xattrs", prepare_xattrs, many_xattrs},
	{"arrivals", prepare_arrivals, arrivals},
	{"watches", prepare_inotify, watches},
	{"locks", prepare_locks, locks},
	{"fifos", prepare_fifos, fifos},
	{"long-paths", NULL, long_paths},
	{"longer-paths", NULL, longer_paths},
	{"removed-cwd", NULL, removed_cwd},
	{"devices", NULL, devices},
};

int main(int argc, char **argv)
{
	return run_story(argc, argv, stories, COUNT(stories));
}
