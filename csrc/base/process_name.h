/* SPDX-License-Identifier: MIT */
/*
 * process_name.h - the name that ps shows for a process of the runtime.
 */
#ifndef SB_PROCESS_NAME_H
#define SB_PROCESS_NAME_H

#include <linux/prctl.h>

#include "base/mem.h"
#include "base/sys.h"

/* Forget the command line, which may hold secrets of the program, and take a name instead. It is
 * cut where the old words end, which the kernel put one behind the other. */
static inline void sb_process_rename(const char *name, char **argv)
{
	char *const first = argv[0];
	size_t room = 0;

	sb_syscall(__NR_prctl, PR_SET_NAME, SB_P(name), 0, 0, 0, 0);
	for (; *argv != NULL; argv++) {
		room = (size_t)(*argv - first) + strlen(*argv);
		memset(*argv, 0, strlen(*argv));
	}
	if (room > 0)
		memcpy(first, name, SB_MIN(room, strlen(name)));
}

#endif
