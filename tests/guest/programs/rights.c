/* SPDX-License-Identifier: MIT */
/*
 * rights.c - what changes of ids and set-user-ID programs bring with them.
 *
 *   rights GROUP   as root, in an empty directory of mode 0755; everybody may search the
 *                  directories above it
 *
 * The answers of a kernel to real root were recorded once, as those of ownership.c:
 *   mkdir /srv/sbx && cd /srv/sbx
 *   .../rights GROUP > .../recorded/rights-GROUP.txt
 */
#include "see.h"

#include <grp.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#define USER 1000
#define OTHER 1001
#define TEAM 50

static void become(uid_t uid, gid_t gid)
{
	MUST(setgroups(0, NULL));
	MUST(setresgid(gid, gid, gid));
	MUST(setresuid(uid, uid, uid));
}

static void in_child(const char *what, void (*body)(void))
{
	pid_t pid;

	say("%s", what);
	fflush(stdout);
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		body();
		fflush(stdout);
		_exit(0);
	}
	say_status(what, wait_for(pid));
}

static void show(void)
{
	say("users %d %d, groups %d %d, dumpable %d", getuid(), geteuid(), getgid(), getegid(),
	    prctl(PR_GET_DUMPABLE));
}

/* ---- dumpable ---- */

static const char *program;

static void run(void)
{
	execl(program, program, "show", NULL);
	say("%s: %s", program, error_name(errno));
}

static void run_as_user(void)
{
	become(USER, USER);
	prctl(PR_SET_DUMPABLE, 1);
	run();
}

static void run_after_seteuid(void)
{
	MUST(seteuid(USER));
	prctl(PR_SET_DUMPABLE, 1);
	run();
}

static void change_ids(void)
{
	show();
	SEE(setresuid(-1, -1, USER));
	show();
	SEE(setfsuid(USER));
	show();
	SEE(prctl(PR_SET_DUMPABLE, 1));
	SEE(setfsuid(0));
	show();
	SEE(prctl(PR_SET_DUMPABLE, 1));
	SEE(setegid(TEAM));
	show();
	SEE(prctl(PR_SET_DUMPABLE, 1));
	SEE(setgroups(0, NULL));
	show();
	SEE(setuid(USER));
	show();
	SEE(prctl(PR_SET_DUMPABLE, 1));
	SEE(setuid(0));
	show();
}

static void dumpables(void)
{
	in_child("changes of ids", change_ids);
	copy_self("plain");
	copy_self("of-root");
	MUST(chmod("of-root", 04755));
	copy_self("of-team");
	MUST(chown("of-team", 0, TEAM));
	MUST(chmod("of-team", 02755));
	copy_self("unreadable");
	MUST(chmod("unreadable", 0711));
	program = "./plain";
	in_child("root, plain", run);
	in_child("a user, plain", run_as_user);
	in_child("after seteuid, plain", run_after_seteuid);
	program = "./of-root";
	in_child("root, set-user-ID", run);
	in_child("a user, set-user-ID", run_as_user);
	program = "./of-team";
	in_child("a user, set-group-ID", run_as_user);
	program = "./unreadable";
	in_child("a user, unreadable", run_as_user);
}

/* ---- CLONE_FS ---- */

static int ready[2];
static int done[2];

static pid_t clone_with(unsigned long flags)
{
	return (pid_t)MUST(syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL));
}

static void run_shared(unsigned long flags)
{
	char byte;
	pid_t pid;

	MUST(pipe2(ready, O_CLOEXEC));
	MUST(pipe2(done, O_CLOEXEC));
	pid = clone_with(flags);
	if (pid == 0) { /* shares the directories until the other one has run */
		close(done[1]);
		MUST(write(ready[1], "x", 1));
		_exit(read(done[0], &byte, 1) > 0);
	}
	close(done[0]);
	MUST(read(ready[0], &byte, 1));
	run();
}

static void run_shared_as_user(void)
{
	become(USER, USER);
	run_shared(CLONE_FS);
}

static void run_shared_as_root(void)
{
	run_shared(CLONE_FS);
}

static void run_unshared_as_user(void)
{
	become(USER, USER);
	run_shared(0);
}

static void run_alone_as_user(void)
{
	pid_t pid;

	become(USER, USER);
	pid = clone_with(CLONE_FS);
	if (pid == 0)
		_exit(0);
	wait_for(pid);
	run();
}

static void shared(void)
{
	copy_self("of-other");
	MUST(chown("of-other", OTHER, OTHER));
	MUST(chmod("of-other", 06755));
	copy_self("of-root");
	MUST(chmod("of-root", 04755));
	program = "./of-other";
	in_child("a user, shared", run_shared_as_user);
	in_child("a user, not shared", run_unshared_as_user);
	in_child("a user, alone again", run_alone_as_user);
	in_child("root, shared", run_shared_as_root);
	program = "./of-root";
	in_child("a user, shared, of root", run_shared_as_user);
}

/* ---- /proc/self/maps in another root ---- */

#define PROC 9 /* a descriptor of /proc: a new root has none */

static void show_maps(void)
{
	char line[4096];
	char last[4096] = "";
	FILE *maps = fdopen((int)MUST(openat(PROC, "self/maps", O_RDONLY)), "r");

	while (fgets(line, sizeof(line), maps)) {
		const char *at = strchr(line, '/');

		if (at == NULL || strcmp(at, last) == 0)
			continue;
		strcpy(last, at);
		printf("maps: %s", at);
	}
	fclose(maps);
}

static void run_in_root(void)
{
	MUST(dup2((int)MUST(open("/proc", O_PATH | O_DIRECTORY)), PROC));
	MUST(chroot("root"));
	MUST(chdir("/"));
	execl("/bin/program", "program", "show-maps", NULL);
	say("execl: %s", error_name(errno));
}

static void roots(void)
{
	MUST(mkdir("root", 0755));
	MUST(mkdir("root/bin", 0755));
	copy_self("root/bin/program");
	in_child("in a root", run_in_root);
}

/* ---- default access lists of plain files ---- */

static void remove_lists(void)
{
	become(USER, USER);
	SEE(removexattr("file", "system.posix_acl_default"));
	SEE(removexattr("file", "system.posix_acl_access"));
	SEE(removexattr("dir", "system.posix_acl_default"));
	SEE(setxattr("file", "system.posix_acl_default", "\2\0\0\0", 4, 0));
	SEE(setxattr("file", "system.posix_acl_access", "\2\0\0\0", 4, 0));
}

static void lists(void)
{
	write_file("file", "x");
	MUST(mkdir("dir", 0755));
	in_child("a user", remove_lists);
	SEE(removexattr("file", "system.posix_acl_default"));
	SEE(removexattr("file", "system.posix_acl_access"));
	SEE(removexattr("dir", "system.posix_acl_default"));
}

/* ---- what writing takes away ---- */

static void see_rights(const char *path)
{
	char value[64];
	struct stat st;

	MUST(stat(path, &st));
	say("%s: %04o, %s", path, (unsigned)st.st_mode & 07777,
	    getxattr(path, "security.capability", value, sizeof(value)) > 0 ? "capable"
									    : error_name(errno));
}

static void make_rights(const char *path, uid_t owner, mode_t mode)
{
	/* version 2, with CAP_NET_RAW as permitted */
	static const char caps[20] = {0, 0, 0, 2, 0, 0x20};

	write_file(path, "content");
	MUST(chown(path, owner, TEAM));
	MUST(chmod(path, mode));
	MUST(setxattr(path, "security.capability", caps, sizeof(caps), 0));
	see_rights(path);
}

static void write_one(const char *path, int flags)
{
	int fd = open(path, flags);

	if (fd == -1) {
		say("%s: %s", path, error_name(errno));
		return;
	}
	if (write(fd, "x", 1) != 1)
		say("write: %s", error_name(errno));
	close(fd);
	see_rights(path);
}

static void write_all(void)
{
	write_one("own", O_WRONLY);
	write_one("own-group", O_RDWR | O_APPEND);
	write_one("theirs", O_WRONLY);
	write_one("theirs-group", O_WRONLY | O_TRUNC);
	write_one("plain", O_WRONLY);
	SEE(truncate("cut", 1));
	see_rights("cut");
	SEE(access("read", R_OK));
	see_rights("read");
}

static void make_all(void)
{
	make_rights("own", USER, 06777);
	make_rights("own-group", USER, 02766);
	make_rights("theirs", OTHER, 06777);
	make_rights("theirs-group", OTHER, 02767);
	make_rights("plain", OTHER, 0666);
	make_rights("cut", OTHER, 06777);
	make_rights("read", OTHER, 06777);
}

static void write_as_user(void)
{
	become(USER, USER);
	write_all();
}

static void writes(void)
{
	make_all();
	in_child("root", write_all);
	make_all();
	in_child("a user", write_as_user);
}

/* ---- many groups ---- */

static gid_t list[65537];

static void see_groups(void)
{
	const int count = getgroups(0, NULL);
	unsigned wrong = 0;

	say("%d groups", count);
	MUST(getgroups((int)COUNT(list), list));
	for (int i = 1; i < count; i++)
		wrong += list[i] < list[i - 1];
	say("not sorted: %u, first %u, last %u", wrong, count > 0 ? list[0] : 0,
	    count > 0 ? list[count - 1] : 0);
	SEE(getgroups(10, list));
	SEE(open("of-group", O_RDONLY) >= 0);
	SEE(open("of-no-group", O_RDONLY) >= 0);
}

static void run_groups(void)
{
	MUST(setresuid(USER, USER, USER));
	see_groups();
	execl("./program", "program", "see-groups", NULL);
}

static void with_groups(int count)
{
	for (int i = 0; i < count; i++)
		list[i] = 100000 + 7919U * (unsigned)(count - i) % 65537U;
	say("%d groups: %d", count, setgroups((size_t)count, list));
	in_child("of a user", run_groups);
}

static void many(void)
{
	copy_self("program");
	write_file("of-group", "x");
	MUST(chown("of-group", 0, 100000 + 7919));
	MUST(chmod("of-group", 0040));
	write_file("of-no-group", "x");
	MUST(chown("of-no-group", 0, 99999));
	MUST(chmod("of-no-group", 0040));
	with_groups(128);
	with_groups(129);
	with_groups(5000);
	with_groups(65536);
	SEE(setgroups(COUNT(list), list));
	list[3] = (gid_t)-1;
	SEE(setgroups(300, list));
	SEE(syscall(SYS_setgroups, 300, 8));
	see_groups();
	with_groups(1);
}

static const struct part groups[] = {
	{"many", many},           {"writes", writes}, {"see-groups", see_groups},
	{"dumpables", dumpables}, {"shared", shared}, {"roots", roots},
	{"lists", lists},         {"show", show},     {"show-maps", show_maps},
};

int main(int argc, char **argv)
{
	return run_group(argc, argv, groups, COUNT(groups));
}
