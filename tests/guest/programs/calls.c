/* SPDX-License-Identifier: MIT */
/*
 * calls.c - play programs of system calls: a list of calls by two processes.
 *
 *   calls < LIST
 *
 * A list has lines: "= DIRECTORY" begins a program there, "PROCESS CALL ARGUMENT..." is a call,
 * and "." ends the program, which prints the tree that it leaves. Both processes are forked from
 * one director, begin as root with the rights of a container, and make one call at a time. A
 * process keeps descriptors in numbered slots. tests/calls/ makes such lists.
 */
#include "see.h"

#include <dirent.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include <grp.h>

#define PROCESSES 2
#define SLOTS 5
#define WORDS 8
#define DOCKERS_CAPS 0xa80425fbUL

static int slots[SLOTS] = {-1, -1, -1, -1, -1};
static char *word[WORDS + 1];
static pid_t other;

static long number(int i)
{
	return word[i] == NULL ? 0 : strtol(word[i], NULL, 0);
}

/* An empty name is written as @. */
static const char *name(int i)
{
	return word[i] == NULL || strcmp(word[i], "@") == 0 ? "" : word[i];
}

static int *slot(int i)
{
	return &slots[(unsigned long)number(i) % SLOTS];
}

static int fd(int i)
{
	return *slot(i);
}

static long keep(int i, long got)
{
	const int error = errno;

	if (got >= 0) {
		if (fd(i) != -1)
			close(fd(i));
		*slot(i) = (int)got;
		return 0;
	}
	errno = error;
	return got;
}

/* ---- what is seen ------------------------------------------------------------ */

static unsigned sum_of(int file, off_t size)
{
	unsigned char byte[4096];
	unsigned sum = 0;
	ssize_t n;

	for (off_t at = 0; at < size && (n = pread(file, byte, sizeof(byte), at)) > 0; at += n) {
		for (ssize_t i = 0; i < n; i++)
			sum = sum * 31 + byte[i] + 1;
	}
	return sum;
}

static void see_stat(const struct stat *st)
{
	printf(" %c%04o %u:%u", type_letter(st->st_mode), st->st_mode & 07777U, st->st_uid,
	       st->st_gid);
	if (!S_ISDIR(st->st_mode))
		printf(" links %lu size %ld", (unsigned long)st->st_nlink, (long)st->st_size);
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		printf(" device %lx", (unsigned long)st->st_rdev);
	if (st->st_mtime < 100000)
		printf(" at %ld", (long)st->st_mtime);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void see_attributes(const char *path)
{
	char names[1024];
	char *sorted[64];
	size_t count = 0;
	const ssize_t n = llistxattr(path, names, sizeof(names));

	for (char *p = names; n > 0 && p < names + n && count < COUNT(sorted); p += strlen(p) + 1)
		sorted[count++] = p;
	qsort(sorted, count, sizeof(*sorted), by_name);
	for (size_t i = 0; i < count; i++) {
		char value[64];
		const ssize_t len = lgetxattr(path, sorted[i], value, sizeof(value));

		printf(" %s=%.*s", sorted[i], len < 0 ? 0 : (int)len, value);
	}
}

static void see_tree(const char *path)
{
	struct dirent **entries;
	struct stat st;
	int count;

	if (lstat(path, &st) == -1) {
		say("  %s: %s", path, error_name(errno));
		return;
	}
	printf("  %s", path);
	see_stat(&st);
	see_attributes(path);
	if (S_ISLNK(st.st_mode)) {
		char to[256] = "";

		printf(" -> %.*s", (int)readlink(path, to, sizeof(to)), to);
	}
	if (S_ISREG(st.st_mode)) {
		const int file = open(path, O_RDONLY);

		printf(" sum %x", sum_of(file, st.st_size));
		close(file);
	}
	putchar('\n');
	if (!S_ISDIR(st.st_mode))
		return;
	count = scandir(path, &entries, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		char below[PATH_MAX];

		snprintf(below, sizeof(below), "%s/%s", path, entries[i]->d_name);
		if (strcmp(entries[i]->d_name, ".") != 0 && strcmp(entries[i]->d_name, "..") != 0)
			see_tree(below);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

/* ---- calls ------------------------------------------------------------------- */

struct entry {
	uint64_t ino;
	int64_t next;
	unsigned short len;
	unsigned char type;
	char name[];
};

static long do_stat(int flags)
{
	struct stat st;
	const long ret = fstatat(AT_FDCWD, name(2), &st, flags);

	if (ret == 0)
		see_stat(&st);
	return ret;
}

static long do_fstat(void)
{
	struct stat st;
	const long ret = fstat(fd(2), &st);

	if (ret == 0)
		see_stat(&st);
	return ret;
}

/* List the directory in small pieces. From the position behind each entry the rest must follow. */
static long do_list(void)
{
	_Alignas(8) char buffer[160];
	char *names[128];
	int64_t next[128];
	size_t count = 0;
	long n;
	int wrong = 0;

	if (lseek(fd(2), 0, SEEK_SET) == -1)
		return -1;
	while ((n = syscall(SYS_getdents64, fd(2), buffer, sizeof(buffer))) > 0) {
		for (long at = 0; at < n;) {
			const struct entry *e = (const void *)(buffer + at);

			if (count < COUNT(names)) {
				next[count] = e->next;
				names[count++] = strdup(e->name);
			}
			at += e->len;
		}
	}
	for (size_t i = 0; n == 0 && i + 1 < count; i++) {
		const struct entry *e = (const void *)buffer;

		lseek(fd(2), next[i], SEEK_SET);
		if (syscall(SYS_getdents64, fd(2), buffer, sizeof(buffer)) <= 0 ||
		    strcmp(e->name, names[i + 1]) != 0)
			wrong++;
	}
	qsort(names, count, sizeof(*names), by_name);
	for (size_t i = 0; i < count; i++)
		printf(" %s", names[i]);
	if (wrong != 0)
		printf(" (%d positions are wrong)", wrong);
	return n;
}

static long do_read(void)
{
	char text[64];
	const long n = read(fd(2), text, (size_t)number(3) % sizeof(text));

	for (long i = 0; i < n; i++)
		putchar(text[i] >= ' ' && text[i] <= '~' ? text[i] : '.');
	return n;
}

static long do_write(void)
{
	static char text[8192];

	memset(text, 'a' + (int)(number(4) % 26), sizeof(text));
	return write(fd(2), text, (size_t)number(3) % sizeof(text));
}

static long do_readlink(void)
{
	char to[64];
	const long n = readlink(name(2), to, sizeof(to));

	if (n >= 0)
		printf(" %.*s", (int)n, to);
	return n;
}

static long do_getxattr(void)
{
	char value[64];
	const long n = getxattr(name(2), name(3), value, sizeof(value));

	if (n >= 0)
		printf(" %.*s", (int)n, value);
	return n;
}

static long do_getcwd(void)
{
	char path[PATH_MAX];
	const char *start = getcwd(path, sizeof(path));

	if (start == NULL)
		return -1;
	printf(" %s", strrchr(start, '/'));
	return 0;
}

static long do_lock(int command)
{
	struct flock lock = {
		.l_type = (short)number(3),
		.l_whence = SEEK_SET,
		.l_start = number(4),
		.l_len = number(5),
	};
	const long ret = fcntl(fd(2), command, &lock);

	if (ret == 0 && command == F_GETLK)
		printf(" %d %ld %ld", lock.l_type, lock.l_type == F_UNLCK ? 0 : (long)lock.l_start,
		       lock.l_type == F_UNLCK ? 0 : (long)lock.l_len);
	return ret;
}

static long do_map(void)
{
	struct stat st;
	char *at = mmap(NULL, 4096, (int)number(3), (int)number(4), fd(2), 0);

	if (at == MAP_FAILED)
		return -1;
	if (fstat(fd(2), &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
		if (number(3) & PROT_WRITE)
			at[0] = 'M';
		printf(" %02x", (unsigned char)at[0]);
	}
	return munmap(at, 4096);
}

static long do_times(bool follow)
{
	const struct timespec times[2] = {{number(3), 0}, {number(3), 0}};

	return utimensat(AT_FDCWD, name(2), number(3) < 0 ? NULL : times,
			 follow ? 0 : AT_SYMLINK_NOFOLLOW);
}

static long do_exec(void)
{
	char *const argv[] = {(char *)name(2), NULL};
	char *const envp[] = {NULL};
	const pid_t pid = fork();
	int status;

	if (pid == 0) {
		const int null = open("/dev/null", O_RDWR);

		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		execve(name(2), argv, envp);
		_exit(200 + (errno == EACCES) + 2 * (errno == ENOENT) + 4 * (errno == ENOEXEC) +
		      8 * (errno == ETXTBSY));
	}
	status = wait_for(pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static long do_socket(bool connects)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	const int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const socklen_t size = (socklen_t)sizeof(to);
	long ret;

	strncpy(to.sun_path, name(2), sizeof(to.sun_path) - 1);
	if (connects) {
		ret = connect(sock, (void *)&to, size);
		const int error = errno;

		close(sock);
		errno = error;
		return ret;
	}
	ret = bind(sock, (void *)&to, size);
	if (ret == 0)
		ret = listen(sock, 8);
	if (ret == 0)
		return keep(3, sock);
	const int error = errno;

	close(sock);
	errno = error;
	return ret;
}

static long do_tmpfile(void)
{
	return keep(2, open(name(3), O_TMPFILE | O_RDWR, (mode_t)number(4)));
}

static long do_name(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd(2));
	return linkat(AT_FDCWD, path, AT_FDCWD, name(3), AT_SYMLINK_FOLLOW);
}

static long do_groups(void)
{
	const gid_t groups[2] = {(gid_t)number(2), (gid_t)number(3)};

	return setgroups(2, groups);
}

static long do_umask(void)
{
	return umask((mode_t)number(2));
}

static long do_dup(void)
{
	return keep(3, dup(fd(2)));
}

static long do_close(void)
{
	const int old = fd(2);

	*slot(2) = -1;
	return close(old);
}

static long do_fork(void)
{
	struct stat st;
	const pid_t pid = fork();

	if (pid == 0)
		_exit(fstatat(AT_FDCWD, name(2), &st, 0) == 0 ? 1 + (st.st_uid != 0) : errno);
	return WEXITSTATUS(wait_for(pid));
}

#define CALLS(X)                                                                                  \
	X(open, keep(2, open(name(3), (int)number(4) | O_NONBLOCK, (mode_t)number(5))))           \
	X(close, do_close())                                                                      \
	X(read, do_read())                                                                        \
	X(write, do_write())                                                                      \
	X(script, write(fd(2), "#!/calls\n", 9))                                                  \
	X(seek, lseek(fd(2), number(3), (int)number(4)))                                          \
	X(truncate, truncate(name(2), number(3)))                                                 \
	X(ftruncate, ftruncate(fd(2), number(3)))                                                 \
	X(fallocate, fallocate(fd(2), (int)number(3), number(4), number(5)))                      \
	X(rename, syscall(SYS_renameat2, AT_FDCWD, name(2), AT_FDCWD, name(3), number(4)))        \
	X(link, linkat(AT_FDCWD, name(2), AT_FDCWD, name(3), (int)number(4)))                     \
	X(symlink, symlink(name(2), name(3)))                                                     \
	X(unlink, unlink(name(2)))                                                                \
	X(rmdir, rmdir(name(2)))                                                                  \
	X(mkdir, mkdir(name(2), (mode_t)number(3)))                                               \
	X(mknod, mknod(name(2), (mode_t)number(3), (dev_t)number(4)))                             \
	X(chmod, chmod(name(2), (mode_t)number(3)))                                               \
	X(fchmod, fchmod(fd(2), (mode_t)number(3)))                                               \
	X(chown, fchownat(AT_FDCWD, name(2), (uid_t)number(3), (gid_t)number(4), (int)number(5))) \
	X(fchown, fchown(fd(2), (uid_t)number(3), (gid_t)number(4)))                              \
	X(times, do_times(true))                                                                  \
	X(ltimes, do_times(false))                                                                \
	X(stat, do_stat(0))                                                                       \
	X(lstat, do_stat(AT_SYMLINK_NOFOLLOW))                                                    \
	X(fstat, do_fstat())                                                                      \
	X(access, faccessat(AT_FDCWD, name(2), (int)number(3), (int)number(4)))                   \
	X(readlink, do_readlink())                                                                \
	X(setxattr, setxattr(name(2), name(3), name(4), strlen(name(4)), (int)number(5)))         \
	X(getxattr, do_getxattr())                                                                \
	X(removexattr, removexattr(name(2), name(3)))                                             \
	X(chdir, chdir(name(2)))                                                                  \
	X(fchdir, fchdir(fd(2)))                                                                  \
	X(getcwd, do_getcwd())                                                                    \
	X(list, do_list())                                                                        \
	X(map, do_map())                                                                          \
	X(dup, do_dup())                                                                          \
	X(lock, do_lock(F_SETLK))                                                                 \
	X(getlock, do_lock(F_GETLK))                                                              \
	X(flock, flock(fd(2), (int)number(3) | LOCK_NB))                                          \
	X(exec, do_exec())                                                                        \
	X(fork, do_fork())                                                                        \
	X(kill, kill(other, (int)number(2)))                                                      \
	X(bind, do_socket(false))                                                                 \
	X(connect, do_socket(true))                                                               \
	X(tmpfile, do_tmpfile())                                                                  \
	X(name, do_name())                                                                        \
	X(umask, do_umask())                                                                      \
	X(setgroups, do_groups())                                                                 \
	X(setresuid, setresuid((uid_t)number(2), (uid_t)number(3), (uid_t)number(4)))             \
	X(setresgid, setresgid((gid_t)number(2), (gid_t)number(3), (gid_t)number(4)))             \
	X(setfsuid, setfsuid((uid_t)number(2)))

static long make(void)
{
#define X(what, call)                    \
	if (strcmp(word[1], #what) == 0) \
		return call;
	CALLS(X)
#undef X
	broken(word[1]);
}

/* ---- processes ---------------------------------------------------------------- */

struct process {
	pid_t pid;
	int to;
	int from;
};

static void play(char *line)
{
	size_t count = 0;

	printf("%s:", line);
	for (char *p = strtok(line, " "); p != NULL && count < WORDS; p = strtok(NULL, " "))
		word[count++] = p;
	word[count] = NULL;
	errno = 0;
	const long ret = make();

	printf(" = ");
	put_result(ret);
	putchar('\n');
	fflush(stdout);
}

static void serve(int from, int to)
{
	char line[512];
	FILE *lines = fdopen(from, "r");

	MUST(fcntl(from, F_SETFD, FD_CLOEXEC));
	MUST(fcntl(to, F_SETFD, FD_CLOEXEC));
	signal(SIGUSR1, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	while (fgets(line, sizeof(line), lines) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '!') /* the pid of the other process */
			other = atoi(line + 1);
		else
			play(line);
		MUST(write(to, "", 1));
	}
	_exit(0);
}

static void ask(struct process *process, const char *line)
{
	char answer;

	if (dprintf(process->to, "%s\n", line) < 0 || read(process->from, &answer, 1) != 1)
		say("%s: the process is gone", line);
}

static void begin(struct process *process)
{
	int there[2];
	int back[2];

	MUST(pipe2(there, O_CLOEXEC));
	MUST(pipe2(back, O_CLOEXEC));
	fflush(stdout);
	process->pid = (pid_t)MUST(fork());
	if (process->pid == 0)
		serve(dup2(there[0], 100), dup2(back[1], 101));
	close(there[0]);
	close(back[1]);
	process->to = there[1];
	process->from = back[0];
}

static void end(struct process *process)
{
	close(process->to);
	close(process->from);
	kill(process->pid, SIGKILL);
	(void)wait_for(process->pid);
}

/* Have the capabilities of a container's root. */
static void drop_rights(void)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {{DOCKERS_CAPS, DOCKERS_CAPS, 0}};

	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
		if (cap >= 32 || !(DOCKERS_CAPS >> cap & 1))
			prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	}
	MUST(syscall(SYS_capset, &head, data));
}

int main(void)
{
	struct process processes[PROCESSES] = {0};
	char line[512];

	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	umask(022);
	drop_rights();
	while (fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '=') {
			say("%s", line);
			(void)mkdir(line + 2, 0755);
			MUST(chdir(line + 2));
			for (int i = 0; i < PROCESSES; i++)
				begin(&processes[i]);
			for (int i = 0; i < PROCESSES; i++) {
				char pid[32];

				snprintf(pid, sizeof(pid), "!%d", processes[1 - i].pid);
				ask(&processes[i], pid);
			}
		} else if (line[0] == '.') {
			for (int i = 0; i < PROCESSES; i++)
				end(&processes[i]);
			see_tree(".");
			MUST(chdir("/"));
		} else {
			ask(&processes[line[0] - '0'], line);
		}
	}
	return 0;
}
