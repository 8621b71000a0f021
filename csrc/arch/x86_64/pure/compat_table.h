/* SPDX-License-Identifier: MIT */
/*
 * compat_table.h - what becomes of each system call number of 32-bit programs.
 *
 * Level 1. The table itself is i386.def.
 */
#ifndef SB_COMPAT_TABLE_H
#define SB_COMPAT_TABLE_H

#include "base/base.h"

/* The highest number with a row. */
#define SB_COMPAT_KNOWN 462
#define SB_COMPAT_IOCTL 54

/* May the kernel answer it? All others come into the runtime. */
bool sb_compat_is_native(uint64_t nr);

#endif
