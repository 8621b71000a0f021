/* SPDX-License-Identifier: MIT */
/*
 * mark.h - the mark that the processes of a container have: a hard limit that none can raise.
 */
#ifndef SB_MARK_H
#define SB_MARK_H

#include "base/abi.h"
#include "base/sys.h"

/* Read the mark of a process, 0 for none; pid 0 is the calling one. -ESRCH, -EPERM. */
static inline int sb_mark_of(long pid, uint64_t *mark)
{
	uint64_t limits[2] = {0, 0}; /* struct rlimit: soft, hard */
	const long err = sb_syscall(__NR_prlimit64, pid, SB_MARK_RESOURCE, 0, SB_P(limits), 0, 0);

	*mark = limits[1] >= SB_MARK_FIRST && limits[1] <= SB_MARK_LAST ? limits[1] : 0;
	return (int)err;
}

/* Take the mark off this process, which is not confined. */
static inline void sb_mark_drop(void)
{
	const uint64_t low[2] = {SB_MARK_FIRST - 1, SB_MARK_FIRST - 1}; /* struct rlimit */

	sb_syscall(__NR_prlimit64, 0, SB_MARK_RESOURCE, SB_P(low), 0, 0, 0);
}

#endif
