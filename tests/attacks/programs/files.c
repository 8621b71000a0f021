/* SPDX-License-Identifier: MIT */
/*
 * files.c - reach files of the machine that the container does not show.
 *
 *   files KEY CANARY (a file to read, a directory to write to)
 */
#include "attack.h"

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
	return 0;
}
