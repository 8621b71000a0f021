/* SPDX-License-Identifier: MIT */
/*
 * filesize.h - how large a file may become.
 *
 * Rules
 *   The kernel sends SIGXFSZ to a process that exceeds RLIMIT_FSIZE. The runtime asks for the limit
 *   before it writes a file of its own, so that no such write ends the guest's program.
 */
#ifndef SB_FILESIZE_H
#define SB_FILESIZE_H

#include "base/sys.h"

/* Is it more than the program may write? */
static inline bool sb_is_above_file_limit(uint64_t size)
{
	const long file_size = 1; /* RLIMIT_FSIZE */
	uint64_t limit[2] = {0, 0};

	return sb_syscall(__NR_prlimit64, 0, file_size, 0, SB_P(limit), 0, 0) == 0 &&
	       size > limit[0];
}

#endif
