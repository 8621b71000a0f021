/* SPDX-License-Identifier: MIT */
/*
 * log.h - build one line of text in a caller's buffer and write it.
 *
 * Rules
 *   Signal-safe: no heap, no locks, no globals. A line that grows too long is cut off and ends in
 *   "...". Bytes that are not printable ASCII become \xNN, so the text is always one line.
 */
#ifndef SB_LOG_H
#define SB_LOG_H

#include "base/base.h"

#define SB_LINE_MAX 1024

struct sb_line {
	uint32_t len;
	bool cut;
	char text[SB_LINE_MAX + 8];
};

void sb_line_start(struct sb_line *line);
/* Append our own text as it is. */
void sb_line_add(struct sb_line *line, const char *text);
/* Append len bytes of a guest's text with escapes. */
void sb_line_bytes(struct sb_line *line, const char *bytes, size_t len);
/* Append a guest's string in double quotes, with escapes. */
void sb_line_path(struct sb_line *line, const char *path);
void sb_line_dec(struct sb_line *line, int64_t value);
void sb_line_hex(struct sb_line *line, uint64_t value);
/* Append the result of a call: a number, or "-ENOENT" for -ENOENT. */
void sb_line_result(struct sb_line *line, long result);
/* End the line with a newline and write it to fd in one write(2). */
void sb_line_write(struct sb_line *line, int fd);
/* Append the line to an existing file (the trace). A file that is gone or full is no error of
 * the guest. No descriptor stays open. */
void sb_line_append(struct sb_line *line, const char *file);

/* "ENOENT" for 2; NULL for a number that is no errno. */
const char *sb_errno_name(long number);

/* Report a broken invariant of the runtime on standard error and end the whole process with
 * SB_EXIT_BUG. Never for anything that a guest can cause. */
#define SB_BUG(message) sb_bug(__FILE__, __LINE__, message)
SB_NORETURN SB_COLD void sb_bug(const char *file, int line, const char *message);

#endif
