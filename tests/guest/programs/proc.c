/* SPDX-License-Identifier: MIT */
/*
 * proc.c - /proc/self: its links, the descriptors behind them, and the files that programs parse.
 *
 *   proc links|descriptors|paths|files|writes DIRECTORY
 */
#include "see.h"

#include <elf.h>
#include <link.h>
#include <sys/auxv.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/statfs.h>

static const char *folder;

/* Return "/proc/self/fd/N" followed by rest. */
static const char *of_fd(int fd, const char *rest)
{
	static char path[4][4096];
	static unsigned turn;
	char *chosen = path[turn++ % 4];

	snprintf(chosen, sizeof(path[0]), "/proc/self/fd/%d%s", fd, rest);
	return chosen;
}

/* Print a link's target without the folder and without numbers in brackets. */
static void say_link(const char *what, const char *path)
{
	char target[4096];
	const ssize_t len = readlink(path, target, sizeof(target) - 1);
	char *bracket;

	if (len == -1) {
		say("%s: %s", what, error_name(errno));
		return;
	}
	target[len] = '\0';
	bracket = strchr(target, '[');
	if (bracket)
		*bracket = '\0';
	if (strncmp(target, folder, strlen(folder)) == 0)
		say("%s -> @%s", what, target + strlen(folder));
	else
		say("%s -> %s", what, target);
}

static const char *same(const char *a, int fd)
{
	struct stat one;
	struct stat two;

	if (stat(a, &one) == -1)
		return error_name(errno);
	if (fstat(fd, &two) == -1)
		return "bad descriptor";
	return one.st_ino == two.st_ino && one.st_dev == two.st_dev ? "same" : "different";
}

static int open_new(const char *name, const char *text)
{
	write_file(name, text);
	return (int)MUST(open(name, O_RDWR));
}

static void links(void)
{
	int fd = open_new("file", "x");
	int ends[2];
	struct stat st;
	char small[4];
	char self[64] = "";

	MUST(mkdir("dir", 0755));
	MUST(pipe(ends));
	say_link("file", of_fd(fd, ""));
	say_link("pipe", of_fd(ends[0], ""));
	say_link("socket", of_fd((int)MUST(socket(AF_UNIX, SOCK_STREAM, 0)), ""));
	say_link("inotify", of_fd((int)MUST(inotify_init()), ""));
	say_link("memfd", of_fd((int)MUST(memfd_create("name", 0)), ""));
	say_link("dir", of_fd((int)MUST(open("dir", O_RDONLY)), ""));
	say_link("O_PATH", of_fd((int)MUST(open("file", O_PATH)), ""));
	MUST(symlink("file", "link"));
	say_link("O_PATH of a symlink", of_fd((int)MUST(open("link", O_PATH | O_NOFOLLOW)), ""));
	say_link("null", of_fd((int)MUST(open("/dev/null", O_RDONLY)), ""));
	say_link("closed", of_fd(99, ""));
	say_link("no number", "/proc/self/fd/x");
	say_link("cwd", "/proc/self/cwd");
	say_link("root", "/proc/self/root");
	say_link("thread cwd", "/proc/thread-self/cwd");
	MUST(lstat(of_fd(fd, ""), &st));
	say("lstat: %c", type_letter(st.st_mode));
	SEE(readlink(of_fd(fd, ""), small, sizeof(small)));
	say("truncated: %.4s", small);
	SEE(readlink("/proc/self/fd", small, sizeof(small)));
	SEE(readlink("/proc/self/fd/", small, sizeof(small)));
	SEE(readlink(of_fd(fd, "/"), small, sizeof(small)));
	SEE(unlink(of_fd(fd, "")));
	MUST(rename("file", "renamed"));
	say_link("renamed", of_fd(fd, ""));
	MUST(unlink("renamed"));
	say_link("deleted", of_fd(fd, ""));
	self[readlink("/proc/self", self, sizeof(self) - 1)] = '\0';
	say("/proc/self is %s", atoi(self) == getpid() ? "me" : "another");
	SEE(chdir("dir"));
	say_link("cwd", "/proc/self/cwd");
	SEE(rmdir("../dir"));
	say_link("removed cwd", "/proc/self/cwd");
	SEE(access("/proc/self/cwd", F_OK));
}

static void descriptors(void)
{
	char bytes[16];
	int ends[2];
	int fd = open_new("file", "hello");
	int readable = (int)MUST(open("file", O_RDONLY));
	int path = (int)MUST(open("file", O_PATH));
	int mem = (int)MUST(memfd_create("name", 0));
	int again;

	MUST(pipe(ends));
	say("stat: %s", same(of_fd(fd, ""), fd));
	say("stat pipe: %s", same(of_fd(ends[0], ""), ends[0]));
	again = (int)SEE(open(of_fd(readable, ""), O_WRONLY) == -1 ? -1 : 0);
	again = (int)MUST(open(of_fd(readable, ""), O_WRONLY));
	SEE(write(again, "J", 1));
	SEE(lseek(fd, 0, SEEK_CUR));
	SEE(pread(readable, bytes, 5, 0));
	say("now: %.5s", bytes);
	again = (int)MUST(open(of_fd(path, ""), O_RDONLY));
	SEE(read(again, bytes, 5));
	SEE(open(of_fd(fd, ""), O_RDONLY | O_NOFOLLOW));
	SEE(open(of_fd(fd, ""), O_RDONLY | O_CREAT | O_EXCL, 0644));
	SEE(open(of_fd(fd, ""), O_RDONLY | O_DIRECTORY));
	SEE(open(of_fd(fd, "/"), O_RDONLY));
	SEE(open(of_fd(fd, "/x"), O_RDONLY));
	SEE(open(of_fd(99, ""), O_RDONLY));
	again = (int)MUST(open(of_fd(ends[0], ""), O_WRONLY | O_NONBLOCK));
	SEE(write(again, "pipe", 4));
	SEE(read(ends[0], bytes, sizeof(bytes)));
	SEE(write(mem, "memory", 6));
	again = (int)MUST(open(of_fd(mem, ""), O_RDONLY));
	SEE(read(again, bytes, sizeof(bytes)));
	SEE(open(of_fd((int)MUST(socket(AF_UNIX, SOCK_STREAM, 0)), ""), O_RDWR));
	SEE(truncate(of_fd(fd, ""), 2));
	SEE(chmod(of_fd(fd, ""), 0600));
	say_stat("file");
	SEE(chmod(of_fd(mem, ""), 0600));
	SEE(access(of_fd(ends[1], ""), W_OK));
	SEE(access(of_fd(fd, ""), X_OK));
	SEE(link(of_fd(fd, ""), "linked"));
	SEE(linkat(AT_FDCWD, of_fd(fd, ""), AT_FDCWD, "linked", AT_SYMLINK_FOLLOW));
	say_stat("linked");
	MUST(unlink("linked"));
	MUST(unlink("file"));
	say("deleted: %s", same(of_fd(fd, ""), fd));
	again = (int)MUST(open(of_fd(fd, ""), O_RDWR));
	SEE(write(again, "still", 5));
	SEE(pread(fd, bytes, sizeof(bytes), 0));
	SEE(linkat(AT_FDCWD, of_fd(fd, ""), AT_FDCWD, "linked", AT_SYMLINK_FOLLOW));
	SEE(truncate(of_fd(fd, ""), 1));
	SEE(chmod(of_fd(fd, ""), 0644));
	write_file("file", "another");
	say("replaced: %s", same(of_fd(fd, ""), fd));
	again = (int)MUST(open(of_fd(fd, ""), O_RDONLY));
	SEE(read(again, bytes, sizeof(bytes)));
	again = (int)MUST(open(".", O_TMPFILE | O_RDWR, 0644));
	say_link("O_TMPFILE has a name", "/proc/self/fd/none");
	SEE(linkat(AT_FDCWD, of_fd(again, ""), AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	say_stat("named");
}

static void paths(void)
{
	int dir;
	int fd;

	MUST(mkdir("dir", 0755));
	MUST(mkdir("dir/sub", 0755));
	write_file("dir/file", "in dir");
	MUST(symlink("../file", "dir/sub/up"));
	dir = (int)MUST(open("dir", O_RDONLY));
	fd = (int)MUST(open("dir/file", O_RDONLY));
	say_content(of_fd(dir, "/file"));
	say_content(of_fd(dir, "/sub/up"));
	say_content(of_fd(dir, "/../dir/file"));
	say_content(of_fd(dir, "//file"));
	say_content("/proc/self/cwd/dir/file");
	say_content("/proc/thread-self/cwd/dir/sub/../file");
	SEE(open(of_fd(dir, "/missing"), O_RDONLY));
	SEE(open(of_fd(fd, "/x"), O_RDONLY));
	SEE(open("/proc/self/exe/x", O_RDONLY));
	SEE(mkdir(of_fd(dir, "/new"), 0755));
	write_file(of_fd(dir, "/written"), "through a link");
	say_content("dir/written");
	SEE(rename(of_fd(dir, "/written"), of_fd(dir, "/sub/moved")));
	say_content("dir/sub/moved");
	SEE(symlink(of_fd(dir, "/file"), "magic"));
	say_content("magic");
	SEE(access("/proc/self/root/proc/self/root/proc/self/cwd/dir/sub", F_OK));
	SEE(chdir(of_fd(dir, "")));
	say_link("cwd", "/proc/self/cwd");
	SEE(chdir(of_fd(fd, "")));
	SEE(chdir(".."));
	MUST(rename("dir", "elsewhere"));
	say_content(of_fd(dir, "/file"));
	say_link("moved", of_fd(dir, ""));
	SEE(open(of_fd(dir, "/."), O_RDONLY | O_DIRECTORY) >= 0 ? 0 : -1);
	SEE(open("/dev/fd/999", O_RDONLY));
	SEE(access("/dev/stdin", F_OK));
	SEE(open("/proc/self/nothing", O_RDONLY));
	SEE(open("/proc/999999999/status", O_RDONLY));
	SEE(mkdir("/proc/new", 0755));
	SEE(open("/proc/new", O_CREAT | O_WRONLY, 0644));
}

/* Print the lines of a file that begin with key. */
static void say_line(const char *path, const char *key)
{
	FILE *file = fopen(path, "r");
	char line[4096];

	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, key, strlen(key)) == 0) {
			line[strcspn(line, "\n")] = '\0';
			say("%s", line);
		}
	}
	if (file)
		fclose(file);
	else
		say("%s: %s", path, error_name(errno));
}

/* Print the permissions and the file of an address, as in /proc/self/maps. */
static void say_map(const char *what, const void *address)
{
	FILE *file = fopen("/proc/self/maps", "r");
	char line[8192];

	while (file && fgets(line, sizeof(line), file)) {
		unsigned long from;
		unsigned long to;
		char rights[8];
		char name[4096] = "";

		if (sscanf(line, "%lx-%lx %7s %*s %*s %*s %4095[^\n]", &from, &to, rights, name) <
		    3)
			say("a strange line: %s", line);
		else if ((unsigned long)address >= from && (unsigned long)address < to)
			say("%s: %s %s", what, rights,
			    strncmp(name, folder, strlen(folder)) == 0 ? name + strlen(folder)
								       : name);
	}
	if (file)
		fclose(file);
}

static void files(void)
{
	const char *mapped;
	int fd = open_new("mapped file", "x");
	int on_stack = 0;
	char bytes[65536];
	ssize_t len;
	struct statfs fs;
	const ElfW(auxv_t) * entry;
	unsigned found = 0;

	mapped = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	say_map("file", mapped);
	say_map("stack", &on_stack);
	MUST(unlink("mapped file"));
	say_map("deleted", mapped);
	say_map("anonymous",
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	say_map("heap", (char *)sbrk(4096));
	say_line("/proc/self/status", "Name:");
	say_line("/proc/self/status", "Umask:");
	say_line("/proc/self/status", "Threads:");
	say_line("/proc/self/status", "NoNewPrivs:");
	say_line("/proc/self/status", "Seccomp:");
	say_line("/proc/self/status", "SigIgn:");
	say_line("/proc/self/status", "SigCgt:");
	signal(SIGUSR1, (void (*)(int))(void *)files);
	say_line("/proc/self/status", "SigCgt:");
	say_line("/proc/self/status", "TracerPid:");
	umask(027);
	say_line("/proc/thread-self/status", "Umask:");
	umask(022);
	fd = (int)MUST(open("/proc/self/auxv", O_RDONLY));
	len = read(fd, bytes, sizeof(bytes));
	for (entry = (const void *)bytes; (const char *)entry < bytes + len; entry++) {
		if (entry->a_type == AT_NULL)
			say("auxv ends %s",
			    (const char *)(entry + 1) == bytes + len ? "well" : "early");
		else if (entry->a_type == AT_PHDR || entry->a_type == AT_ENTRY ||
			 entry->a_type == AT_EXECFN || entry->a_type == AT_RANDOM)
			found += getauxval(entry->a_type) == entry->a_un.a_val;
	}
	say("auxv tells %u values right", found);
	SEE(open("/proc/self/maps", O_RDWR));
	SEE(open("/proc/self/maps", O_RDONLY | O_DIRECTORY));
	SEE(access("/proc/self/maps", R_OK));
	say_stat("/proc/self/maps");
	fd = (int)MUST(open("/proc/self/maps", O_RDONLY));
	SEE(lseek(fd, 0, SEEK_CUR));
	SEE(fcntl(fd, F_GETFD));
	SEE(fcntl((int)MUST(open("/proc/self/maps", O_RDONLY | O_CLOEXEC)), F_GETFD));
	SEE(write(fd, "x", 1));
	SEE(read(fd, bytes, 1));
	SEE(lseek(fd, 0, SEEK_SET));
	SEE(statfs("/proc", &fs));
	say("type %lx", (unsigned long)fs.f_type);
	fd = (int)MUST(open("/proc", O_RDONLY | O_DIRECTORY));
	SEE(fstatfs(fd, &fs));
	say("type %lx", (unsigned long)fs.f_type);
	SEE(prctl(PR_GET_DUMPABLE));
	SEE(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	SEE(prctl(PR_GET_SECCOMP));
	SEE(prctl(PR_SET_NAME, "renamed"));
	say_line("/proc/self/status", "Name:");
	say_content("/proc/self/comm");
}

/* Write text into a file of a task: "self", or an id. */
static void put(const char *task, const char *name, int flags, const char *text)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/%s", task, name);
	fd = (int)SEE(open(path, flags));
	if (fd == -1)
		return;
	SEE(fcntl(fd, F_GETFL));
	SEE(fcntl(fd, F_GETFD));
	SEE(write(fd, text, strlen(text)));
	close(fd);
}

static void show(const char *task, const char *name)
{
	char text[64];
	char path[128];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/%s", task, name);
	fd = open(path, O_RDONLY);
	len = read(fd, text, sizeof(text));
	say("%s: %.*s", name, len < 0 ? 0 : (int)len, text);
	close(fd);
}

/* The files of /proc that a process of the same user may write. */
static void put_all(const char *task)
{
	put(task, "oom_score_adj", O_WRONLY, "500");
	put(task, "oom_score_adj", O_RDWR | O_CLOEXEC, "400");
	put(task, "oom_score_adj", O_WRONLY | O_TRUNC, "-1");
	put(task, "oom_score_adj", O_WRONLY | O_APPEND | O_NONBLOCK, "x");
	show(task, "oom_score_adj");
	put(task, "coredump_filter", O_WRONLY, "0x11");
	show(task, "coredump_filter");
	put(task, "clear_refs", O_WRONLY, "1");
	put(task, "clear_refs", O_WRONLY, "9");
	put(task, "clear_refs", O_RDONLY, "");
	put(task, "comm", O_WRONLY, "other");
	show(task, "comm");
	put(task, "environ", O_WRONLY, "x");
	put(task, "status", O_RDWR, "x");
	put(task, "nothing", O_WRONLY, "x");
}

static void writes(void)
{
	static char word[] = "before";
	const pid_t child = (pid_t)MUST(fork());
	char task[64];
	int fd;

	if (child == 0) {
		pause();
		_exit(0);
	}
	put_all("self");
	put_all("thread-self");
	snprintf(task, sizeof(task), "self/task/%d", getpid());
	put_all(task);
	snprintf(task, sizeof(task), "%d", child);
	put_all(task);
	fd = (int)SEE(open("/proc/self/mem", O_RDWR));
	SEE(pwrite(fd, "behind", 6, (off_t)(uintptr_t)word));
	say("%s", word);
	close(fd);
	kill(child, SIGKILL);
	SEE(waitpid(child, NULL, 0) == child);
	put(task, "oom_score_adj", O_WRONLY, "500");
}

int main(int argc, char **argv)
{
	static const struct part groups[] = {
		{"links", links}, {"descriptors", descriptors}, {"paths", paths},
		{"files", files}, {"writes", writes},
	};

	folder = argc > 2 ? argv[2] : ".";
	if (argc > 2)
		MUST(chdir(folder));
	return run_group(argc, argv, groups, COUNT(groups));
}
