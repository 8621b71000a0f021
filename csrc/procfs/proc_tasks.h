/* SPDX-License-Identifier: MIT */
/*
 * proc_tasks.h - numbers of tasks in files of /proc, in a container's terms.
 *
 * A number of a task outside becomes 0, as in a pid namespace. Pure but for the question whose a
 * number is (tree/tasks.h).
 */
#ifndef SB_PROC_TASKS_H
#define SB_PROC_TASKS_H

#include "procfs/proc_text.h"

/* Append /proc/PID/stat. may_look: the reader may see addresses of the process. */
void sb_proc_stat(const struct sb_tree *tree, bool may_look, const char *text, size_t len,
		  struct sb_proc_out *out);
/* Append a line of /proc/PID/status, if it is one of numbers of tasks; else false. */
bool sb_proc_status_numbers(const struct sb_tree *tree, const char *line, size_t len,
			    struct sb_proc_out *out);
/* Append a line of /proc/PID/fdinfo/N. */
void sb_proc_fdinfo_line(const struct sb_tree *tree, const char *line, size_t len,
			 struct sb_proc_out *out);
/* Would sb_proc_fdinfo_line() change the line? */
bool sb_proc_fdinfo_names_task(const char *line, size_t len);
/* Append a line of /proc/locks. Nothing for a lock of a process outside. */
void sb_proc_lock_line(const struct sb_tree *tree, const char *line, size_t len,
		       struct sb_proc_out *out);
/* Append a line of /proc/PID/timers, or the first line of /proc/PID/sched. */
void sb_proc_timer_line(const struct sb_tree *tree, const char *line, size_t len,
			struct sb_proc_out *out);
void sb_proc_sched_line(const struct sb_tree *tree, const char *line, size_t len,
			struct sb_proc_out *out);
/* Append /proc/PID/task/TID/children. */
void sb_proc_children(const struct sb_tree *tree, const char *text, size_t len,
		      struct sb_proc_out *out);

#endif
