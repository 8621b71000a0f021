/* SPDX-License-Identifier: MIT */
/*
 * opener_tasks.h - the files of /proc/PID that processes of the container write.
 *
 * How it works
 *   Landlock lets the container read /proc, and write nothing in it: there it could grant only
 *   all processes of the machine or none. A guest sends a descriptor that names a file
 *   (O_PATH). The kernel says what the file is, and that process decides.
 * Rules
 *   The process is the sender, or one of the container that a filter confines already: one that
 *   is on its way in has the mark and is not confined yet. A descriptor of an ended process opens
 *   nothing, though another process may have got its number.
 */
#ifndef SB_OPENER_TASKS_H
#define SB_OPENER_TASKS_H

#include "base/base.h"

/* Open what named names, to write, for a process with this id. mark is the container's, or 0.
 * -EACCES: the file or its process is another's. */
long sb_opener_open_task_file(int named, int flags, long sender, uint64_t mark) SB_MUST_CHECK;

#endif
