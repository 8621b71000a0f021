/* SPDX-License-Identifier: MIT */
/*
 * files_limit.h - the number of descriptors that a process may have.
 */
#ifndef SB_FILES_LIMIT_H
#define SB_FILES_LIMIT_H

#include "base/abi.h"
#include "base/sys.h"

#define SB_RLIMIT_FILES 7 /* RLIMIT_NOFILE */

/* Let this process have as many descriptors as its hard limit allows. usual is the struct rlimit
 * before. */
static inline void sb_files_limit_raise(uint64_t usual[2])
{
	uint64_t files[2];

	sb_syscall(__NR_getrlimit, SB_RLIMIT_FILES, SB_P(usual), 0, 0, 0, 0);
	files[0] = files[1] = usual[1];
	sb_syscall(__NR_setrlimit, SB_RLIMIT_FILES, SB_P(files), 0, 0, 0, 0);
}

#endif
