/* SPDX-License-Identifier: MIT */
/*
 * filesize.h - how large a file may become.
 *
 * Level 0.
 * Rules
 *   What the runtime writes for itself never ends the program: who exceeds RLIMIT_FSIZE is sent
 *   SIGXFSZ, so the limit is asked for before.
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
