/* SPDX-License-Identifier: MIT */
/*
 * acl.c - POSIX access control lists: what they allow, and what new files inherit.
 *
 *   acl GROUP   as root, in an empty directory of mode 0755; everybody may search the directories
 *               above it
 *
 * The answers of a kernel to real root (on ext4) were recorded once:
 *   mkdir /srv/sbx && cd /srv/sbx
 *   .../acl GROUP > .../recorded/acl-GROUP.txt
 */
#include "see.h"

#include <grp.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/xattr.h>

#define ACCESS "system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"
#define USER 1000
#define OTHER 1001
#define TEAM 50
#define CREW 60

/* As in linux/posix_acl_xattr.h. */
struct entry {
	uint16_t tag;
	uint16_t perm;
	uint32_t id;
};

struct list {
	uint32_t version;
	struct entry entries[8];
};

enum { OWNER = 1, A_USER = 2, GROUP = 4, A_GROUP = 8, MASK = 16, OTHERS = 32 };

static int set_list(const char *path, const char *name, const struct entry *entries, int count)
{
	struct list list = {.version = 2};

	memcpy(list.entries, entries, (size_t)count * sizeof(*entries));
	return setxattr(path, name, &list, 4 + (size_t)count * sizeof(*entries), 0);
}

#define SET(path, name, ...)                                    \
	do {                                                    \
		const struct entry list_[] = {__VA_ARGS__};     \
		SEE(set_list(path, name, list_, COUNT(list_))); \
	} while (0)

static void say_list(const char *path, const char *name)
{
	struct list list;
	ssize_t len = getxattr(path, name, &list, sizeof(list));

	if (len == -1) {
		say("  %s", error_name(errno));
		return;
	}
	for (ssize_t i = 0; i < (len - 4) / 8; i++)
		say("  %d:%o:%d", list.entries[i].tag, list.entries[i].perm,
		    (int)list.entries[i].id);
}

static void say_all(const char *path)
{
	struct stat st;

	MUST(stat(path, &st));
	say("%s: %04o", path, (unsigned)st.st_mode & 07777);
	say_list(path, ACCESS);
	if (S_ISDIR(st.st_mode))
		say_list(path, DEFAULT);
}

/* ---- what new files inherit --------------------------------------------- */

static void make_everything(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "d/socket"};
	char path[64];
	int fd;

	umask(027);
	fd = open("d/file", O_CREAT | O_WRONLY, 0666);
	MUST(fd);
	MUST(close(fd));
	fd = open("d", O_TMPFILE | O_WRONLY, 0666);
	MUST(fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	MUST(linkat(AT_FDCWD, path, AT_FDCWD, "d/nameless", AT_SYMLINK_FOLLOW));
	MUST(close(fd));
	fd = open("d/private", O_CREAT | O_WRONLY | O_EXCL, 0600);
	MUST(fd);
	MUST(close(fd));
	MUST(mkdir("d/dir", 0777));
	MUST(mkdir("d/dir/below", 0770));
	MUST(mknod("d/dir/node", S_IFREG | 0666, 0));
	MUST(mkfifo("d/fifo", 0666));
	MUST(symlink("file", "d/link"));
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	MUST(fd);
	MUST(bind(fd, (void *)&name, sizeof(name)));
	MUST(link("outside", "d/linked"));
	MUST(rename("moved", "d/moved"));
}

static void say_everything(void)
{
	static const char *const names[] = {"d",        "d/file",      "d/nameless", "d/private",
					    "d/dir",    "d/dir/below", "d/dir/node", "d/fifo",
					    "d/socket", "d/linked",    "d/moved"};

	for (size_t i = 0; i < COUNT(names); i++)
		say_all(names[i]);
}

static void inherited(void)
{
	MUST(mkdir("d", 0755));
	write_file("outside", "x");
	write_file("moved", "x");
	SET("d", DEFAULT, {OWNER, 7, -1}, {A_USER, 6, USER}, {GROUP, 5, -1}, {MASK, 7, -1},
	    {OTHERS, 1, -1});
	make_everything();
	say_everything();
	MUST(unlink("d/file"));
	SET("d", DEFAULT, {OWNER, 7, -1}, {GROUP, 7, -1}, {OTHERS, 0, -1});
	write_file("d/file", "only bits");
	say_all("d/file");
	SEE(removexattr("d", DEFAULT));
	write_file("d/plain", "umask again");
	say_all("d/plain");
}

static void again(void)
{
	write_file("d/later", "x");
	say_all("d/later");
	say_all("d/dir");
}

/* ---- what the lists allow ------------------------------------------------- */

static void observe(void)
{
	static const int wants[] = {R_OK, W_OK, X_OK, R_OK | W_OK};

	for (size_t i = 0; i < COUNT(wants); i++)
		say("  %d: %d", wants[i], access("f", wants[i]));
	say("  read %d", open("f", O_RDONLY) != -1);
	say("  write %d", open("f", O_WRONLY) != -1);
	say("  both %d", open("f", O_RDWR) != -1);
	say("  truncate %d", truncate("f", 1));
	say("  touch %d", utimensat(AT_FDCWD, "f", NULL, 0));
	say("  inside %d", access("e/h", F_OK));
	say("  make %d", mknod("e/n", S_IFREG | 0600, 0));
	say("  remove %d", unlink("e/n"));
}

static void as(const char *who, uid_t uid, gid_t gid, gid_t extra)
{
	pid_t pid;

	say("%s", who);
	fflush(stdout);
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		MUST(setgroups(extra ? 1 : 0, &extra));
		MUST(setresgid(gid, gid, gid));
		MUST(setresuid(uid, uid, uid));
		observe();
		exit(0);
	}
	MUST(waitpid(pid, NULL, 0));
}

static void judged(void)
{
	as("root", 0, 0, 0);
	as("the owner", OTHER, OTHER, 0);
	as("a user of the list", USER, USER, 0);
	as("the file's group", 7, TEAM, 0);
	as("a group of the list", 7, CREW, 0);
	as("both groups", 7, TEAM, CREW);
	as("the others", 7, 7, 0);
}

static void allowed(void)
{
	write_file("f", "text");
	MUST(mkdir("e", 0700));
	write_file("e/h", "x");
	MUST(chown("f", OTHER, TEAM));
	MUST(chmod("f", 0640));
	SET("f", ACCESS, {OWNER, 4, -1}, {A_USER, 6, USER}, {GROUP, 4, -1}, {A_GROUP, 2, CREW},
	    {MASK, 7, -1}, {OTHERS, 1, -1});
	SET("e", ACCESS, {OWNER, 7, -1}, {A_USER, 7, USER}, {GROUP, 0, -1}, {A_GROUP, 1, CREW},
	    {MASK, 7, -1}, {OTHERS, 0, -1});
	judged();
}

/* ---- access control lists and modes --------------------------------------- */

static void masks(void)
{
	write_file("f", "text");
	MUST(mkdir("e", 0777));
	MUST(chown("f", OTHER, TEAM));
	SET("f", ACCESS, {OWNER, 6, -1}, {A_USER, 6, USER}, {GROUP, 6, -1}, {MASK, 6, -1},
	    {OTHERS, 0, -1});
	say_all("f");
	MUST(chmod("f", 0641));
	say_all("f");
	as("behind the mask", USER, USER, 0);
	MUST(chmod("f", 0601));
	say_all("f");
	as("with an empty mask", USER, USER, 0);
	SEE(removexattr("f", ACCESS));
	say_all("f");
	SET("f", ACCESS, {OWNER, 6, -1}, {GROUP, 4, -1}, {OTHERS, 4, -1});
	say_all("f");
	SET("f", DEFAULT, {OWNER, 6, -1}, {GROUP, 4, -1}, {OTHERS, 4, -1});
	SEE(setxattr("f", ACCESS, "\2\0\0", 4, 0));
	SEE(setxattr("e", DEFAULT, "\2\0\0", 4, 0));
	SEE(setxattr("e", DEFAULT, NULL, 0, 0));
	write_file("e/plain", "x");
	say_all("e");
	say_all("e/plain");
	say_all("f");
	SEE(setxattr("f", ACCESS, "short", 5, 0));
	SEE(setxattr("f", "system.posix_acl_other", "short", 5, 0));
	SEE(setxattr("f", "user.", "x", 1, 0));
	SEE(getxattr("f", "user.", NULL, 0));
	SEE(setxattr("f", "security.", "x", 1, 0));
	SEE(setxattr("f", "other.name", "x", 1, 0));
}

static const struct part groups[] = {
	{"inherited", inherited}, {"again", again}, {"allowed", allowed},
	{"judged", judged},       {"masks", masks},
};

int main(int argc, char **argv)
{
	return run_group(argc, argv, groups, COUNT(groups));
}
