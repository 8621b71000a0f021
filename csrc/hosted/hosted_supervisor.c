/* SPDX-License-Identifier: MIT */
/*
 * hosted_supervisor.c - what a supervisor writes into the files of a running container, and
 * how the kernel is told that it is a supervisor.
 *
 * Hosted build only. The end of the container and the limit of tasks stand in the control file,
 * where no guest can take them back. Which processes are paused stands in the shared file.
 */
#include <errno.h>
#include <linux/prctl.h>

#include "base/mem.h"
#include "base/sys.h"
#include "hosted/control_file.h"
#include "hosted/hosted.h"
#include "hosted/shared_file.h"

static int open_control(const char *path, struct sb_map *map, struct sb_control **out)
{
	int err = sb_control_map(path, true, map);

	if (err < 0)
		return err;
	*out = map->at;
	if (sb_control_is_valid(*out))
		return 0;
	sb_unmap(map);
	return -EINVAL;
}

int sb_hosted_adopt_orphans(void)
{
	return (int)sb_syscall(__NR_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0, 0);
}

int sb_hosted_die_with_parent(int signal)
{
	return (int)sb_syscall(__NR_prctl, PR_SET_PDEATHSIG, signal, 0, 0, 0, 0);
}

int sb_hosted_end(const char *path)
{
	struct sb_control *control;
	struct sb_map map = {0};
	int err = open_control(path, &map, &control);

	if (err < 0)
		return err;
	__atomic_store_n(&control->over, 1, __ATOMIC_SEQ_CST);
	sb_unmap(&map);
	return 0;
}

int sb_hosted_limit_pids(const char *path, uint32_t limit)
{
	struct sb_control *control;
	struct sb_map map = {0};
	int err = open_control(path, &map, &control);

	if (err < 0)
		return err;
	limit = SB_MIN(limit, (uint32_t)SB_MAX_PIDS);
	if (limit > control->pids_high)
		__atomic_store_n(&control->pids_high, limit, __ATOMIC_RELEASE);
	__atomic_store_n(&control->pids_limit, limit, __ATOMIC_RELEASE);
	sb_unmap(&map);
	return 0;
}

int sb_hosted_name_main(const char *path, uint32_t pid)
{
	struct sb_control *control;
	struct sb_map map = {0};
	int err = open_control(path, &map, &control);

	if (err < 0)
		return err;
	__atomic_store_n(&control->main_pid, pid, __ATOMIC_RELEASE);
	sb_unmap(&map);
	return 0;
}

int sb_hosted_show_limits(const char *path, uint64_t memory_max, const uint64_t *cpus,
			  uint32_t cpu_quota, uint32_t pids_max)
{
	struct sb_control *control;
	struct sb_map map = {0};
	int err = open_control(path, &map, &control);

	if (err < 0)
		return err;
	__atomic_store_n(&control->memory_max, memory_max, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < SB_ARRAY_LEN(control->cpus); i++)
		__atomic_store_n(&control->cpus[i], cpus[i], __ATOMIC_RELEASE);
	__atomic_store_n(&control->cpu_quota, cpu_quota, __ATOMIC_RELEASE);
	__atomic_store_n(&control->pids_max, pids_max, __ATOMIC_RELEASE);
	sb_unmap(&map);
	return 0;
}

int sb_hosted_pace(const char *path, const uint32_t *pids, uint32_t count, uint32_t mark)
{
	const int fd = sb_shared_open(path);
	int err = fd;

	for (uint32_t i = 0; err >= 0 && i < count; i++)
		err = sb_shared_pace(fd, pids[i], mark);
	if (fd >= 0)
		sys_close(fd);
	return SB_MIN(err, 0);
}
