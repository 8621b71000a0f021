/* SPDX-License-Identifier: MIT */
/*
 * many_groups.c - supplementary groups that do not fit into struct sb_ids.
 */
#include "guest/many_groups.h"

#include <errno.h>
#include <linux/mman.h>

#include "procfs/proc_text.h"

int sb_many_groups_read(uint64_t addr, uint32_t count, uint32_t **groups)
{
	const size_t size = count * sizeof(uint32_t);
	const long at =
		sys_mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int err;

	if (at < 0)
		return -ENOMEM;
	*groups = (uint32_t *)(uintptr_t)at;
	err = sb_guest_read(*groups, addr, size);
	if (err < 0)
		sb_many_groups_drop(*groups, count);
	return err;
}

void sb_many_groups_drop(uint32_t *groups, uint32_t count)
{
	sys_munmap(groups, count * sizeof(uint32_t));
}

int sb_many_groups_keep(const struct sb_ids *ids, int *fd)
{
	const long size = (long)(ids->group_count * sizeof(uint32_t));
	long file;

	*fd = -1;
	if (ids->many_groups == 0)
		return 0;
	file = sb_syscall(__NR_memfd_create, SB_P(SB_PROC_HIDDEN_MEMFD), 0, 0, 0, 0, 0);
	if (file < 0)
		return (int)file;
	*fd = (int)file;
	for (long done = 0; done < size;) {
		const long ret = sys_write(*fd, (const char *)(uintptr_t)ids->many_groups + done,
					   (size_t)(size - done));

		if (ret <= 0) {
			sys_close(*fd);
			*fd = -1;
			return ret < 0 ? (int)ret : -EIO;
		}
		done += ret;
	}
	return 0;
}

int sb_many_groups_take(struct sb_ids *ids, int fd)
{
	const uint32_t count = ids->group_count;
	long at;

	ids->many_groups = 0;
	if (fd < 0) {
		ids->group_count = SB_MIN(count, (uint32_t)SB_MAX_GROUPS);
		return 0;
	}
	at = sys_mmap(NULL, count * sizeof(uint32_t), PROT_READ, MAP_PRIVATE, fd, 0);
	sys_close(fd);
	if (at < 0)
		return (int)at;
	ids->many_groups = (uint64_t)at;
	return 0;
}
