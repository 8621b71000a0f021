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
	layer();
	together();
	return 0;
}
