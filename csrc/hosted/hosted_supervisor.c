/* SPDX-License-Identifier: MIT */
/*
 * hosted_supervisor.c - what a supervisor writes into the control file of a running container.
 *
 * Hosted build only. The end of the container, which processes are paused, the limit of tasks.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "hosted/hosted.h"
#include "layers/mapped_file.h"

static int open_control(const char *path, struct sb_map *map, struct sb_control **out)
{
	struct sb_control *control;
	int err = sb_map_file(path, true, map);

	if (err < 0)
		return err;
	control = map->at;
	if (map->size < sizeof(*control) || memcmp(control->magic, "SBCTL", 6) != 0 ||
	    control->version != SB_ABI_VERSION || control->size > map->size) {
		sb_unmap(map);
		return -EINVAL;
	}
	*out = control;
	return 0;
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

static struct sb_proc_slot *find(struct sb_control *control, uint32_t pid)
{
	struct sb_proc_slot *slots =
		(struct sb_proc_slot *)(void *)((char *)control + control->procs_off);

	for (uint32_t i = 0; i < SB_PROC_SLOTS; i++) {
		struct sb_proc_slot *slot = &slots[(pid + i) % SB_PROC_SLOTS];

		if (slot->pid == pid)
			return slot;
		if (slot->pid == 0)
			return NULL;
	}
	return NULL;
}

int sb_hosted_pace(const char *path, const uint32_t *pids, uint32_t count, uint32_t mark)
{
	struct sb_control *control;
	struct sb_map map = {0};
	int err = open_control(path, &map, &control);

	if (err < 0)
		return err;
	for (uint32_t i = 0; i < count; i++) {
		struct sb_proc_slot *slot = find(control, pids[i]);

		if (slot != NULL)
			__atomic_store_n(&slot->paced, mark, __ATOMIC_SEQ_CST);
	}
	sb_unmap(&map);
	return 0;
}
