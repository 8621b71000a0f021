/* SPDX-License-Identifier: MIT */
/*
 * grants.c - the places of the machine that the fence grants to a container.
 *
 * Rules
 *   One thread only: before the first guest instruction.
 */
#include "opener/grants.h"

#include <errno.h>
#include <linux/openat2.h>

#include "base/mem.h"
#include "base/opener_abi.h"

struct visit {
	uint64_t handled;
	sb_grant_visit *visit;
	void *data;
};

long sb_grant_open(const struct sb_grant *grant)
{
	const struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS};
	long fd;

	if (!grant->is_resolved)
		return sys_openat(AT_FDCWD, grant->path, O_PATH | O_CLOEXEC, 0);
	fd = sb_syscall6(__NR_openat2, AT_FDCWD, SB_P(grant->path), SB_P(&how), sizeof(how), 0, 0);
	if (fd == -ENOSYS || fd == -EPERM) /* an old kernel, or the filter of a container engine */
		fd = sys_openat(AT_FDCWD, grant->path, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
	return fd;
}

static int give(const struct visit *to, const char *path, uint64_t access)
{
	return to->visit(to->data, &(struct sb_grant){.path = path, .access = access});
}

static int give_resolved(const struct visit *to, const char *path, uint64_t access)
{
	return to->visit(to->data, &(struct sb_grant){path, access, true});
}

static int give_mounts(const struct visit *to, const struct sb_control *control)
{
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < control->mount_count; i++) {
		const struct sb_mount *m = &control->mounts[i];
		uint64_t access = to->handled & ~SB_FS_EXECUTE;

		if (m->kind == SB_MOUNT_LINK)
			continue;
		if (m->flags & SB_MOUNT_READ_ONLY)
			access = SB_FS_READ | SB_FS_RESOLVE_UNIX;
		if (m->kind == SB_MOUNT_PROC) /* the opener opens what is written */
			access &= ~(SB_FS_WRITE_FILE | SB_FS_TRUNCATE);
		if (m->kind == SB_MOUNT_TERMINALS) /* the opener opens them */
			access = SB_FS_READ_DIR;
		ret = give_resolved(to, sb_text_at(control, m->host), access);
	}
	return ret;
}

static struct sb_path path;

/* Allow the files of one layer, and the rewritten copies beside them. */
static int give_layer(const struct visit *to, const struct sb_control *control, const char *name,
		      uint32_t len)
{
	int ret = sb_path_set(&path, sb_text_at(control, control->store), control->store.len);

	if (ret == 0)
		ret = sb_path_join(&path, name, len);
	if (ret == 0)
		ret = give(to, path.buf, SB_FS_READ);
	sb_path_pop(&path);
	if (ret == 0)
		ret = sb_path_join(&path, "rewritten", 9);
	return ret == 0 ? give(to, path.buf, SB_FS_READ) : ret;
}

/* Allow to read the lower. Rules are close to the files: at each open the kernel walks from the
 * file up to its rule. */
static int give_lower(const struct visit *to, const struct sb_tree *tree)
{
	const struct sb_control *control = tree->control;
	const struct sb_text *layers;
	int ret = 0;

	if (!tree->index)
		return give(to, "/", SB_FS_READ);
	layers = (const struct sb_text *)(const void *)((const char *)tree->index +
							tree->index->layers_off);
	for (uint32_t i = 0; ret == 0 && i < tree->index->layer_count; i++)
		ret = give_layer(to, control, tree->strings + layers[i].off, layers[i].len);
	return ret == 0 ? give(to, sb_text_at(control, control->index), SB_FS_READ) : ret;
}

static int give_in(const struct visit *to, const struct sb_text *directory,
		   const struct sb_control *control, const char *name, uint64_t access)
{
	int ret = sb_path_set(&path, sb_text_at(control, *directory), directory->len);

	if (ret == 0)
		ret = sb_path_join(&path, name, strlen(name));
	return ret == 0 ? give(to, path.buf, access) : ret;
}

/* Allow single files and directories of the run directory. The mounts below it have rules of their
 * own. The host side may replace a file in etc/, so the rule is on the directory. */
static int give_run(const struct visit *to, const struct sb_control *control)
{
	const bool read_only = (control->flags & SB_CONTROL_READ_ONLY) != 0;
	const struct {
		const char *name;
		uint64_t access;
	} rules[] = {
		{"guest",
		 SB_FS_EXECUTE | SB_FS_READ_FILE}, /* the only program that the kernel runs */
		{"control", SB_FS_READ_FILE},
		{"shared", SB_FS_READ_FILE | SB_FS_WRITE_FILE},
		{"trace", SB_FS_WRITE_FILE},
		{"etc", SB_FS_READ | (read_only ? 0 : SB_FS_WRITE_FILE | SB_FS_TRUNCATE)},
		{"a", SB_FS_MAKE_SYM}, /* socket_name.c */
		{SB_OPENER_SOCKET, SB_FS_RESOLVE_UNIX},
	};
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < SB_ARRAY_LEN(rules); i++)
		ret = give_in(to, &control->run, control, rules[i].name, rules[i].access);
	return ret;
}

/* Allow the network files; the log is appended to. */
static int give_network(const struct visit *to, const struct sb_control *control)
{
	int ret = 0;

	if (control->net.len != 0)
		ret = give_in(to, &control->net, control, "table", SB_FS_READ_FILE);
	if (ret == 0 && control->net.len != 0)
		ret = give_in(to, &control->net, control, "ports",
			      SB_FS_READ_FILE | SB_FS_WRITE_FILE);
	if (ret == 0 && control->net_log.len != 0)
		ret = give(to, sb_text_at(control, control->net_log), SB_FS_WRITE_FILE);
	return ret;
}

static int give_ipc(const struct visit *to, const struct sb_control *control)
{
	if (control->ipc.len == 0)
		return 0;
	return give(to, sb_text_at(control, control->ipc), SB_FS_READ_FILE | SB_FS_WRITE_FILE);
}

int sb_grants_visit(const struct sb_tree *tree, uint64_t handled, sb_grant_visit *visit, void *data)
{
	const struct visit visited = {.handled = handled, .visit = visit, .data = data};
	const struct visit *to = &visited;
	const struct sb_control *control = tree->control;
	const uint64_t write = to->handled & ~SB_FS_EXECUTE;
	int ret = give_lower(to, tree);

	if (ret == 0)
		ret = give_run(to, control);
	if (ret == 0)
		ret = give(to, sb_text_at(control, control->upper), write);
	if (ret == 0)
		ret = give(to, sb_text_at(control, control->work), write);
	if (ret == 0)
		ret = give(to, sb_text_at(control, control->owners),
			   SB_FS_READ_FILE | SB_FS_WRITE_FILE);
	if (ret == 0)
		ret = give_network(to, control);
	if (ret == 0)
		ret = give_ipc(to, control);
	return ret == 0 ? give_mounts(to, control) : ret;
}
