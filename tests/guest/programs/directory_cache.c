/* SPDX-License-Identifier: MIT */
/*
 * directory_cache.c - make, move and remove names again and again in one folder.
 *
 * `directory_cache FOLDER` expects lower/{one,two,three} and lower/below in the folder, uses whole
 * paths only, and prints one line for each observation. What the sandbox remembers of a directory
 * must never outlive a change of it, by this process or by another.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 400

static char folder[512];

/* Return a path in the folder. It is valid until the fourth call after this one. */
static const char *in(const char *name)
{
	static char paths[4][700];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static void say(const char *what, int result)
{
	printf("%s: %s\n", what, result < 0 ? strerror(errno) : "ok");
}

static int make(const char *name)
{
	int fd = open(in(name), O_WRONLY | O_CREAT | O_EXCL, 0644);

	return fd < 0 ? fd : close(fd);
}

static int move(const char *from, const char *to)
{
	return rename(in(from), in(to));
}

static int take(const char *name)
{
	return unlink(in(name));
}

/* Use a directory so often that the sandbox remembers it. */
static void warm(const char *where)
{
	char a[64];
	char b[64];

	snprintf(a, sizeof(a), "%s/warm", where);
	snprintf(b, sizeof(b), "%s/warmer", where);
	for (int i = 0; i < 3; i++) {
		if (make(a) < 0 || move(a, b) < 0 || take(b) < 0)
			say("warm", -1);
	}
}

static void files(void)
{
	warm("new");
	say("make", make("new/a"));
	say("make again", make("new/a"));
	say("move", move("new/a", "new/b"));
	say("move what is gone", move("new/a", "new/c"));
	say("take what is gone", take("new/a"));
	say("make another", make("new/a"));
	say("move over", move("new/b", "new/a"));
	say("take", take("new/a"));
	say("take again", take("new/a"));
	say("take a directory", take("new"));
	say("slash", unlink(in("new/x/")));
	say("no such folder", make("none/a"));
}

static void directories(void)
{
	struct stat st;

	warm("new");
	say("mkdir", mkdir(in("new/d"), 0755));
	say("make below", make("new/d/x"));
	say("move it", move("new/d", "new/e"));
	say("old name", make("new/d/y"));
	say("new name", make("new/e/y"));
	say("a link in its place", symlink(in("new/e"), in("new/d")));
	say("through the link", make("new/d/z"));
	say("which is there", stat(in("new/e/z"), &st));
	say("over a directory", move("new/e/z", "new/e"));
	say("take it", take("new/e"));
	say("the link", take("new/d"));
	for (int i = 0; i < 3; i++) {
		char name[] = {'n', 'e', 'w', '/', 'e', '/', "xyz"[i], '\0'};

		say("empty it", take(name));
	}
	say("rmdir", rmdir(in("new/e")));
	say("gone", make("new/e/x"));
	say("mkdir", mkdir(in("new/e"), 02755));
	say("make", make("new/e/x"));
	say("chmod", chmod(in("new/e"), 02755));
	say("make", make("new/e/x2"));
	say("take", take("new/e/x") + take("new/e/x2"));
	say("rmdir", rmdir(in("new/e")));
}

/* What a call says of a name that is there, is not, or is another thing. */
static void answers(void)
{
	warm("new");
	say("mkdir", mkdir(in("new/p"), 0755));
	warm("new/p");
	say("make", make("new/p/f"));
	say("rmdir of a full one", rmdir(in("new/p")));
	say("make after it", make("new/p/g"));
	say("mkdir over it", mkdir(in("new/p"), 0755));
	say("mkdir over a file", mkdir(in("new/p/f"), 0755));
	say("symlink over a file", symlink("x", in("new/p/f")));
	say("link", link(in("new/p/f"), in("new/p/h")));
	say("link over a file", link(in("new/p/f"), in("new/p/g")));
	say("link of nothing", link(in("new/p/none"), in("new/p/i")));
	say("link into nothing", link(in("new/p/f"), in("new/none/i")));
	say("link of a directory", link(in("new/p"), in("new/q")));
	say("symlink", symlink("nowhere", in("new/p/s")));
	say("link of a symlink", link(in("new/p/s"), in("new/p/t")));
	say("rmdir of a file", rmdir(in("new/p/f")));
	say("rmdir of a symlink", rmdir(in("new/p/s")));
	say("rmdir of nothing", rmdir(in("new/p/none")));
	say("unlink of nothing", take("new/p/none"));
	say("unlink in nothing", take("new/none/f"));
	say("rename of nothing", move("new/p/none", "new/p/k"));
	say("mkdir below", mkdir(in("new/p/sub"), 0755));
	say("rename of a directory", move("new/p/sub", "new/p/sub2"));
	say("below its old name", make("new/p/sub/f"));
	say("below its new name", make("new/p/sub2/f"));
	say("take it", take("new/p/sub2/f") + rmdir(in("new/p/sub2")));
	say("take all", take("new/p/f") + take("new/p/g") + take("new/p/h") + take("new/p/s") +
				take("new/p/t"));
	say("rmdir", rmdir(in("new/p")));
	say("rmdir again", rmdir(in("new/p")));
}

/* Run what another process does. */
static void elsewhere(void (*run)(void))
{
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		run();
		fflush(stdout);
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

static void put_link_there(void)
{
	say("other: rmdir", rmdir(in("new/r")));
	say("other: a link in its place", symlink(in("lower"), in("new/r")));
}

static void put_directory_there(void)
{
	say("other: take the link", take("new/r"));
	say("other: mkdir", mkdir(in("new/r"), 0755));
	say("other: make", make("new/r/file"));
}

static void close_file(void)
{
	say("other: chmod", chmod(in("new/fresh"), 0400));
}

static void say_mode(int fd)
{
	struct stat st;

	say("fstat", fstat(fd, &st));
	printf("mode %o, links %d\n", (unsigned)st.st_mode, (int)st.st_nlink);
	say("stat", stat(in("new/fresh"), &st));
	printf("mode %o, links %d\n", (unsigned)st.st_mode, (int)st.st_nlink);
}

/* What another process does to a directory, or to a file that this one has made. */
static void others(void)
{
	struct stat st;
	int copy;
	int fd;

	warm("new");
	say("mkdir", mkdir(in("new/r"), 0755));
	warm("new/r");
	elsewhere(put_link_there);
	say("one through the link", stat(in("new/r/one"), &st));
	say("make through the link", make("new/r/made"));
	say("where it leads", take("lower/made"));
	elsewhere(put_directory_there);
	say("one is no more", stat(in("new/r/one"), &st));
	say("file", stat(in("new/r/file"), &st));
	say("take", take("new/r/file") + rmdir(in("new/r")));
	fd = open(in("new/fresh"), O_RDWR | O_CREAT | O_EXCL, 0600);
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 20);
	say("fchmod", fchmod(fd, 0640));
	say_mode(fd);
	elsewhere(close_file);
	say_mode(copy);
	say("fchmod", fchmod(copy, 0755));
	say_mode(fd);
	say("fchmod", fchmod(fd, 0000));
	say_mode(fd);
	say("fchown", fchown(fd, (uid_t)-1, (gid_t)-1));
	say("futimens", futimens(copy, NULL));
	say_mode(copy);
	say("take", take("new/fresh"));
	close(fd);
	close(copy);
}

/* Names of a lower layer that are removed, replaced and moved. */
static void layer(void)
{
	warm("lower");
	say("make what is there", make("lower/one"));
	say("take", take("lower/one"));
	say("take again", take("lower/one"));
	say("move what is gone", move("lower/one", "lower/x"));
	say("make", make("lower/one"));
	say("take", take("lower/one"));
	say("move to a new name", move("lower/two", "lower/x"));
	say("the old one", take("lower/two"));
	say("move the directory", move("lower", "moved"));
	warm("moved");
	say("a name hidden before", take("moved/one"));
	say("and another", move("moved/two", "moved/y"));
	say("make over it", make("moved/one"));
	say("what stayed", take("moved/three"));
	say("what was moved", take("moved/x"));
	say("below", move("moved/below", "moved/deeper"));
	say("the last", take("moved/one"));
	say("rmdir", rmdir(in("moved/deeper")) + rmdir(in("moved")));
}

/* One process makes a directory again and again while another moves it away. */
static void together(void)
{
	int moved = 0;
	int status = 0;
	pid_t child;

	warm("new");
	fflush(stdout);
	child = fork();
	if (child == 0) {
		for (int i = 0; i < ROUNDS; i++) {
			while (mkdir(in("new/m"), 0755) < 0 && errno == EEXIST)
				sched_yield();
		}
		_exit(0);
	}
	for (int i = 0; i < ROUNDS; i++) {
		while (move("new/m", "new/n") < 0)
			sched_yield();
		moved += make("new/n/f") == 0 && take("new/n/f") == 0 && rmdir(in("new/n")) == 0;
		if (make("new/n/f") == 0)
			moved = -1; /* the file was made in another directory */
	}
	waitpid(child, &status, 0);
	printf("moved %d of %d, %d\n", moved, ROUNDS, status);
}

int main(int argc, char **argv)
{
	snprintf(folder, sizeof(folder), "%s", argc > 1 ? argv[1] : ".");
	say("mkdir", mkdir(in("new"), 0755));
	files();
	directories();
	answers();
	others();
	layer();
	together();
	return 0;
}
