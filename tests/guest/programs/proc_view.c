/* SPDX-License-Identifier: MIT */
/*
 * proc_view.c - which processes /proc shows, by which numbers, and what one may do to another.
 *
 *   OUTSIDER=PID proc_view GROUP   as root, as the first process of a container; PID is one of
 *                                  another container
 *
 * The answers of a kernel to real root, in a pid namespace of its own, were recorded once:
 *   mkdir /srv/sbx && cd /srv/sbx
 *   OUTSIDER=30000 unshare -pf --mount-proc --kill-child setsid .../proc_view \
 *           GROUP > .../recorded/proc_view-GROUP.txt
 */
#include "see.h"

#include <dirent.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/uio.h>

#define USER 1000
#define OTHER 65534
#define DOCKERS_CAPS 0xa80425fbULL

static char outsider[16];
static pid_t self;
static pid_t known[8];
static int known_count;

/* ---- names for numbers ---- */

static const char *label(long pid)
{
	static const char *const names[] = {"first", "second", "third",   "fourth",
					    "fifth", "sixth",  "seventh", "eighth"};
	static char other[32];

	if (pid == 0)
		return "nobody";
	if (pid == self)
		return "self";
	for (int i = 0; i < known_count; i++) {
		if (known[i] == pid)
			return names[i];
	}
	snprintf(other, sizeof(other), pid < 0 ? "%ld" : "a stranger", pid);
	return other;
}

/* Start a process that does body and then sleeps; it counts from now on. */
static pid_t start(void (*body)(void))
{
	int ready[2];
	char byte;
	pid_t pid;

	MUST(pipe(ready));
	fflush(stdout);
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ready[0]);
		if (body != NULL)
			body();
		if (write(ready[1], "r", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		broken("a child");
	close(ready[0]);
	known[known_count++] = pid;
	return pid;
}

static void stop_all(void)
{
	while (known_count > 0) {
		kill(known[--known_count], SIGKILL);
		waitpid(known[known_count], NULL, 0);
	}
}

static const char *in_proc(pid_t pid, const char *name)
{
	static char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return path;
}

static size_t read_file(const char *path, char *text, size_t size)
{
	const int fd = open(path, O_RDONLY);
	size_t len = 0;
	ssize_t got;

	if (fd < 0) {
		text[0] = '\0';
		return 0;
	}
	while (len < size - 1 && (got = read(fd, text + len, size - 1 - len)) > 0)
		len += (size_t)got;
	close(fd);
	text[len] = '\0';
	return len;
}

/* ---- lists ---- */

static void list(const char *path)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;
	int found = 0;

	if (folder == NULL) {
		say("%s: %s", path, error_name(errno));
		return;
	}
	while ((entry = readdir(folder)) != NULL) {
		const long pid = atol(entry->d_name);

		if (pid > 0) {
			say("%s in the list, type %d", label(pid), entry->d_type);
			found++;
		}
	}
	rewinddir(folder);
	while ((entry = readdir(folder)) != NULL)
		found -= atol(entry->d_name) > 0;
	say("read again: %s", found == 0 ? "the same" : "other entries");
	closedir(folder);
}

static void lists(void)
{
	char text[64];
	ssize_t len;

	start(NULL);
	start(NULL);
	list("/proc");
	list("/proc/self/task");
	list("/proc/thread-self/../../task");
	len = readlink("/proc/self", text, sizeof(text) - 1);
	text[len < 0 ? 0 : len] = '\0';
	say("/proc/self is %s", label(atol(text)));
	len = readlink("/proc/thread-self", text, sizeof(text) - 1);
	text[len < 0 ? 0 : len] = '\0';
	say("/proc/thread-self is %s, of %s",
	    strstr(text, "/task/") ? label(atol(strstr(text, "/task/") + 6)) : "?",
	    label(atol(text)));
	MUST(chdir("/proc/self"));
	if (getcwd(text, sizeof(text)) == NULL)
		broken("getcwd");
	say("the working directory is that of %s", label(atol(text + 6)));
	say("its parent is %s", access("../self/status", R_OK) == 0 ? "/proc" : "something else");
	stop_all();
}

/* ---- outsiders ---- */

static void try(const char *format)
{
	char path[256];
	struct stat st;
	char text[8];
	int fd;

	snprintf(path, sizeof(path), format, outsider);
	errno = 0;
	fd = open(path, O_RDONLY);
	say("%s", format);
	say(" open: %s", fd >= 0 ? "done" : error_name(errno));
	if (fd >= 0)
		close(fd);
	errno = 0;
	say(" stat: %s", stat(path, &st) == 0 ? "done" : error_name(errno));
	say(" access: %s", access(path, F_OK) == 0 ? "done" : error_name(errno));
	say(" readlink: %s", readlink(path, text, sizeof(text)) >= 0 ? "done" : error_name(errno));
	say(" chdir: %s", chdir(path) == 0 ? "done" : error_name(errno));
}

static void outsiders(void)
{
	const int proc = (int)MUST(open("/proc", O_RDONLY | O_DIRECTORY));
	const int own = (int)MUST(open("/proc/self", O_RDONLY | O_DIRECTORY));
	char path[64];
	struct stat st;

	try("/proc/%s");
	try("/proc/%s/");
	try("/proc/%s/stat");
	try("/proc/%s/root");
	try("/proc/%s/cwd/x");
	try("/proc/%s/exe");
	try("/proc/%s/fd/0");
	try("/proc/%s/task");
	try("/proc/%s/../self/stat");
	try("/proc/self/../%s/stat");
	try("/proc/thread-self/../../../%s/stat");
	try("/proc/self/task/%s");
	try("/proc/self/task/%s/stat");
	snprintf(path, sizeof(path), "%s/stat", outsider);
	SEE(openat(proc, path, O_RDONLY));
	SEE(fstatat(proc, outsider, &st, 0));
	snprintf(path, sizeof(path), "../%s", outsider);
	SEE(openat(own, path, O_RDONLY));
	MUST(fchdir(proc));
	SEE(open(outsider, O_RDONLY));
	SEE(access(outsider, F_OK));
	SEE(chdir(outsider));
}

/* ---- numbers ---- */

static const char *after(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at == NULL ? "" : at + strlen(key);
}

static void say_numbers(const char *who, pid_t pid)
{
	static const char *const keys[] = {"\nTgid:",  "\nPid:",    "\nPPid:", "\nTracerPid:",
					   "\nNSpid:", "\nNSpgid:", "\nNSsid:"};
	char text[8192];
	const char *at;
	long ppid;
	long pgrp;
	long session;
	char state;

	say("%s:", who);
	read_file(in_proc(pid, "status"), text, sizeof(text));
	for (size_t i = 0; i < COUNT(keys); i++)
		say(" %s %s", keys[i] + 1, label(atol(after(text, keys[i]))));
	read_file(in_proc(pid, "stat"), text, sizeof(text));
	at = strrchr(text, ')');
	if (at == NULL || sscanf(at + 2, "%c %ld %ld %ld", &state, &ppid, &pgrp, &session) != 4)
		broken("stat");
	say(" stat: %s, parent %s, group %s, session %s", label(atol(text)), label(ppid),
	    label(pgrp), label(session));
	read_file(in_proc(pid, "sched"), text, sizeof(text));
	at = strstr(text, ", #threads");
	while (at != NULL && at > text && at[-1] != '(')
		at--;
	say(" sched: %s", at == NULL ? "no such file" : label(atol(at)));
}

static void lead(void)
{
	MUST(setsid());
}

static void trace_me(void)
{
	MUST(ptrace(PTRACE_TRACEME, 0, 0, 0));
}

static void numbers(void)
{
	char text[4096];
	struct sysinfo info;
	const char *at;
	pid_t pid;

	SEE(sysinfo(&info));
	SEE(sysinfo(NULL));
	say("a part of %s is free", info.freeram < info.totalram ? "the memory" : "more");
	say_numbers("self", self);
	pid = start(NULL);
	say_numbers("a child", pid);
	pid = start(lead);
	say_numbers("a child with its own session", pid);
	pid = start(trace_me);
	say_numbers("a child that is traced", pid);
	read_file("/proc/thread-self/children", text, sizeof(text));
	for (at = text; *at != '\0'; at = strchr(at, ' ') + 1)
		say("%s among the children", label(atol(at)));
	stop_all();
}

/* ---- owners, credentials ---- */

static void be_user(void)
{
	const gid_t groups[] = {7, 8};

	MUST(setgroups(2, groups));
	MUST(setresgid(USER, USER, USER));
	MUST(setresuid(USER, USER, USER));
	prctl(PR_SET_DUMPABLE, 1);
}

static void be_other(void)
{
	MUST(setgroups(0, NULL));
	MUST(setresgid(OTHER, OTHER, OTHER));
	MUST(setresuid(OTHER, OTHER, OTHER));
	prctl(PR_SET_DUMPABLE, 1);
}

static void be_secret(void)
{
	be_user();
	prctl(PR_SET_DUMPABLE, 0);
}

static void be_mixed(void)
{
	MUST(setresgid(USER, 0, 5));
	MUST(setresuid(USER, OTHER, 0));
	prctl(PR_SET_DUMPABLE, 1);
}

static void drop_caps(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {{0}};

	for (int cap = 0; cap <= 40; cap++) {
		if ((DOCKERS_CAPS >> cap & 1) == 0)
			prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	}
	data[0].effective = data[0].permitted = (uint32_t)DOCKERS_CAPS;
	MUST(syscall(SYS_capset, &header, data));
	prctl(PR_SET_DUMPABLE, 1);
}

static void say_owner(const char *who, pid_t pid)
{
	static const char *const keys[] = {"\nUid:",    "\nGid:",    "\nGroups:", "\nCapInh:",
					   "\nCapPrm:", "\nCapEff:", "\nCapBnd:", "\nCapAmb:"};
	static const char *const files[] = {"",    "stat", "environ", "fd",
					    "exe", "task", "fd/0",    "comm"};
	char text[8192];
	struct stat st;

	say("%s:", who);
	read_file(in_proc(pid, "status"), text, sizeof(text));
	for (size_t i = 0; i < COUNT(keys); i++)
		say(" %s%.*s", keys[i] + 1, (int)strcspn(after(text, keys[i]), "\n"),
		    after(text, keys[i]));
	for (size_t i = 0; i < COUNT(files); i++) {
		if (lstat(in_proc(pid, files[i]), &st) == 0)
			say(" \"%s\" is %u:%u, %04o", files[i], st.st_uid, st.st_gid,
			    (unsigned)st.st_mode & 07577); /* descriptors differ in 0200 */
		else
			say(" \"%s\": %s", files[i], error_name(errno));
	}
}

static void owners(void)
{
	MUST(setgroups(0, NULL));
	drop_caps();
	say_owner("self", self);
	say_owner("a child", start(NULL));
	say_owner("a user", start(be_user));
	say_owner("a user with a secret", start(be_secret));
	say_owner("a mixture", start(be_mixed));
	stop_all();
}

/* ---- what one may do to another ---- */

static void look_at(const char *who, pid_t pid)
{
	static const char *const files[] = {"environ", "maps", "mem",    "auxv",  "io",
					    "fd",      "ns",   "fdinfo", "stat",  "status",
					    "cmdline", "comm", "limits", "sched", "smaps"};
	static const char *const links[] = {"exe", "cwd", "root", "fd/0", "ns/pid"};
	char text[256];

	for (size_t i = 0; i < COUNT(files); i++) {
		const int fd = open(in_proc(pid, files[i]), O_RDONLY);
		const bool done = fd >= 0 && read(fd, text, 1) >= 0;

		say(" %s of %s: %s", files[i], who, done ? "read" : error_name(errno));
		if (fd >= 0)
			close(fd);
	}
	for (size_t i = 0; i < COUNT(links); i++) {
		const int fd = open(in_proc(pid, links[i]), O_PATH);

		say(" %s of %s: %s, followed: %s", links[i], who,
		    readlink(in_proc(pid, links[i]), text, sizeof(text)) >= 0 ? "read"
									      : error_name(errno),
		    fd >= 0 ? "yes" : "no");
		if (fd >= 0)
			close(fd);
	}
	errno = 0;
	say(" comm of %s: %s", who,
	    access(in_proc(pid, "comm"), W_OK) == 0 ? "may be written" : error_name(errno));
}

static void call_at(pid_t pid)
{
	char byte = 0;
	struct iovec here = {&byte, 1};
	struct iovec there = {&known_count, 1};
	cpu_set_t cpus;
	struct rlimit limit;
	siginfo_t info = {.si_signo = SIGURG, .si_code = SI_QUEUE};
	struct sched_param parameter = {0};
	int handle;

	SEE(kill(pid, 0));
	SEE(kill(pid, SIGURG));
	SEE(syscall(SYS_tkill, pid, SIGURG));
	SEE(syscall(SYS_tgkill, pid, pid, SIGURG));
	SEE(syscall(SYS_rt_sigqueueinfo, pid, SIGURG, &info));
	SEE(syscall(SYS_rt_tgsigqueueinfo, pid, pid, SIGURG, &info));
	handle = (int)MUST(syscall(SYS_pidfd_open, pid, 0));
	SEE(syscall(SYS_pidfd_send_signal, handle, SIGURG, NULL, 0));
	errno = 0;
	say("pidfd_getfd: %s",
	    syscall(SYS_pidfd_getfd, handle, 1, 0) >= 0 ? "done" : error_name(errno));
	SEE(setpriority(PRIO_PROCESS, (id_t)pid, 5));
	SEE(getpriority(PRIO_PROCESS, (id_t)pid) >= 0);
	SEE(syscall(SYS_ioprio_set, 1, pid, 2 << 13 | 4));
	MUST(sched_getaffinity(0, sizeof(cpus), &cpus));
	SEE(sched_setaffinity(pid, sizeof(cpus), &cpus));
	SEE(sched_setscheduler(pid, SCHED_BATCH, &parameter));
	SEE(prlimit(pid, RLIMIT_CORE, NULL, &limit));
	SEE(process_vm_readv(pid, &here, 1, &there, 1, 0));
	SEE(process_vm_writev(pid, &here, 1, &there, 1, 0));
	SEE(syscall(SYS_process_madvise, handle, &there, 1, MADV_COLD, 0));
	SEE(ptrace(PTRACE_SEIZE, pid, 0, 0));
	SEE(ptrace(PTRACE_ATTACH, pid, 0, 0));
}

static void meet(void (*caller)(void), const char *who)
{
	static void (*const others[])(void) = {NULL, be_user, be_other, be_secret, be_mixed};
	static const char *const names[] = {"root", "a user", "another user",
					    "a user with a secret", "a mixture"};

	for (size_t i = 0; i < COUNT(others); i++) {
		const pid_t other = start(others[i]);
		pid_t pid;

		say("%s meets %s", who, names[i]);
		fflush(stdout);
		pid = (pid_t)MUST(fork());
		if (pid == 0) {
			if (caller != NULL)
				caller();
			look_at(names[i], other);
			call_at(other);
			fflush(stdout);
			_exit(0);
		}
		say_status(who, wait_for(pid));
		stop_all();
	}
}

static void root_meets(void)
{
	drop_caps();
	meet(NULL, "root");
}

static void user_meets(void)
{
	drop_caps();
	meet(be_user, "a user");
}

static void mixture_meets(void)
{
	drop_caps();
	meet(be_mixed, "a mixture");
}

int main(int argc, char **argv)
{
	static const struct part groups[] = {
		{"lists", lists},
		{"outsiders", outsiders},
		{"numbers", numbers},
		{"owners", owners},
		{"root-meets", root_meets},
		{"user-meets", user_meets},
		{"mixture-meets", mixture_meets},
	};
	const char *given = getenv("OUTSIDER");

	snprintf(outsider, sizeof(outsider), "%s", given == NULL ? "30000" : given);
	self = getpid();
	return run_group(argc, argv, groups, COUNT(groups));
}
