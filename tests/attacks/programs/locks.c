/* SPDX-License-Identifier: MIT */
/*
 * locks.c - hold locks for which the host side would wait.
 *
 *   locks PATH... (of the host)
 */
#include "attack.h"

#include <sys/file.h>

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const long fd = PAST(SYS_openat, AT_FDCWD, argv[i], O_RDONLY);
		char what[PATH_MAX + 16];

		snprintf(what, sizeof(what), "hold %s", argv[i]);
		attempt(what, fd < 0 ? fd : PAST(SYS_flock, fd, LOCK_EX | LOCK_NB));
	}
	return 0;
}
