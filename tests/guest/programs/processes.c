/* SPDX-License-Identifier: MIT */
/*
 * processes.c - fork, vfork, clone, threads, waiting, sessions, descriptors.
 *
 *   processes GROUP (in an empty directory)
 */
#include "see.h"

#include <dirent.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>

extern char **environ;

static void make_calls(const char *name)
{
	struct stat st;
	char cwd[PATH_MAX];
	int fd;

	if (stat("/proc/self/exe", &st) == -1 || !getcwd(cwd, sizeof(cwd)) ||
	    access("/etc", F_OK) == -1)
		broken("stat");
	fd = (int)MUST(open(name, O_CREAT | O_RDWR, 0600));
	close(fd);
	MUST(unlink(name));
}

/* Run `body` in a child and wait for it; its result is the exit status. */
static int in_child(int (*body)(void))
{
	pid_t pid;

	fflush(stdout);
	pid = (pid_t)MUST(fork());
	if (pid == 0)
		_exit(body());
	return wait_for(pid);
}

/* ---- trees and statuses ---- */

static int grow(int depth)
{
	int sum = depth;

	make_calls(depth % 2 ? "odd" : "even");
	for (int i = 0; depth > 0 && i < 2; i++) {
		pid_t pid = (pid_t)MUST(fork());

		if (pid == 0)
			_exit(grow(depth - 1));
		sum += WEXITSTATUS(wait_for(pid));
	}
	return sum;
}

static void tree(void)
{
	say("sum over a tree of processes: %d", grow(4));
}

static void statuses(void)
{
	static const int signals[] = {SIGHUP,  SIGINT, SIGQUIT, SIGKILL, SIGTERM,
				      SIGSEGV, SIGSYS, SIGUSR1, SIGALRM};
	pid_t pid;

	for (int code = 0; code < 260; code += 37) {
		pid = (pid_t)MUST(fork());
		if (pid == 0)
			_exit(code);
		say_status("exit", wait_for(pid));
	}
	for (size_t i = 0; i < COUNT(signals); i++) {
		pid = (pid_t)MUST(fork());
		if (pid == 0) {
			pause();
			_exit(1);
		}
		MUST(kill(pid, signals[i]));
		say_status("killed", wait_for(pid) & 0x7f);
	}
}

static void waiting(void)
{
	siginfo_t info = {0};
	int status;
	int fds[2];
	char byte;
	pid_t pid;
	int pidfd;

	SEE(waitpid(-1, &status, 0));
	MUST(pipe(fds));
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		close(fds[1]);
		_exit(read(fds[0], &byte, 1) == 0 ? 9 : 1);
	}
	SEE(waitpid(pid, &status, WNOHANG));
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	say("pidfd %s", pidfd >= 0 ? "opened" : error_name(errno));
	close(fds[1]);
	SEE(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
	say("info code %d status %d own child %d", info.si_code, info.si_status,
	    info.si_pid == pid);
	SEE(waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED));
	say("info code %d status %d", info.si_code, info.si_status);
	SEE(waitpid(pid, &status, 0));
	SEE(syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0));
	SEE(kill(pid, 0));
	SEE(waitid(P_ALL, 0, &info, 0));
}

static int orphan_reports;

static int middle(void)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid == 0) {
		while (getppid() == parent)
			usleep(1000);
		make_calls("orphan");
		_exit(write(orphan_reports, &parent, 1) == 1 ? 12 : 1);
	}
	return 0;
}

static void orphans(void)
{
	int fds[2];
	int status;
	char byte;

	MUST(prctl(PR_SET_CHILD_SUBREAPER, 1));
	MUST(pipe(fds));
	orphan_reports = fds[1];
	say_status("middle", in_child(middle));
	MUST(read(fds[0], &byte, 1));
	MUST(waitpid(-1, &status, 0));
	say_status("orphan, reaped by its grandparent", status);
}

/* ---- sharing ---- */

static void report_parent(const char *what)
{
	char cwd[PATH_MAX];
	struct sigaction action;

	sigaction(SIGUSR1, NULL, &action);
	say("%s: cwd %s, SIGUSR1 %s, fd 100 %s, uid %d", what,
	    getcwd(cwd, sizeof(cwd)) ? strrchr(cwd, '/') : error_name(errno),
	    action.sa_handler == SIG_IGN ? "ignored" : "default",
	    fcntl(100, F_GETFD) == -1 ? "closed" : "open", (int)(getuid() - geteuid()));
}

static int change_everything(void *arg)
{
	(void)arg;
	if (chdir("sub") == -1)
		_exit(1);
	umask(077);
	signal(SIGUSR1, SIG_IGN);
	if (dup2(2, 100) == -1)
		_exit(2);
	return 0;
}

static int change_and_exit(void *arg)
{
	change_everything(arg);
	_exit(3);
}

static int exec_true(void *arg)
{
	change_everything(arg);
	execl("/bin/true", "true", (char *)NULL);
	_exit(4);
}

static int exec_nothing(void *arg)
{
	(void)arg;
	execl("/no/such/program", "x", (char *)NULL);
	_exit(errno == ENOENT ? 5 : 6);
}

static char stack[65536] __attribute__((aligned(16)));

static void cloned(const char *what, int (*body)(void *), int flags)
{
	pid_t pid;

	fflush(stdout);
	pid = (pid_t)MUST(clone(body, stack + sizeof(stack), flags | SIGCHLD, NULL));
	say_status(what, wait_for(pid));
	report_parent(what);
	MUST(fchdir(200));
	umask(022);
	signal(SIGUSR1, SIG_DFL);
	close(100);
}

static volatile int shared;

static void vforks(void)
{
	pid_t pid;

	MUST(mkdir("sub", 0755));
	MUST(dup2((int)MUST(open(".", O_RDONLY | O_DIRECTORY)), 200));
	pid = vfork();
	if (pid == 0) {
		shared = 1;
		change_and_exit(NULL);
	}
	say_status("vfork and exit", wait_for(pid));
	report_parent("vfork and exit");
	say("memory is %s", shared ? "shared" : "not shared");
	pid = vfork();
	if (pid == 0) {
		exec_true(NULL);
		_exit(1);
	}
	say_status("vfork and exec", wait_for(pid));
	report_parent("vfork and exec");
	pid = vfork();
	if (pid == 0)
		exec_nothing(NULL);
	say_status("vfork and failing exec", wait_for(pid));
	pid = vfork();
	if (pid == 0) {
		kill(getpid(), SIGKILL);
		_exit(1);
	}
	say_status("vfork and death", wait_for(pid));
	report_parent("vfork and death");
	cloned("CLONE_VM|CLONE_VFORK", change_and_exit, CLONE_VM | CLONE_VFORK);
	cloned("CLONE_VM|CLONE_VFORK, exec", exec_true, CLONE_VM | CLONE_VFORK);
	cloned("CLONE_VM", change_and_exit, CLONE_VM);
	cloned("plain clone", change_and_exit, 0);
	cloned("CLONE_FS", change_and_exit, CLONE_FS);
	cloned("CLONE_FILES", change_and_exit, CLONE_FILES);
	cloned("CLONE_VM|CLONE_FS", change_and_exit, CLONE_VM | CLONE_FS);
	cloned("CLONE_VM|CLONE_SIGHAND", change_and_exit, CLONE_VM | CLONE_SIGHAND);
	cloned("CLONE_VM|CLONE_FILES|CLONE_FS|CLONE_SIGHAND", change_and_exit,
	       CLONE_VM | CLONE_FILES | CLONE_FS | CLONE_SIGHAND);
}

static void *change_cwd(void *arg)
{
	(void)arg;
	MUST(chdir("sub"));
	umask(027);
	return NULL;
}

static void *change_cwd_alone(void *arg)
{
	(void)arg;
	SEE(unshare(CLONE_FS));
	MUST(chdir("/"));
	umask(0);
	return NULL;
}

static void run_thread(void *(*body)(void *), void *arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, body, arg) != 0)
		broken("pthread_create");
	pthread_join(thread, NULL);
}

static void shared_cwd(void)
{
	MUST(mkdir("sub", 0755));
	run_thread(change_cwd, NULL);
	report_parent("after a thread's chdir");
	run_thread(change_cwd_alone, NULL);
	report_parent("after unshare(CLONE_FS) and chdir");
}

static void spawns(void)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t set;
	pid_t pid;
	char *const words[] = {
		"sh", "-c",
		"grep -E '^(SigBlk|SigIgn)' /proc/self/status; pwd | sed 's,.*/work,work,'; exit 6",
		NULL};
	FILE *stream;
	char line[64];

	MUST(mkdir("sub", 0755));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "out", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	posix_spawn_file_actions_adddup2(&actions, 1, 2);
	posix_spawn_file_actions_addclose(&actions, 0);
	posix_spawnattr_init(&attributes);
	sigfillset(&set);
	posix_spawnattr_setsigmask(&attributes, &set);
	posix_spawnattr_setsigdefault(&attributes, &set);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
						      POSIX_SPAWN_SETPGROUP);
	signal(SIGHUP, SIG_IGN);
	SEE(posix_spawn(&pid, "/bin/sh", &actions, &attributes, words, environ));
	say_status("spawned with everything blocked", wait_for(pid));
	fflush(stdout);
	say_content("out");
	posix_spawnattr_setflags(&attributes, 0);
	SEE(posix_spawnp(&pid, "sh", &actions, &attributes, words, environ));
	say_status("spawned", wait_for(pid));
	say_content("out");
	SEE(posix_spawn(&pid, "/no/such", NULL, NULL, words, environ));
	SEE(posix_spawnp(&pid, "no-such-program", NULL, NULL, words, environ));
	SEE(posix_spawn(&pid, "/etc/passwd", NULL, NULL, words, environ));
	SEE(posix_spawn(&pid, "/etc", NULL, NULL, words, environ));
	posix_spawn_file_actions_addopen(&actions, 5, "/no/such/file", O_RDONLY, 0);
	SEE(posix_spawn(&pid, "/bin/sh", &actions, NULL, words, environ));
	say("system: %#x", (unsigned)system("exit 3"));
	say("system: %#x", (unsigned)system("kill -9 $$"));
	say("system: %#x", (unsigned)system("no-such-program 2>/dev/null"));
	stream = popen("echo said; exit 4", "r");
	say("popen: %s", stream && fgets(line, sizeof(line), stream) ? line : "nothing");
	say_status("popen", pclose(stream));
	stream = popen("cat >piped", "w");
	fputs("into a pipe", stream);
	say_status("popen", pclose(stream));
	say_content("piped");
}

/* ---- threads ---- */

static void *short_thread(void *arg)
{
	struct stat st;

	return (void *)(intptr_t)(stat("/", &st) == 0 ? (intptr_t)arg : -1);
}

static void thousand_threads(void)
{
	pthread_t threads[50];
	long sum = 0;

	for (int round = 0; round < 20; round++) {
		for (size_t i = 0; i < COUNT(threads); i++) {
			if (pthread_create(&threads[i], NULL, short_thread, (void *)(intptr_t)i) !=
			    0)
				broken("pthread_create");
		}
		for (size_t i = 0; i < COUNT(threads); i++) {
			void *result;

			pthread_join(threads[i], &result);
			sum += (intptr_t)result;
		}
	}
	say("sum %ld", sum);
	for (int i = 0; i < 200; i++) {
		pthread_attr_t attributes;
		pthread_t thread;

		pthread_attr_init(&attributes);
		pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
		if (pthread_create(&thread, &attributes, short_thread, NULL) != 0)
			broken("pthread_create");
	}
	say("detached");
}

static volatile bool stop;

static void *busy_thread(void *arg)
{
	char name[32];

	snprintf(name, sizeof(name), "busy-%d", (int)(intptr_t)arg);
	while (!stop)
		make_calls(name);
	return NULL;
}

static int small_child(void)
{
	make_calls("small");
	execl("/bin/true", "true", (char *)NULL);
	return 1;
}

static void fork_with_threads(void)
{
	pthread_t threads[4];

	for (size_t i = 0; i < COUNT(threads); i++)
		pthread_create(&threads[i], NULL, busy_thread, (void *)(intptr_t)i);
	for (int i = 0; i < 40; i++) {
		int status = in_child(small_child);

		if (status != 0)
			say_status("child", status);
	}
	stop = true;
	for (size_t i = 0; i < COUNT(threads); i++)
		pthread_join(threads[i], NULL);
	say("forked");
}

static void *exec_thread(void *arg)
{
	(void)arg;
	make_calls("exec");
	execl("/proc/self/exe", "processes", "after-exec", (char *)NULL);
	broken("execl");
}

static void exec_from_thread(void)
{
	pthread_t threads[4];

	for (size_t i = 0; i < COUNT(threads); i++)
		pthread_create(&threads[i], NULL, busy_thread, (void *)(intptr_t)i);
	pthread_create(&threads[0], NULL, exec_thread, NULL);
	for (;;)
		pause();
}

static int count_entries(const char *dir)
{
	DIR *stream = opendir(dir);
	int count = 0;

	while (stream && readdir(stream))
		count++;
	if (stream)
		closedir(stream);
	return count - 2;
}

static void after_exec(void)
{
	make_calls("after");
	say("threads %d, main thread %d", count_entries("/proc/self/task"),
	    getpid() == (pid_t)syscall(SYS_gettid));
	unlink("busy-0");
}

static void *exits(void *arg)
{
	(void)arg;
	usleep(5000);
	exit(23);
}

static int exit_from_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, exits, NULL);
	for (;;)
		make_calls("main");
	return 0;
}

static int main_thread_leaves(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, exits, NULL);
	pthread_exit(NULL);
}

static void thread_exits(void)
{
	say_status("exit from a thread", in_child(exit_from_thread));
	say_status("exit after main has left", in_child(main_thread_leaves));
}

static void many_children(void)
{
	pid_t pids[48];
	int good = 0;

	for (size_t i = 0; i < COUNT(pids); i++) {
		pids[i] = (pid_t)MUST(fork());
		if (pids[i] == 0) {
			char name[32];

			for (int n = 0; n < 10; n++) {
				snprintf(name, sizeof(name), "many-%d", (int)i);
				make_calls(name);
			}
			_exit(11);
		}
	}
	for (size_t i = 0; i < COUNT(pids); i++)
		good += wait_for(pids[i]) == 11 << 8;
	say("%d good, left over %d", good, count_entries("."));
}

/* ---- descriptors ---- */

static void say_fds(const char *what)
{
	printf("%s:", what);
	for (int fd = 0; fd < 300; fd++) {
		if (fcntl(fd, F_GETFD) != -1)
			printf(" %d%s", fd, fcntl(fd, F_GETFD) & FD_CLOEXEC ? "c" : "");
	}
	printf("; in /proc %d\n", count_entries("/proc/self/fd") - 1);
}

static void fds_at_start(void)
{
	say_fds("at start");
	/* open() returns the lowest free number. */
	for (int i = 0; i < 3; i++)
		say("opened %d", (int)MUST(open("/etc", O_RDONLY)));
	close(4);
	say("opened %d", (int)MUST(open(".", O_RDONLY)));
	say("made %d", (int)MUST(open("new", O_RDWR | O_CREAT, 0600)));
	unlink("new");
	say("path %d", (int)MUST(open(".", O_PATH)));
	say_fds("then");
	MUST(fcntl(5, F_SETFD, FD_CLOEXEC));
	MUST(dup2(4, 250));
	MUST(dup3(4, 251, O_CLOEXEC));
	MUST(open(".", O_RDONLY | O_CLOEXEC));
	say_fds("before exec");
	execl("/proc/self/exe", "processes", "fds-after-exec", (char *)NULL);
	broken("execl");
}

static void fds_after_exec(void)
{
	say_fds("after exec");
	say("fd 250 is %s", fchdir(250) == 0 ? "usable" : error_name(errno));
}

static int without_descriptors(void)
{
	struct stat st;
	char cwd[PATH_MAX];

	for (int fd = 0; fd < 1024; fd++)
		close(fd);
	if (stat("/", &st) == -1 || !getcwd(cwd, sizeof(cwd)))
		return 1;
	if (open("made-without", O_RDWR | O_CREAT, 0600) != 0)
		return 2;
	if (unlink("made-without") == -1)
		return 3;
	if (mkdir("made-dir", 0700) == -1 || rename("made-dir", "made-dir-2") == -1 ||
	    rmdir("made-dir-2") == -1)
		return 4;
	close(0);
	execl("/bin/true", "true", (char *)NULL);
	return 5;
}

static int with_close_range(void)
{
	struct stat st;

	if (syscall(SYS_close_range, 3, ~0U, 0) == -1)
		return 1;
	if (stat("/", &st) == -1 || open("made", O_RDWR | O_CREAT, 0600) != 3 ||
	    unlink("made") == -1)
		return 2;
	if (syscall(SYS_close_range, 0, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */) == -1)
		return 3;
	execl("/bin/true", "true", (char *)NULL);
	return 4;
}

static int with_no_free_number(void)
{
	struct rlimit limit = {8, 8};
	struct stat st;
	int fd;
	int last = -1;

	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		return 1;
	while ((fd = open("/", O_RDONLY)) != -1)
		last = fd;
	if (errno != EMFILE || last != 7)
		return 2;
	if (open("none-left", O_CREAT | O_RDWR, 0600) != -1 || errno != EMFILE)
		return 3;
	if (stat("/etc", &st) == -1 || mkdir("still", 0700) == -1 || chmod("still", 0755) == -1 ||
	    rename("still", "still-2") == -1 || rmdir("still-2") == -1)
		return 4;
	execl("/proc/self/exe", "processes", "seven", (char *)NULL);
	return errno == EMFILE ? 5 : 6;
}

/* The limit that the runtime uses itself: it has no effect. */
static void unused_limit(void)
{
	struct rlimit limit = {1, 1};
	struct rlimit before = {1, 1};
	struct rlimit wrong = {2, 1};

	SEE(getrlimit(RLIMIT_LOCKS, &limit));
	say("%lld %lld", (long long)limit.rlim_cur, (long long)limit.rlim_max);
	SEE(setrlimit(RLIMIT_LOCKS, &limit));
	SEE(setrlimit(RLIMIT_LOCKS, &wrong));
	SEE(setrlimit(RLIMIT_LOCKS, NULL));
	SEE(prlimit(0, RLIMIT_LOCKS, &limit, &before));
	SEE(syscall(SYS_prlimit64, getppid(), RLIMIT_LOCKS, NULL, &limit));
	say("%d", memcmp(&before, &limit, sizeof(limit)));
	SEE(syscall(SYS_prlimit64, 0, RLIMIT_LOCKS, NULL, 1));
	SEE(getrlimit(99, &limit));
}

static void closing(void)
{
	say_status("every descriptor closed", in_child(without_descriptors));
	say_status("close_range", in_child(with_close_range));
	say_status("no number is free", in_child(with_no_free_number));
}

static void seven(void)
{
	_exit(7);
}

/* ---- sessions ---- */

static int session(void)
{
	SEE(getsid(0) == getpid());
	SEE(setsid() == getpid());
	SEE(getpgrp() == getpid());
	SEE(setsid());
	SEE(setpgid(0, 0));
	SEE(tcgetpgrp(0));
	SEE(getpgid(99999999));
	return 0;
}

static void sessions(void)
{
	pid_t pid;

	say_status("session", in_child(session));
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		pause();
		_exit(0);
	}
	SEE(setpgid(pid, pid));
	SEE(getpgid(pid) == pid);
	SEE(kill(-pid, SIGTERM));
	say_status("group", wait_for(pid));
	SEE(getpriority(PRIO_PROCESS, 0));
	SEE(setpriority(PRIO_PROCESS, 0, 5));
	SEE(getpriority(PRIO_PROCESS, 0));
}

static int become_daemon(void)
{
	char cwd[PATH_MAX];
	char path[PATH_MAX + 16];
	int fd;

	if (!getcwd(cwd, sizeof(cwd)))
		return 1;
	if (daemon(0, 0) == -1)
		return 2;
	/* Only the grandchild, the daemon, comes here. */
	for (fd = 3; fd < 256; fd++)
		close(fd);
	snprintf(path, sizeof(path), "%s/daemon.tmp", cwd);
	fd = open(path, O_WRONLY | O_CREAT, 0644);
	dprintf(fd, "cwd %s, session %d, fd %d", getcwd(cwd, sizeof(cwd)), getsid(0) == getpgrp(),
		fd);
	close(fd);
	*strrchr(path, '.') = '\0';
	symlink("x", path);
	return 0;
}

static void daemons(void)
{
	MUST(prctl(PR_SET_CHILD_SUBREAPER, 1));
	say_status("daemon's parent", in_child(become_daemon));
	while (waitpid(-1, NULL, 0) != -1)
		;
	say_content("daemon.tmp");
}

static void names(void)
{
	char name[32] = "";

	SEE(prctl(PR_SET_NAME, "a-name-that-is-too-long"));
	SEE(prctl(PR_GET_NAME, name));
	say("%s", name);
	SEE(prctl(PR_GET_DUMPABLE));
	SEE(prctl(PR_SET_PDEATHSIG, SIGTERM));
	SEE(prctl(PR_SET_NAME, 8));
	SEE(prctl(12345, 0));
	SEE(sethostname("other", 5));
	SEE(setdomainname("other", 5));
	SEE(setgid(getgid()));
	SEE(setregid((gid_t)-1, getgid()));
	SEE(syscall(SYS_capset, 8, 8));
	SEE(syscall(SYS_seccomp, 9999, 0, 0));
}

static void clone3_call(void)
{
	struct clone_args args = {.exit_signal = SIGCHLD};
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0)
		_exit(8);
	if (pid == -1)
		say("clone3: %s", error_name(errno));
	else
		say_status("clone3", wait_for(pid));
	SEE(syscall(SYS_clone3, &args, 8));
	SEE(syscall(SYS_clone3, 8, sizeof(args)));
}

static void bad_clones(void)
{
	SEE(syscall(SYS_clone, CLONE_THREAD, 0, 0, 0, 0));
	SEE(syscall(SYS_clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0));
	SEE(unshare(CLONE_FILES | CLONE_FS));
}

static int set_umask(void *arg)
{
	(void)arg;
	umask(077);
	_exit(0);
}

static void *set_umask_alone(void *arg)
{
	(void)arg;
	SEE(unshare(CLONE_FS));
	umask(0);
	return NULL;
}

static void *set_umask_in_thread(void *arg)
{
	(void)arg;
	umask(031);
	return NULL;
}

static void say_umask(const char *what)
{
	struct stat st;
	mode_t mask = umask(0);

	umask(mask);
	close((int)MUST(open("masked", O_CREAT | O_RDWR, 0666)));
	MUST(stat("masked", &st));
	MUST(unlink("masked"));
	say("%s: umask %03o, a new file has %03o", what, mask, st.st_mode & 0777);
}

static void umasks(void)
{
	pid_t pid;

	say_umask("at start");
	run_thread(set_umask_in_thread, NULL);
	say_umask("after a thread's");
	umask(02);
	pid = vfork();
	if (pid == 0)
		set_umask(NULL);
	wait_for(pid);
	say_umask("after a vfork child's");
	SEE(umask(01777));
	say_umask("after more bits");
	SEE(umask(022));
}

/* A process that shares the umask but no memory, and a thread that shares memory but no umask. */
static void shared_umask(void)
{
	wait_for((pid_t)MUST(clone(set_umask, stack + sizeof(stack), CLONE_FS | SIGCHLD, NULL)));
	say_umask("after a CLONE_FS child's");
	umask(02);
	run_thread(set_umask_alone, NULL);
	say_umask("after unshare(CLONE_FS) and umask");
}

static const struct part groups[] = {
	{"tree", tree},
	{"statuses", statuses},
	{"waiting", waiting},
	{"orphans", orphans},
	{"vforks", vforks},
	{"shared-cwd", shared_cwd},
	{"umasks", umasks},
	{"shared-umask", shared_umask},
	{"spawns", spawns},
	{"thousand-threads", thousand_threads},
	{"fork-with-threads", fork_with_threads},
	{"exec-from-thread", exec_from_thread},
	{"after-exec", after_exec},
	{"thread-exits", thread_exits},
	{"many-children", many_children},
	{"fds", fds_at_start},
	{"fds-after-exec", fds_after_exec},
	{"closing", closing},
	{"unused-limit", unused_limit},
	{"seven", seven},
	{"sessions", sessions},
	{"daemons", daemons},
	{"names", names},
	{"clone3", clone3_call},
	{"bad-clones", bad_clones},
};

int main(int argc, char **argv)
{

	return run_group(argc, argv, groups, COUNT(groups));
}
