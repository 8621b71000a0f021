/* SPDX-License-Identifier: MIT */
/*
 * dirent.h - an entry of a directory, as getdents64(2) gives it.
 */
#ifndef SB_DIRENT_H
#define SB_DIRENT_H

#include "base/base.h"

/* struct linux_dirent64 */
struct sb_dirent {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	unsigned char type;
	char name[];
};

/* Is it "." or ".."? */
static inline bool sb_is_dots(const char *name)
{
	return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

#endif
