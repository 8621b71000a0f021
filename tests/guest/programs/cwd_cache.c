/* SPDX-License-Identifier: MIT */
/*
 * cwd_cache.c - the working directory, after threads and other processes changed or moved it.
 *
 * `cwd_cache FOLDER` prints one line for each observation, with paths relative to the folder. What
 * the sandbox remembers of the working directory must never be out of date.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[512];

static const char *in(const char *name)
{
	static char paths[4][700];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

/* Print the working directory twice, and whether a relative name is found in it. */
static void where(const char *when)
{
	char cwd[700];
	size_t len = strlen(folder);
	struct stat here;
	struct stat there;

	for (int i = 0; i < 2; i++) {
		if (!getcwd(cwd, sizeof(cwd))) {
			printf("%s: %s\n", when, strerror(errno));
			continue;
		}
		printf("%s: %s, %s\n", when, strncmp(cwd, folder, len) == 0 ? cwd + len : cwd,
		       stat(".", &here) == 0 && stat(cwd, &there) == 0 &&
				       here.st_ino == there.st_ino
			       ? "here"
			       : "elsewhere");
	}
	printf("%s: file %s\n", when, access("name", F_OK) == 0 ? "found" : strerror(errno));
}

static void must(int result, const char *what)
{
	if (result < 0)
		printf("%s: %s\n", what, strerror(errno));
}

static void *go_to_b(void *arg)
{
	(void)arg;
	must(chdir(in("b")), "chdir in a thread");
	return NULL;
}

static void *go_alone(void *arg)
{
	(void)arg;
	must(unshare(CLONE_FS), "unshare");
	must(chdir(in("a")), "chdir alone");
	where("alone");
	return NULL;
}

static void thread(void *(*body)(void *))
{
	pthread_t id;

	pthread_create(&id, NULL, body, NULL);
	pthread_join(id, NULL);
}

static int go_to_a(void *arg)
{
	(void)arg;
	return chdir(in("a")) < 0;
}

/* A child that shares the working directory or the memory changes its working directory. */
static void cloned(int flags, const char *when)
{
	static char stack[65536] __attribute__((aligned(16)));
	int status = 0;
	pid_t child = clone(go_to_a, stack + sizeof(stack), flags | SIGCHLD, NULL);

	must(child, "clone");
	waitpid(child, &status, 0);
	printf("%s: %d\n", when, status);
	where(when);
}

static void by_other(const char *from, const char *to)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0)
		_exit(rename(in(from), in(to)) < 0);
	waitpid(child, &status, 0);
	must(status == 0 ? 0 : -1, "rename by another process");
}

static void take_away(void)
{
	must(mkdir(in("gone"), 0755), "mkdir");
	must(chdir(in("gone")), "chdir");
	where("new");
	must(rmdir(in("gone")), "rmdir");
	where("removed");
	must(mkdir(in("gone"), 0755), "mkdir");
	where("another of that name");
}

/* Find files relative to a directory while the directory changes. */
static void relative(void)
{
	int dir = open(in("b"), O_RDONLY | O_DIRECTORY);
	char text[8] = {0};
	int fd;

	must(chdir(in("b")), "chdir");
	fd = open("name", O_RDONLY);
	must(fd, "open");
	printf("read %zd\n", read(fd, text, sizeof(text)));
	close(fd);
	fd = openat(dir, "sub/../name", O_RDONLY);
	must(fd, "openat");
	close(fd);
	must(rename("name", "other"), "rename");
	printf("gone: %d\n", open("name", O_RDONLY));
	printf("gone: %d\n", openat(dir, "name", O_RDONLY));
	fd = openat(dir, "name", O_WRONLY | O_CREAT | O_EXCL, 0644);
	must(fd, "create");
	printf("wrote %zd\n", write(fd, "12", 2));
	close(fd);
	fd = open("name", O_RDONLY);
	printf("read %zd\n", read(fd, text, sizeof(text)));
	close(fd);
	close(dir);
}

int main(int argc, char **argv)
{
	snprintf(folder, sizeof(folder), "%s", argc > 1 ? argv[1] : ".");
	must(chdir(in("a")), "chdir");
	where("at first");
	thread(go_to_b);
	where("after the thread");
	must(fchdir(open(in("a"), O_RDONLY)), "fchdir");
	where("fchdir");
	must(chdir("../b/sub"), "chdir");
	where("relative");
	must(chdir(in("b")), "chdir");
	cloned(CLONE_VM | CLONE_VFORK, "shared memory");
	cloned(0, "nothing shared");
	must(mkdir(in("made"), 0755), "mkdir");
	must(chdir(in("made")), "chdir");
	must(close(open("name", O_WRONLY | O_CREAT, 0644)), "create");
	where("made");
	by_other("made", "moved");
	where("renamed by another");
	must(rename(in("moved"), in("made")), "rename");
	where("renamed");
	take_away();
	relative();
	cloned(CLONE_FS, "shared directory");
	must(chdir(in("b")), "chdir");
	thread(go_alone);
	where("the others");
	return 0;
}
