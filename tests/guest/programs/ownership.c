/* SPDX-License-Identifier: MIT */
/*
 * ownership.c - owners, modes and devices as root sees and changes them, and what other users may
 * do.
 *
 *   ownership GROUP   as root, in an empty directory of mode 0755; everybody may
 *                     search the directories above it
 *   ownership list    prints the tree that the group `permissions` starts with,
 *                     for tests that make it in another way
 *
 * The answers of a kernel to real root (on ext4) were recorded once:
 *   mkdir /srv/sbx && cd /srv/sbx
 *   .../ownership GROUP > .../recorded/ownership-GROUP.txt
 */
#include "see.h"

#include <dirent.h>
#include <grp.h>
#include <sys/auxv.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#define USER 1000
#define OTHER 1001
#define TEAM 50

static void say_owner(const char *path)
{
	struct stat st;

	errno = 0;
	if (lstat(path, &st) == -1) {
		say("%s: %s", path, error_name(errno));
		return;
	}
	printf("%s: %c%04o %u:%u", path, type_letter(st.st_mode), (unsigned)st.st_mode & 07777,
	       st.st_uid, st.st_gid);
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		printf(" %u:%u", major(st.st_rdev), minor(st.st_rdev));
	printf("\n");
}

static void become(uid_t uid, gid_t gid, gid_t extra)
{
	MUST(setgroups(extra ? 1 : 0, &extra));
	MUST(setresgid(gid, gid, gid));
	MUST(setresuid(uid, uid, uid));
}

static void as(const char *who, uid_t uid, gid_t gid, gid_t extra, void (*body)(void))
{
	pid_t pid;
	int status;

	say("as %s", who);
	fflush(stdout);
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		become(uid, gid, extra);
		body();
		fflush(stdout);
		_exit(0);
	}
	status = wait_for(pid);
	if (status != 0)
		say_status("  ended with", status);
}

/* ---- chown, chmod, mknod read back ---- */

static void chowns(void)
{
	static const struct {
		uid_t uid;
		gid_t gid;
	} owners[] = {{0, 0},         {USER, TEAM},   {(uid_t)-1, 7},
		      {8, (gid_t)-1}, {65534, 65534}, {4000000000u, 4294967294u}};
	static const char *const names[] = {"f", "d", "l", "p", "s", "c"};
	int fd;

	write_file("f", "x");
	MUST(mkdir("d", 0755));
	MUST(symlink("f", "l"));
	MUST(mkfifo("p", 0644));
	MUST(mknod("s", S_IFSOCK | 0644, 0));
	MUST(mknod("c", S_IFCHR | 0644, makedev(1, 3)));
	for (size_t i = 0; i < COUNT(owners); i++) {
		for (size_t n = 0; n < COUNT(names); n++) {
			MUST(lchown(names[n], owners[i].uid, owners[i].gid));
			say_owner(names[n]);
		}
	}
	SEE(chown("l", 1, 2));
	say_owner("f");
	say_owner("l");
	fd = (int)MUST(open("f", O_RDONLY));
	SEE(fchown(fd, 3, 4));
	say_owner("f");
	SEE(fchownat(fd, "", 5, 6, AT_EMPTY_PATH));
	say_owner("f");
	close(fd);
	fd = (int)MUST(open("d", O_PATH));
	SEE(fchown(fd, 3, 4));
	SEE(fchownat(fd, "", 5, 6, AT_EMPTY_PATH));
	say_owner("d");
	close(fd);
	SEE(rename("f", "d/g"));
	say_owner("d/g");
	SEE(link("d/g", "h"));
	say_owner("h");
	SEE(chown("h", 9, 9));
	say_owner("d/g");
	MUST(unlink("d/g"));
	say_owner("h");
	write_file("new", "x");
	say_owner("new");
}

static void bits(void)
{
	static const mode_t modes[] = {04755, 02755, 06755, 02644, 01777, 07777, 0, 06777};

	write_file("f", "x");
	MUST(mkdir("d", 0755));
	for (size_t i = 0; i < COUNT(modes); i++) {
		MUST(chmod("f", modes[i]));
		MUST(chmod("d", modes[i]));
		say_owner("f");
		say_owner("d");
		MUST(chown("f", USER, USER));
		MUST(chown("d", USER, USER));
		say_owner("f");
		say_owner("d");
		MUST(chmod("f", modes[i]));
		MUST(chown("f", (uid_t)-1, (gid_t)-1));
		say_owner("f");
	}
}

static void nodes(void)
{
	static const struct {
		const char *name;
		mode_t mode;
		unsigned major, minor;
	} list[] = {
		{"null", S_IFCHR | 0666, 1, 3},         {"disk", S_IFBLK | 0660, 8, 1},
		{"big", S_IFCHR | 0600, 4095, 1048575}, {"zero", S_IFCHR | 04755, 1, 5},
		{"fifo", S_IFIFO | 0640, 0, 0},         {"socket", S_IFSOCK | 0755, 0, 0},
		{"file", S_IFREG | 06755, 0, 0},        {"plain", 0600, 0, 0},
		{"none", S_IFCHR | 0600, 0, 0},
	};
	char buf[4] = "xxx";
	int fd;

	for (size_t i = 0; i < COUNT(list); i++) {
		SEE(mknod(list[i].name, list[i].mode, makedev(list[i].major, list[i].minor)));
		say_owner(list[i].name);
		MUST(chown(list[i].name, 5, 6));
		say_owner(list[i].name);
		MUST(chmod(list[i].name, 0604));
		say_owner(list[i].name);
	}
	SEE(mknod("null", S_IFCHR | 0666, makedev(1, 3)));
	fd = (int)SEE(open("null", O_RDWR));
	SEE(read(fd, buf, 3));
	SEE(write(fd, buf, 3));
	close(fd);
	fd = (int)SEE(open("zero", O_RDONLY));
	SEE(read(fd, buf, 3));
	say("%d", buf[0]);
	close(fd);
	SEE(rename("big", "renamed"));
	say_owner("renamed");
	SEE(link("disk", "linked"));
	say_owner("linked");
	SEE(unlink("disk"));
	say_owner("linked");
}

/* ---- inheriting ---- */

static void make_inside(void)
{
	static int number;
	char name[32];

	for (int d = 0; d < 3; d++) {
		snprintf(name, sizeof(name), "d%d/f%d", d, number);
		close(open(name, O_CREAT | O_WRONLY, 02775));
		say_owner(name);
		snprintf(name, sizeof(name), "d%d/d%d", d, number);
		mkdir(name, 0777);
		say_owner(name);
		snprintf(name, sizeof(name), "d%d/p%d", d, number);
		mknod(name, S_IFIFO | 02777, 0);
		say_owner(name);
		snprintf(name, sizeof(name), "d%d/l%d", d, number);
		symlink("x", name);
		say_owner(name);
	}
	number++;
}

static void make_inside_user(void)
{
	static const char *const names[] = {"d0/u", "d1/u", "d2/u"};

	for (size_t i = 0; i < COUNT(names); i++) {
		close(open(names[i], O_CREAT | O_WRONLY, 02775));
		say_owner(names[i]);
		chmod(names[i], 02775);
		say_owner(names[i]);
		chmod(names[i], 06755);
		say_owner(names[i]);
	}
	SEE(mkdir("d2/ud", 0777));
	say_owner("d2/ud");
	SEE(chmod("d2/ud", 02777));
	say_owner("d2/ud");
}

static void inheriting(void)
{
	umask(0);
	MUST(mkdir("d0", 0777));
	MUST(mkdir("d1", 0777));
	MUST(chown("d1", OTHER, TEAM));
	MUST(mkdir("d2", 0777));
	MUST(chown("d2", OTHER, TEAM));
	MUST(chmod("d2", 02777));
	make_inside();
	as("a user", USER, USER, 0, make_inside_user);
	MUST(unlink("d0/u") + unlink("d1/u") + unlink("d2/u") + rmdir("d2/ud"));
	as("a user of the team", USER, USER, TEAM, make_inside_user);
}

/* ---- permissions: a tree of owners and modes ---- */

static const mode_t modes[] = {0,    0400, 0200, 0100, 0040, 0020, 0010,
			       0004, 0002, 0001, 0644, 0755, 0700, 0660};
static const uid_t uids[] = {0, USER, OTHER};
static const gid_t gids[] = {0, USER, TEAM};

static void name_of(char *name, size_t size, const char *what, uid_t uid, gid_t gid, mode_t mode)
{
	snprintf(name, size, "%s-%u-%u-%04o", what, uid, gid, mode);
}

static void each(void (*body)(const char *what, const char *name, uid_t uid, gid_t gid,
			      mode_t mode))
{
	char name[64];

	for (size_t u = 0; u < COUNT(uids); u++) {
		for (size_t g = 0; g < COUNT(gids); g++) {
			for (size_t m = 0; m < COUNT(modes); m++) {
				name_of(name, sizeof(name), "f", uids[u], gids[g], modes[m]);
				body("f", name, uids[u], gids[g], modes[m]);
				name_of(name, sizeof(name), "d", uids[u], gids[g], modes[m]);
				body("d", name, uids[u], gids[g], modes[m]);
			}
		}
	}
}

static void make_one(const char *what, const char *name, uid_t uid, gid_t gid, mode_t mode)
{
	if (*what == 'f') {
		write_file(name, "content");
	} else {
		char inner[80];

		MUST(mkdir(name, 0755));
		snprintf(inner, sizeof(inner), "%s/in", name);
		write_file(inner, "inner");
	}
	MUST(chown(name, uid, gid));
	MUST(chmod(name, mode));
}

static void list_one(const char *what, const char *name, uid_t uid, gid_t gid, mode_t mode)
{
	say("%s %u %u %04o %s", what, uid, gid, mode, name);
	if (*what == 'd')
		say("f 0 0 0644 %s/in", name);
}

static void list(void)
{
	each(list_one);
}

/* Return the letter for what is allowed. Every check leaves the tree as it was. */
static char allowed(long result, char letter)
{
	if (result >= 0)
		return letter;
	return errno == EACCES ? '-' : errno == EPERM ? '!' : '?';
}

static char opens(const char *name, int flags, char letter)
{
	int fd = open(name, flags);
	char result = allowed(fd, letter);

	if (fd >= 0)
		close(fd);
	return result;
}

static void try_one(const char *what, const char *name, uid_t uid, gid_t gid, mode_t mode)
{
	const struct timespec set[2] = {{1, 0}, {1, 0}};
	const struct timespec touch[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
	char path[80];
	char result[32];
	size_t n = 0;

	(void)uid;
	(void)gid;
	result[n++] = opens(name, O_RDONLY, 'r');
	result[n++] = allowed(access(name, R_OK), 'R');
	result[n++] = allowed(access(name, W_OK), 'W');
	result[n++] = allowed(access(name, X_OK), 'X');
	result[n++] = allowed(faccessat(AT_FDCWD, name, R_OK | W_OK, AT_EACCESS), 'E');
	result[n++] = allowed(utimensat(AT_FDCWD, name, touch, 0), 'n');
	result[n++] = allowed(utimensat(AT_FDCWD, name, set, 0), 't');
	result[n++] = allowed(chmod(name, mode), 'm');
	result[n++] = allowed(chown(name, (uid_t)-1, (gid_t)-1), 'o');
	if (*what == 'f') {
		result[n++] = opens(name, O_WRONLY, 'w');
		result[n++] = opens(name, O_RDWR, 'b');
		result[n++] = opens(name, O_WRONLY | O_APPEND, 'a');
		result[n++] = allowed(truncate(name, 7), 'c');
		result[n++] = allowed(setxattr(name, "user.x", "x", 1, 0), 'x');
		result[n++] = allowed(
			getxattr(name, "user.x", path, sizeof(path)) >= 0 || errno == ENODATA ? 0
											      : -1,
			'g');
		errno = 0;
		execl(name, name, (char *)NULL);
		result[n++] = errno == ENOEXEC ? 'e' : allowed(-1, ' ');
	} else {
		snprintf(path, sizeof(path), "%s/in", name);
		result[n++] = allowed(access(path, F_OK), 's');
		result[n++] = opens(path, O_RDONLY, 'i');
		snprintf(path, sizeof(path), "%s/new", name);
		result[n++] = allowed(mkdir(path, 0700), 'd');
		result[n++] = allowed(rmdir(path) == 0 || errno == ENOENT ? 0 : -1, 'u');
		result[n++] = allowed(symlink("x", path), 'l');
		unlink(path);
		result[n++] = opens(path, O_CREAT | O_WRONLY, 'C');
		unlink(path);
		result[n++] = allowed(chdir(name), 'h');
		if (result[n - 1] == 'h')
			MUST(chdir(".."));
	}
	result[n] = '\0';
	say("%s %s", name, result);
}

static void try_all(void)
{
	each(try_one);
}

static void permissions_observe(void)
{
	as("root", 0, 0, 0, try_all);
	as("a user", USER, USER, 0, try_all);
	as("a user of the team", USER, USER, TEAM, try_all);
	as("a user without a file", 7, 7, 0, try_all);
}

static void permissions(void)
{
	each(make_one);
	permissions_observe();
}

/* ---- directories that everybody may write to ---- */

static const char *const sticky_files[] = {"t/root", "t/user", "t/other"};

static void use_sticky(void)
{
	for (size_t i = 0; i < COUNT(sticky_files); i++) {
		char to[64];

		snprintf(to, sizeof(to), "%s-moved", sticky_files[i]);
		printf("%s: ", sticky_files[i]);
		printf("rename %s, ", rename(sticky_files[i], to) == 0 ? "yes" : error_name(errno));
		rename(to, sticky_files[i]);
		printf("over %s, ",
		       rename("t/mine", sticky_files[i]) == 0 ? "yes" : error_name(errno));
		printf("unlink %s\n", unlink(sticky_files[i]) == 0 ? "yes" : error_name(errno));
	}
	SEE(rmdir("t/dir"));
	SEE(rename("t/dir", "t/dir-moved"));
	SEE(mkdir("t/own", 0700));
	SEE(rmdir("t/own"));
}

static void fill_sticky(uid_t mine)
{
	MUST(mkdir("t", 0777));
	for (size_t i = 0; i < COUNT(sticky_files); i++) {
		write_file(sticky_files[i], "x");
		MUST(chown(sticky_files[i], uids[i], 0));
	}
	write_file("t/mine", "x");
	MUST(chown("t/mine", mine, 0));
	MUST(mkdir("t/dir", 0777));
	MUST(chown("t", OTHER, 0));
	MUST(chmod("t", 01777));
}

static void empty_sticky(void)
{
	DIR *stream = opendir("t");
	struct dirent *entry;

	while (stream && (entry = readdir(stream)) != NULL)
		unlinkat(dirfd(stream), entry->d_name,
			 strncmp(entry->d_name, "dir", 3) == 0 ? AT_REMOVEDIR : 0);
	closedir(stream);
	MUST(rmdir("t"));
}

static void sticky(void)
{
	umask(0);
	fill_sticky(USER);
	as("a user", USER, USER, 0, use_sticky);
	empty_sticky();
	fill_sticky(OTHER);
	as("the owner of the directory", OTHER, OTHER, 0, use_sticky);
	empty_sticky();
	fill_sticky(0);
	as("root", 0, 0, 0, use_sticky);
	empty_sticky();
}

/* Moving a directory needs write permission on it; removing a name needs none on the file. */
static void move_things(void)
{
	SEE(rename("open/locked", "open/renamed"));
	SEE(rename("open/locked", "open2/moved"));
	SEE(rename("open/own", "open2/own"));
	SEE(unlink("open/file-of-root"));
	SEE(unlink("locked/file"));
	SEE(rename("locked/file", "open/x"));
	SEE(rename("open2/own", "locked/x"));
	SEE(link("locked/file", "open/linked"));
	SEE(chown("own", USER, TEAM));
	SEE(chown("own", OTHER, USER));
	SEE(chown("own", USER, USER));
	SEE(chmod("locked", 0777));
	SEE(mknod("open/device", S_IFCHR | 0600, makedev(1, 3)));
	SEE(mknod("open/fifo", S_IFIFO | 0600, 0));
	SEE(setxattr("own", "trusted.x", "x", 1, 0));
	SEE(setgroups(0, NULL));
	SEE(setuid(0));
	SEE(chroot("open"));
	SEE(access("/root", X_OK) == 0 ? 0 : -1);
}

static void moving(void)
{
	umask(0);
	MUST(mkdir("open", 0777));
	MUST(mkdir("open2", 0777));
	MUST(mkdir("open/locked", 0755));
	MUST(mkdir("open/own", 0755));
	MUST(chown("open/own", USER, USER));
	write_file("open/file-of-root", "x");
	MUST(mkdir("locked", 0755));
	write_file("locked/file", "x");
	MUST(chmod("locked/file", 0666));
	write_file("own", "x");
	MUST(chown("own", USER, USER));
	as("a user", USER, USER, 0, move_things);
	as("a user of the team", USER, USER, TEAM, move_things);
}

/* ---- set-user-ID programs ---- */

static void show_ids(void)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;

	MUST(getresuid(&r, &e, &s));
	MUST(getresgid(&rg, &eg, &sg));
	say("uid %u %u %u gid %u %u %u secure %lu fs %d %d", r, e, s, rg, eg, sg,
	    getauxval(AT_SECURE), setfsuid((uid_t)-1), setfsgid((gid_t)-1));
}

static const char *program;

static void run_program(void)
{
	execl(program, program, "show-ids", (char *)NULL);
	say("%s", error_name(errno));
}

static void set_ids(void)
{
	static const struct {
		uid_t uid;
		gid_t gid;
		mode_t mode;
	} list[] = {{0, 0, 0755},        {0, 0, 04755},     {0, 0, 04700},
		    {0, TEAM, 02755},    {0, TEAM, 02745},  {OTHER, TEAM, 06755},
		    {USER, USER, 06755}, {OTHER, 0, 04711}, {0, 0, 06770}};
	char name[32];

	for (size_t i = 0; i < COUNT(list); i++) {
		snprintf(name, sizeof(name), "program-%zu", i);
		copy_self(name);
		MUST(chown(name, list[i].uid, list[i].gid));
		MUST(chmod(name, list[i].mode));
		say_owner(name);
		program = name;
		as("root", 0, 0, 0, run_program);
		as("a user", USER, USER, 0, run_program);
	}
	write_file("script", "#!./program-0 show-ids\n");
	MUST(chmod("script", 06755));
	program = "./script";
	as("a user, by a script", USER, USER, 0, run_program);
}

/* access() checks the real user; open() checks the effective one. */
static void effective(void)
{
	write_file("secret", "x");
	MUST(chmod("secret", 0600));
	write_file("theirs", "x");
	MUST(chown("theirs", USER, USER));
	MUST(chmod("theirs", 0600));
	MUST(seteuid(USER));
	say("effective user %d", geteuid());
	SEE(access("secret", R_OK));
	SEE(faccessat(AT_FDCWD, "secret", R_OK, AT_EACCESS));
	say("open: %c", opens("secret", O_RDONLY, 'r'));
	say("open theirs: %c", opens("theirs", O_RDONLY, 'r'));
	SEE(mkdir("by-user", 0755));
	MUST(seteuid(0));
	SEE(mkdir("by-root", 0755));
	MUST(setfsuid(USER));
	SEE(setfsuid((uid_t)-1));
	say("as fsuid: %c", opens("secret", O_RDONLY, 'r'));
	close(open("by-fsuid", O_CREAT | O_WRONLY, 0600));
	MUST(setfsuid(0));
	say_owner("by-user");
	say_owner("by-root");
	say_owner("by-fsuid");
	MUST(setresuid(USER, 0, 0));
	SEE(access("secret", R_OK));
	say("open: %c", opens("secret", O_RDONLY, 'r'));
}

/* ---- another root directory ---- */

static void say_raw_cwd(const char *when)
{
	char cwd[4096] = "";
	long n = syscall(SYS_getcwd, cwd, sizeof(cwd));

	say("%s: cwd %s", when, n > 0 ? cwd : error_name(errno));
}

static void run_in_root(void)
{
	execl("/program", "program", "show-ids", (char *)NULL);
	say("%s", error_name(errno));
}

static void chroots(void)
{
	char buf[64];
	int out;

	MUST(mkdir("box", 0755));
	MUST(mkdir("box/etc", 0755));
	MUST(mkdir("box/sub", 0755));
	write_file("box/etc/f", "inside");
	write_file("outside", "outside");
	MUST(symlink("/etc/f", "box/absolute"));
	MUST(symlink("../../../etc/f", "box/up"));
	copy_self("box/program");
	out = (int)MUST(open(".", O_RDONLY | O_DIRECTORY));
	SEE(chroot("box/etc/f"));
	SEE(chroot("missing"));
	SEE(chroot("box"));
	say_raw_cwd("cwd stays");
	say_content("outside");
	say_content("/etc/f");
	SEE(chdir("/"));
	say_raw_cwd("root");
	say_content("absolute");
	say_content("up");
	say_content("/../../../etc/f");
	say_content("/etc/../../etc/f");
	SEE(access("/outside", F_OK));
	SEE(readlink("/proc/self/exe", buf, sizeof(buf)));
	as("root", 0, 0, 0, run_in_root);
	SEE(faccessat(out, "outside", F_OK, 0));
	SEE(faccessat(out, "../../etc/passwd", F_OK, 0));
	SEE(fchdir(out));
	say_raw_cwd("outside again");
	SEE(chdir("box/sub"));
	say_raw_cwd("inside by another way");
	SEE(chdir(".."));
	SEE(chdir(".."));
	say_raw_cwd("at the root");
	SEE(chroot("sub"));
	say_raw_cwd("above a deeper root");
	SEE(chdir(".."));
	SEE(chdir(".."));
	say_raw_cwd("the classic way out");
	SEE(chdir("/"));
	SEE(access("f", F_OK));
}

static void attributes(void)
{
	char value[64];

	write_file("f", "x");
	MUST(symlink("f", "l"));
	SEE(setxattr("f", "trusted.a", "t", 1, 0));
	SEE(getxattr("f", "trusted.a", value, sizeof(value)));
	SEE(lsetxattr("l", "trusted.l", "link", 4, 0));
	SEE(lgetxattr("l", "trusted.l", value, sizeof(value)));
	SEE(listxattr("f", value, sizeof(value)));
	SEE(removexattr("f", "trusted.a"));
	SEE(getxattr("f", "trusted.a", value, sizeof(value)));
}

/* Make more changes than a container's records of owners, modes and attributes can hold. */
static void often(void)
{
	char value[3000] = "value";
	long refused = 0;
	int fd;

	write_file("f", "x");
	fd = open("f", O_RDWR);
	MUST(fd);
	for (int i = 0; i < 1100000; i++)
		refused += fchmod(fd, i % 2 ? 0400 : 0) != 0;
	say("refused %ld", refused);
	SEE(chown("f", USER, TEAM));
	say_owner("f");
	for (int i = 0; i < 100000; i++) {
		value[10] = (char)i;
		refused += fsetxattr(fd, "user.often", value, sizeof(value), 0) != 0;
	}
	say("refused %ld", refused);
	refused = fgetxattr(fd, "user.often", value, sizeof(value));
	say("%ld bytes, %d", refused, value[10]);
}

/* ---- descriptors that root opened before ---- */

static void say_names(const char *what, int dir)
{
	char name[256] = "";
	long found = 0;
	DIR *list;
	struct dirent *entry;

	errno = 0;
	list = fdopendir(dup(dir));
	if (list != NULL)
		rewinddir(list);
	while (list != NULL && (entry = readdir(list)) != NULL) {
		found++;
		if (entry->d_name[0] != '.')
			snprintf(name, sizeof(name), "%s", entry->d_name);
	}
	say("%s: %ld names, %s, %s", what, found, name, error_name(errno));
	if (list != NULL)
		closedir(list);
}

static int opened_dir;
static int opened_file;

static void use_opened(void)
{
	struct stat st;
	char c;
	int here = (int)MUST(open(".", O_PATH));
	int dir;
	int file;

	say_names("of root", opened_dir);
	SEE(openat(opened_dir, "f", O_RDONLY));
	SEE(fstatat(opened_dir, "f", &st, 0));
	SEE(fchdir(opened_dir));
	SEE(fchmod(opened_dir, 0755));
	SEE(fstat(opened_file, &st));
	SEE(read(opened_file, &c, 1));
	SEE(fchmod(opened_file, 0600));
	SEE(futimens(opened_file, NULL));
	MUST(mkdir("own", 0700));
	dir = (int)MUST(open("own", O_RDONLY | O_DIRECTORY));
	file = (int)MUST(openat(dir, "f", O_RDWR | O_CREAT, 0600));
	for (mode_t mode = 0700; mode != 07; mode = mode == 0 ? 07 : (mode - 0100) & 0700) {
		MUST(fchmod(dir, mode));
		say("mode %o", (unsigned)mode);
		say_names("by the descriptor", dir);
		say_names("opened", open("own", O_RDONLY | O_DIRECTORY));
		SEE(chdir("own"));
		SEE(fchmod(file, 0640));
		SEE(futimens(file, NULL));
		SEE(fchown(file, USER, USER));
		SEE(fsetxattr(file, "user.x", "y", 1, 0));
		SEE(ftruncate(file, 3));
		MUST(fchdir(here));
	}
}

static void opened(void)
{
	MUST(chmod(".", 0777));
	MUST(mkdir("roots", 0700));
	MUST(close((int)MUST(open("roots/f", O_WRONLY | O_CREAT, 0600))));
	opened_dir = (int)MUST(open("roots", O_RDONLY | O_DIRECTORY));
	opened_file = (int)MUST(open("roots/f", O_RDWR));
	as("a user", USER, USER, 0, use_opened);
}

/* ---- who sent a signal ---- */

static siginfo_t handled;

static void keep_sender(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	handled = *info;
}

static void senders(void)
{
	struct sigaction action = {.sa_sigaction = keep_sender, .sa_flags = SA_SIGINFO};
	const pid_t self = getpid();
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	MUST(sigaction(SIGUSR2, &action, NULL));
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	for (uid_t uid = USER; uid <= OTHER; uid++) {
		pid_t child = (pid_t)MUST(fork());

		if (child == 0) { /* the kernel reports the real user */
			MUST(setresuid(uid, 0, 0));
			kill(self, SIGUSR2);
			kill(self, SIGUSR1);
			_exit(0);
		}
		while (sigwaitinfo(&set, &info) == -1)
			; /* SIGUSR2 came */
		say("waited for: %u", info.si_uid);
		MUST(waitid(P_PID, (id_t)child, &info, WEXITED));
		say("waitid: %u", info.si_uid);
		say("handled: %u", handled.si_uid);
	}
}

static const struct part groups[] = {
	{"chowns", chowns},
	{"bits", bits},
	{"nodes", nodes},
	{"inheriting", inheriting},
	{"permissions", permissions},
	{"permissions-observe", permissions_observe},
	{"sticky", sticky},
	{"moving", moving},
	{"set-ids", set_ids},
	{"show-ids", show_ids},
	{"effective", effective},
	{"attributes", attributes},
	{"often", often},
	{"chroots", chroots},
	{"opened", opened},
	{"senders", senders},
	{"list", list},
};

int main(int argc, char **argv)
{
	if (argc > 2) /* as a script's interpreter: `./program-0 show-ids ./script show-ids` */
		argc = 2;
	return run_group(argc, argv, groups, COUNT(groups));
}
