/* SPDX-License-Identifier: MIT */
/*
 * path.h - path strings in fixed buffers.
 *
 * Rules
 *   A canonical guest path is absolute, has no empty, "." or ".." component and no slash at the
 *   end; the root is "/". Appending never overflows: it returns -ENAMETOOLONG and leaves the path
 *   as it was.
 */
#ifndef SB_PATH_H
#define SB_PATH_H

#include "base/abi.h"
#include "base/base.h"

struct sb_path {
	uint32_t len;           /* without the NUL */
	char buf[SB_PATH_MAX];  /* NUL-terminated */
};

int sb_path_set(struct sb_path *path, const char *text, size_t len) SB_MUST_CHECK;
/* Append bytes without a slash before them. */
int sb_path_add(struct sb_path *path, const char *text, size_t len) SB_MUST_CHECK;
/* Append "/", unless the path ends in one, and the name. */
int sb_path_join(struct sb_path *path, const char *name, size_t len) SB_MUST_CHECK;
/* The same for a path from the directory path, of which the first "./" and "../" are followed.
 * Other dots and slashes stay as they are. */
int sb_path_go(struct sb_path *path, const char *from, size_t len) SB_MUST_CHECK;
/* Cut the last component; the root stays the root. */
void sb_path_pop(struct sb_path *path);
/* Offset of the last component; 1 for the root. */
uint32_t sb_path_name(const struct sb_path *path);
/* The length of a canonical path; 0 when it is "/" or not canonical. */
uint32_t sb_path_canonical(const char *path);
/* Is inner equal to outer or below it? Both canonical. */
bool sb_path_within(const char *inner, size_t inner_len, const char *outer, size_t outer_len);

#endif
