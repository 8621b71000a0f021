/* SPDX-License-Identifier: MIT */
/*
 * network.c - the files of the container's network, mapped at the first use.
 */
#include "guest/network.h"

#include <errno.h>
#include <linux/mman.h>

static int map(struct sb_path *path, const char *name, uint64_t address, bool writable,
	       uint64_t *size)
{
	const int prot = PROT_READ | (writable ? PROT_WRITE : 0);
	struct statx sx;
	long fd;
	long at;

	if (sb_path_join(path, name, strlen(name)) < 0)
		return -ENAMETOOLONG;
	fd = sys_openat(AT_FDCWD, path->buf, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC, 0);
	sb_path_pop(path);
	if (fd < 0)
		return (int)fd;
	at = sys_statx((int)fd, "", AT_EMPTY_PATH, STATX_SIZE, &sx);
	if (at == 0)
		at = sys_mmap((void *)(uintptr_t)address, sx.stx_size, prot,
			      MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_NORESERVE, (int)fd, 0);
	sys_close((int)fd);
	*size = sx.stx_size;
	/* -EEXIST: another thread mapped it at the same time. */
	return at < 0 && at != -EEXIST ? (int)at : 0;
}

int sb_net_attach(struct sb_call *call)
{
	struct sb_tree *tree = &call->proc->tree;
	const struct sb_control *control = tree->control;
	struct sb_path *path = &call->work->host;
	const struct sb_net_table *table = (const void *)SB_ADDR_NET;
	struct sb_net_ports *ports = (void *)SB_ADDR_NET_PORTS;
	uint64_t size;
	int err;

	if (__atomic_load_n(&tree->net, __ATOMIC_ACQUIRE) != NULL)
		return 0;
	err = sb_path_set(path, sb_text_at(control, control->net), control->net.len);
	sb_commit_begin(call->fs);
	if (err == 0)
		err = map(path, "table", SB_ADDR_NET, false, &size);
	if (err == 0)
		err = sb_net_check(table, size);
	if (err == 0)
		err = map(path, "ports", SB_ADDR_NET_PORTS, true, &size);
	if (err == 0)
		err = sb_net_check_ports(ports, size);
	if (err < 0)
		return err;
	tree->net_ports = ports;
	__atomic_store_n(&tree->net, table, __ATOMIC_RELEASE);
	return 0;
}

int sb_net_get(struct sb_call *call, struct sb_net *out)
{
	const struct sb_tree *tree = &call->proc->tree;

	if (sb_net_attach(call) < 0)
		return -ENETDOWN;
	out->table = tree->net;
	out->ports = tree->net_ports;
	out->self = tree->control->net_container;
	out->base = sb_net_base(out->table, out->self);
	return out->base == 0 ? -ENETDOWN : 0;
}
