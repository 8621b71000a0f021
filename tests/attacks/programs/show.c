/* SPDX-License-Identifier: MIT */
/*
 * show.c - print what a file holds.
 *
 *   show PATH
 */
#include "attack.h"

int main(int argc, char **argv)
{
	char text[256] = "";
	int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;

	if (fd >= 0)
		MUST(read(fd, text, sizeof(text) - 1));
	say("held: %s", text);
	attempt("show a file", 0);
	return 0;
}
