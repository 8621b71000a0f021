/* SPDX-License-Identifier: MIT */
/*
 * links.c - put other files than its own into the container's layer, and odd attributes.
 *
 *   links KEY FILE LAYER   make hard links to files of the machine, and to the layer's and the
 *                          run's files, in the upper, past the runtime
 *   links odd              leave attributes and names that a copy might stumble over, and wait
 */
#include "attack.h"

#include <sys/xattr.h>

static char upper[PATH_MAX / 2]; /* the host's path of the container's layer */

static void find_upper(void)
{
	char name[64];
	long len;
	int fd = (int)MUST(open("/tmp/found", O_WRONLY | O_CREAT, 0644));

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	len = PAST(SYS_readlink, name, upper, sizeof(upper) - 1);
	MUST(close(fd));
	if (len < (long)strlen("/tmp/found"))
		exit(3);
	upper[len - (long)strlen("/tmp/found")] = '\0';
}

static long in_upper(const char *name)
{
	static char paths[2][PATH_MAX];
	static unsigned next;
	char *path = paths[next++ % 2];

	snprintf(path, PATH_MAX, "%s/%s", upper, name);
	return (long)path;
}

static void link_all(const char *what, const char *path, const char *name)
{
	char text[128];
	char held[64];
	char made[64];
	const long fd = PAST(SYS_openat, AT_FDCWD, path, O_PATH); /* of any file */

	snprintf(text, sizeof(text), "link %s", what);
	attempt(text, PAST(SYS_link, path, in_upper(name)));
	snprintf(held, sizeof(held), "/proc/self/fd/%ld", fd);
	snprintf(made, sizeof(made), "%s-by-descriptor", name);
	snprintf(text, sizeof(text), "link %s by a descriptor", what);
	attempt(text,
		PAST(SYS_linkat, AT_FDCWD, held, AT_FDCWD, in_upper(made), AT_SYMLINK_FOLLOW));
	snprintf(made, sizeof(made), "%s-by-nothing", name);
	snprintf(text, sizeof(text), "link %s by an empty path", what);
	attempt(text, PAST(SYS_linkat, fd, "", AT_FDCWD, in_upper(made), AT_EMPTY_PATH));
	PAST(SYS_close, fd);
}

static void link_run_files(void)
{
	char run[PATH_MAX / 2];
	char path[PATH_MAX];

	find_run_directory(run, sizeof(run));
	snprintf(path, sizeof(path), "%s/shared", run);
	link_all("the shared memory", path, "shared");
	snprintf(path, sizeof(path), "%s/guest", run);
	link_all("the guest program", path, "guest");
}

static void make_odd(void)
{
	static char big[32768];
	char name[64];
	long fd;

	MUST(mkdir("/odd", 0755));
	fd = MUST(open("/odd/file", O_RDWR | O_CREAT, 0644));
	MUST(write((int)fd, "content", 7));
	memset(big, 'x', sizeof(big));
	attempt("set an attribute of odd bytes",
		PAST(SYS_setxattr, in_upper("odd/file"), "user.\xff\n=\x01", "a\0b", 3, 0));
	attempt("set a record of another program",
		PAST(SYS_setxattr, in_upper("odd/file"), "user.overlay.whiteout", "y", 1, 0));
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "user.sandbox.%d", i);
		PAST(SYS_setxattr, in_upper("odd/file"), name, big, i == 0 ? sizeof(big) : 50, 0);
	}
	attempt("make an alias of a file",
		PAST(SYS_link, in_upper("odd/file"), in_upper("odd/alias")));
	attempt("make a name of odd bytes",
		PAST(SYS_link, in_upper("odd/file"), in_upper("odd/a\xff\n\x1b[2J")));
	attempt("make a link to nowhere", PAST(SYS_symlink, "/\xff/../..", in_upper("odd/link")));
	attempt("make a pipe", PAST(SYS_mknod, in_upper("odd/pipe"), S_IFIFO | 0600, 0));
	attempt("begin", 0);
	pause();
}

int main(int argc, char **argv)
{
	find_upper();
	if (argc == 2)
		make_odd();
	if (argc != 4)
		return 2;
	link_all("the key", argv[1], "key");
	link_all("a file of the user", argv[2], "file");
	link_all("a program of the image", argv[3], "program");
	link_run_files();
	return 0;
}
