/* SPDX-License-Identifier: MIT */
/*
 * status.h - what the kernel says of a task in /proc/TID/status, and of a pidfd in its fdinfo.
 */
#ifndef SB_TASK_STATUS_H
#define SB_TASK_STATUS_H

#include "base/base.h"

/* Read the beginning of the file. The number of bytes, or -errno. It opens a descriptor: the caller
 * has begun a commit section. */
long sb_task_status_read(uint32_t tid, char *text, size_t size) SB_MUST_CHECK;
/* The same of /proc/self/fdinfo/FD. */
long sb_task_fdinfo_read(int fd, char *text, size_t size) SB_MUST_CHECK;
/* The number behind a key, which begins with the newline before it. base is 10 or 16. 0: there is
 * no such line, or len is an error. */
uint64_t sb_task_status_number(const char *text, long len, const char *key, unsigned base);

#endif
