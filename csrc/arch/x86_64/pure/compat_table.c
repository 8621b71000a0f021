/* SPDX-License-Identifier: MIT */
/*
 * compat_table.c - which system calls of 32-bit programs the kernel answers.
 */
#include "compat_table.h"

static const bool native[SB_COMPAT_KNOWN + 1] = {
#define NATIVE(nr, name) [nr] = true,
#define PLAIN(nr, name, call)
#define CONVERT(nr, name, call, change)
#define REFUSE(nr, name, error)
#include "i386.def"
#undef NATIVE
#undef PLAIN
#undef CONVERT
#undef REFUSE
};

bool sb_compat_is_native(uint64_t nr)
{
	return nr <= SB_COMPAT_KNOWN && native[nr];
}
