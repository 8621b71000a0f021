/* SPDX-License-Identifier: MIT */
/*
 * limit_files.c - files that tell the limits of the container, and what it uses of them.
 *
 * How it works
 *   Below /proc and /sys/devices/system/cpu the machine's file serves unless there is a limit. The
 *   cgroup is the container's own in any case; its directory has names without content.
 * Does not know
 *   What the lines mean (proc_limits.c), how use is measured (guest/peers/use.h).
 */
#include <errno.h>

#include "base/mem.h"
#include "calls/proc/internal.h"
#include "guest/peers/use.h"
#include "procfs/proc_limits.h"

#define MASK_WORDS (SB_MAX_CPUS / 64)

static const struct sb_control *control_of(const struct sb_proc_fill *f)
{
	return f->call->fs->tree->control;
}

/* ---- /proc ------------------------------------------------------------------ */

static void meminfo_line(struct sb_proc_fill *f, const char *line, size_t len)
{
	sb_limits_meminfo_line(control_of(f)->memory_max, f->used, line, len, &f->out);
}

static uint64_t measure(struct sb_proc_fill *f)
{
	struct sb_use use;

	sb_use_measure(f->call, &use);
	return use.anonymous + use.shared;
}

static long fill_meminfo(struct sb_proc_fill *f)
{
	f->used = measure(f);
	return sb_proc_rewrite(f, meminfo_line);
}

static void cpuinfo_line(struct sb_proc_fill *f, const char *line, size_t len)
{
	sb_limits_cpuinfo_line(control_of(f), line, len, &f->hidden, &f->out);
}

static long fill_cpuinfo(struct sb_proc_fill *f)
{
	return sb_proc_rewrite(f, cpuinfo_line);
}

static void times_line(struct sb_proc_fill *f, const char *line, size_t len)
{
	sb_limits_add_times(control_of(f), line, len, f->times);
}

static void stat_line(struct sb_proc_fill *f, const char *line, size_t len)
{
	sb_limits_stat_line(control_of(f), f->times, line, len, &f->out);
}

static long fill_stat(struct sb_proc_fill *f)
{
	long ret;

	memset(f->times, 0, sizeof(f->times));
	ret = sb_proc_rewrite(f, times_line);
	return ret < 0 ? ret : sb_proc_rewrite(f, stat_line);
}

/* All controllers are in the one hierarchy of version 2. */
static long fill_cgroups(struct sb_proc_fill *f)
{
	sb_proc_put_text(&f->out, "#subsys_name\thierarchy\tnum_cgroups\tenabled\n"
				  "cpuset\t0\t1\t1\ncpu\t0\t1\t1\ncpuacct\t0\t1\t1\n"
				  "blkio\t0\t1\t1\nmemory\t0\t1\t1\npids\t0\t1\t1\n");
	return 0;
}

sb_proc_filler *sb_proc_limit_filler(const struct sb_call *call, const char *name, size_t len)
{
	const struct sb_control *control = call->fs->tree->control;

	if (sb_same(name, len, "cgroups", 7))
		return fill_cgroups;
	if (control->memory_max != 0 && sb_same(name, len, "meminfo", 7))
		return fill_meminfo;
	if (!sb_limits_cpus(control))
		return NULL;
	if (sb_same(name, len, "cpuinfo", 7))
		return fill_cpuinfo;
	return sb_same(name, len, "stat", 4) ? fill_stat : NULL;
}

/* ---- the cgroup --------------------------------------------------------------- */

static void put_value(struct sb_proc_fill *f, const char *key, uint64_t value)
{
	sb_proc_put_text(&f->out, key);
	sb_proc_put_number(&f->out, value, 10, 1);
	sb_proc_put_text(&f->out, "\n");
}

static long fill_fixed(struct sb_proc_fill *f)
{
	return sb_limits_cgroup_file(control_of(f), f->entry.rest, f->entry.len, &f->out) ? 0
											  : -EIO;
}

static long fill_memory_current(struct sb_proc_fill *f)
{
	put_value(f, "", measure(f));
	return 0;
}

static long fill_memory_stat(struct sb_proc_fill *f)
{
	struct sb_use use;

	sb_use_measure(f->call, &use);
	put_value(f, "anon ", use.anonymous);
	put_value(f, "file ", use.shared);
	put_value(f, "shmem ", use.shared);
	put_value(f, "inactive_anon ", 0);
	put_value(f, "active_anon ", use.anonymous + use.shared);
	put_value(f, "inactive_file ", 0);
	put_value(f, "active_file ", 0);
	return 0;
}

static long fill_pids_current(struct sb_proc_fill *f)
{
	struct sb_use use;

	sb_use_measure(f->call, &use);
	put_value(f, "", use.tasks);
	return 0;
}

static long fill_cpus(struct sb_proc_fill *f)
{
	uint64_t mask[MASK_WORDS] = {0};
	const long got = sb_syscall(__NR_sched_getaffinity, 0, sizeof(mask), SB_P(mask), 0, 0, 0);

	if (got < 0)
		return got;
	sb_limits_cpu_list(mask, MASK_WORDS, &f->out);
	return 0;
}

static long fill_nodes(struct sb_proc_fill *f)
{
	const long fd =
		sys_openat(AT_FDCWD, "/sys/devices/system/node/online", O_RDONLY | O_CLOEXEC, 0);
	char *text = f->call->work->buffer;
	long len = fd < 0 ? 0 : sys_read((int)fd, text, SB_PROC_INPUT);

	if (fd >= 0)
		sys_close((int)fd);
	if (len > 0)
		sb_proc_put(&f->out, text, (size_t)len);
	else
		sb_proc_put_text(&f->out, "0\n");
	return 0;
}

/* The machine's list would name CPUs that programs do not see. */
static long fill_seen_cpus(struct sb_proc_fill *f)
{
	sb_limits_cpu_list(control_of(f)->cpus, MASK_WORDS, &f->out);
	return 0;
}

sb_proc_filler *sb_proc_limits_mount_filler(const struct sb_call *call, const char *name,
					    size_t len)
{
	static const struct {
		const char *name;
		sb_proc_filler *fill;
	} files[] = {
		{"memory.current", fill_memory_current},
		{"memory.stat", fill_memory_stat},
		{"pids.current", fill_pids_current},
		{"cpuset.cpus.effective", fill_cpus},
		{"cpuset.mems.effective", fill_nodes},
		{"online", fill_seen_cpus},
		{"possible", fill_seen_cpus},
		{"present", fill_seen_cpus},
	};
	const struct sb_control *control = call->fs->tree->control;
	struct sb_proc_out nothing = {.full = false};

	for (size_t i = 0; i < SB_ARRAY_LEN(files); i++) {
		if (sb_same(files[i].name, strlen(files[i].name), name, len))
			return files[i].fill == fill_seen_cpus && !sb_limits_cpus(control)
				       ? NULL
				       : files[i].fill;
	}
	return sb_limits_cgroup_file(control, name, len, &nothing) ? fill_fixed : NULL;
}
