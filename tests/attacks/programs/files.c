/* SPDX-License-Identifier: MIT */
/*
 * files.c - reach files of the machine that the container does not show.
 *
 *   files KEY CANARY (a file to read, a directory to write to)
 */
#include "ask_opener.h"

#define IN_ANY 0xfff /* IN_ALL_EVENTS */

/* Learn which names are made and used there. */
static void watch(const char *what, const char *path)
{
	char by_opener[128];
	const long inotify = PAST(SYS_inotify_init1, 0);
	const long named = PAST(SYS_openat, AT_FDCWD, path, O_PATH);

	attempt(what, PAST(SYS_inotify_add_watch, inotify, path, IN_ANY));
	snprintf(by_opener, sizeof(by_opener), "%s by the opener", what);
	attempt(by_opener, ask_opener(SB_WATCH_ADD, IN_ANY, 0, (int)inotify, (int)named));
}

int main(int argc, char **argv)
{
	char name[PATH_MAX];
	char link[PATH_MAX];

	if (argc != 3)
		return 2;
	snprintf(name, sizeof(name), "%s/made", argv[2]);
	snprintf(link, sizeof(link), "%s/link", argv[2]);
	attempt("read the key", PAST(SYS_openat, AT_FDCWD, argv[1], O_RDONLY));
	attempt("list its directory", PAST(SYS_openat, AT_FDCWD, argv[2], O_RDONLY | O_DIRECTORY));
	attempt("make a file", PAST(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT, 0600));
	attempt("make a link to the key", PAST(SYS_link, argv[1], link));
	attempt("remove the file", PAST(SYS_unlink, name));
	watch("watch the key", argv[1]);
	watch("watch its directory", argv[2]);
	watch("watch the root of the machine", "/");
	return 0;
}
