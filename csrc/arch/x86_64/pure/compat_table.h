/* SPDX-License-Identifier: MIT */
/*
 * compat_table.h - which system calls of 32-bit programs the kernel answers.
 *
 * i386.def is the table.
 */
#ifndef SB_COMPAT_TABLE_H
#define SB_COMPAT_TABLE_H

#include "base/base.h"

/* The highest number with a row. */
#define SB_COMPAT_KNOWN 462
#define SB_COMPAT_IOCTL 54
#define SB_COMPAT_SETRLIMIT 75
#define SB_COMPAT_CLONE 120
#define SB_COMPAT_FCNTL 55
#define SB_COMPAT_FCNTL64 221

/* Does the kernel answer it? All others come into the runtime. */
bool sb_compat_is_native(uint64_t nr);
/* Does the runtime make it for a 32-bit program? */
bool sb_compat_is_own(uint64_t nr);

#endif
