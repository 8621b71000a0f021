/* SPDX-License-Identifier: MIT */
/*
 * proc_limits.h - what files say of a container's limits. Pure.
 *
 * As lxcfs shows them: a container with limits has the memory and the CPUs of its limits.
 */
#ifndef SB_PROC_LIMITS_H
#define SB_PROC_LIMITS_H

#include "procfs/proc_text.h"

/* Do programs see fewer CPUs than the machine has? */
bool sb_limits_cpus(const struct sb_control *control);
/* Do they see this one? */
bool sb_limits_has_cpu(const struct sb_control *control, unsigned cpu);
/* Append the CPUs of a mask as a list ("0-2,5"), with a newline. */
void sb_limits_cpu_list(const uint64_t *mask, unsigned words, struct sb_proc_out *out);

/* Append a line of /proc/meminfo where used of limit bytes are in use. */
void sb_limits_meminfo_line(uint64_t limit, uint64_t used, const char *line, size_t len,
			    struct sb_proc_out *out);
/* Append a line of /proc/cpuinfo. *hidden belongs to the caller and is false at first: the lines of
 * a CPU follow its number. */
void sb_limits_cpuinfo_line(const struct sb_control *control, const char *line, size_t len,
			    bool *hidden, struct sb_proc_out *out);

#define SB_STAT_TIMES 10
/* Add the times in a line of /proc/stat to the sums, if it is of a CPU that programs see. */
void sb_limits_add_times(const struct sb_control *control, const char *line, size_t len,
			 uint64_t sums[SB_STAT_TIMES]);
/* Append a line of /proc/stat; the first has the sums. */
void sb_limits_stat_line(const struct sb_control *control, const uint64_t sums[SB_STAT_TIMES],
			 const char *line, size_t len, struct sb_proc_out *out);

/* What a file of the cgroup says, apart from what is in use. False: there is no such file. */
bool sb_limits_cgroup_file(const struct sb_control *control, const char *name, size_t len,
			   struct sb_proc_out *out);

#endif
