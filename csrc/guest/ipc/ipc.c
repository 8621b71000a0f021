/* SPDX-License-Identifier: MIT */
/*
 * ipc.c - the table of the container's System V objects, mapped at the first use.
 */
#include "guest/ipc/ipc.h"

#include <errno.h>
#include <linux/mman.h>

static long map(const char *path)
{
	const size_t size = sizeof(struct sb_ipc_table);
	struct statx sx;
	const long fd = sys_openat(AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
	long ret;

	if (fd < 0)
		return fd;
	ret = sys_statx((int)fd, "", AT_EMPTY_PATH, STATX_SIZE, &sx);
	if (ret == 0 && sx.stx_size < size)
		ret = -EINVAL;
	if (ret == 0)
		ret = sys_mmap((void *)SB_ADDR_IPC, size, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_NORESERVE, (int)fd, 0);
	sys_close((int)fd);
	/* -EEXIST: another thread mapped it at the same time. */
	return ret == -EEXIST ? 0 : ret;
}

struct sb_ipc_table *sb_ipc_attach(struct sb_call *call)
{
	struct sb_tree *tree = &call->proc->tree;

	sb_commit_begin(call->fs);
	if (map(sb_text_at(tree->control, tree->control->ipc)) < 0)
		return NULL;
	__atomic_store_n(&tree->ipc, (struct sb_ipc_table *)SB_ADDR_IPC, __ATOMIC_RELEASE);
	return tree->ipc;
}
