/* SPDX-License-Identifier: MIT */
/*
 * landlock.c - the kernel's own fence around a container: Landlock.
 *
 * How it works
 *   A container may read all that it shows: the layers, or the whole host for a live lower. It may
 *   write the upper, the work directory and the binds that are not read-only; of the run directory
 *   the shared file, the files laid over /etc, and what else allow_run() names. It may write no
 *   name there: the host side believes what it finds in the run directory.
 *   Without a network it cannot connect to the machine's TCP ports, either.
 * Rules
 *   Called once, before the first guest instruction. Where the host found Landlock, a container
 *   without it does not start. Landlock cannot restrict stat, chmod, chown
 *   and utime of files that the user owns.
 */
#include "entry/landlock.h"

#include <errno.h>
#include <linux/openat2.h>
#include <linux/prctl.h>

#include "base/opener_abi.h"
#include "net/net_rules.h"

#define CREATE_RULESET_VERSION 1
#define RULE_PATH_BENEATH 1

/* linux/landlock.h of the newest ABI known here; older kernels get a subset. */
#define FS_EXECUTE (1ULL << 0)
#define FS_WRITE_FILE (1ULL << 1)
#define FS_READ_FILE (1ULL << 2)
#define FS_READ_DIR (1ULL << 3)
#define FS_MAKE_SYM (1ULL << 12)
#define FS_REFER (1ULL << 13)
#define FS_TRUNCATE (1ULL << 14)
#define FS_IOCTL_DEV (1ULL << 15)
#define FS_RESOLVE_UNIX (1ULL << 16) /* connect and send to a socket that has a path */
#define FS_ABI_1 ((1ULL << 13) - 1)

#define FS_READ (FS_READ_FILE | FS_READ_DIR)
#define FS_FILE \
	(FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV | FS_RESOLVE_UNIX)

#define RULE_NET_PORT 2
#define NET_BIND_TCP (1ULL << 0)
#define NET_CONNECT_TCP (1ULL << 1)
#define NET_TCP (NET_BIND_TCP | NET_CONNECT_TCP)

struct ruleset {
	int fd;
	uint64_t handled;
};

#define SCOPE_ABSTRACT_SOCKET (1ULL << 0)
#define SCOPE_SIGNAL (1ULL << 1)

struct attributes { /* struct landlock_ruleset_attr */
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

struct port_rule {
	uint64_t allowed;
	uint64_t port;
};

struct path_rule {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

static uint64_t handled_by(long abi)
{
	uint64_t all = FS_ABI_1;

	if (abi >= 2)
		all |= FS_REFER;
	if (abi >= 3)
		all |= FS_TRUNCATE;
	if (abi >= 5)
		all |= FS_IOCTL_DEV;
	if (abi >= 9)
		all |= FS_RESOLVE_UNIX;
	return all;
}

/* Allow access below what is open; a path that does not exist needs no rule. */
static int allow_open(const struct ruleset *set, long fd, uint64_t access)
{
	struct path_rule rule = {.allowed = access & set->handled};
	struct statx sx;
	long ret;

	if (fd < 0)
		return fd == -ENOENT || fd == -EACCES ? 0 : (int)fd;
	ret = sys_statx((int)fd, "", AT_EMPTY_PATH, STATX_TYPE, &sx);
	if (ret == 0 && (sx.stx_mode & S_IFMT) != S_IFDIR)
		rule.allowed &= FS_FILE;
	rule.parent = (int32_t)fd;
	if (ret == 0 && rule.allowed != 0)
		ret = sb_syscall6(__NR_landlock_add_rule, set->fd, RULE_PATH_BENEATH, SB_P(&rule),
				  0, 0, 0);
	sys_close((int)fd);
	return (int)ret;
}

static int allow(const struct ruleset *set, const char *path, uint64_t access)
{
	return allow_open(set, sys_openat(AT_FDCWD, path, O_PATH | O_CLOEXEC, 0), access);
}

/* The host side has resolved the path of a mount. What became a symlink since then may lead
 * anywhere. */
static int allow_resolved(const struct ruleset *set, const char *path, uint64_t access)
{
	const struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS};
	long fd = sb_syscall6(__NR_openat2, AT_FDCWD, SB_P(path), SB_P(&how), sizeof(how), 0, 0);

	if (fd == -ENOSYS || fd == -EPERM) /* an old kernel, or the filter of a container engine */
		fd = sys_openat(AT_FDCWD, path, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
	return allow_open(set, fd, access);
}

static int allow_mounts(const struct ruleset *set, const struct sb_control *control)
{
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < control->mount_count; i++) {
		const struct sb_mount *m = &control->mounts[i];
		uint64_t access = set->handled & ~FS_EXECUTE;

		if (m->kind == SB_MOUNT_LINK)
			continue;
		if (m->flags & SB_MOUNT_READ_ONLY)
			access = FS_READ | FS_RESOLVE_UNIX;
		if (m->kind == SB_MOUNT_PROC) /* the opener opens what is written */
			access &= ~(FS_WRITE_FILE | FS_TRUNCATE);
		if (m->kind == SB_MOUNT_TERMINALS) /* the opener opens them */
			access = FS_READ_DIR;
		ret = allow_resolved(set, sb_text_at(control, m->host), access);
	}
	return ret;
}

static struct sb_path path;

/* Allow the files of one layer, and the rewritten copies beside them. */
static int allow_layer(const struct ruleset *set, const struct sb_control *control,
		       const char *name, uint32_t len)
{
	int ret = sb_path_set(&path, sb_text_at(control, control->store), control->store.len);

	if (ret == 0)
		ret = sb_path_join(&path, name, len);
	if (ret == 0)
		ret = allow(set, path.buf, FS_READ);
	sb_path_pop(&path);
	if (ret == 0)
		ret = sb_path_join(&path, "rewritten", 9);
	return ret == 0 ? allow(set, path.buf, FS_READ) : ret;
}

/* Allow to read the lower. Rules are close to the files: at each open the kernel walks from the
 * file up to its rule. */
static int allow_lower(const struct ruleset *set, const struct sb_tree *tree)
{
	const struct sb_control *control = tree->control;
	const struct sb_text *layers;
	int ret = 0;

	if (!tree->index)
		return allow(set, "/", FS_READ);
	layers = (const struct sb_text *)(const void *)((const char *)tree->index +
							tree->index->layers_off);
	for (uint32_t i = 0; ret == 0 && i < tree->index->layer_count; i++)
		ret = allow_layer(set, control, tree->strings + layers[i].off, layers[i].len);
	return ret == 0 ? allow(set, sb_text_at(control, control->index), FS_READ) : ret;
}

static int allow_in(const struct ruleset *set, const struct sb_text *directory,
		    const struct sb_control *control, const char *name, uint64_t access)
{
	int ret = sb_path_set(&path, sb_text_at(control, *directory), directory->len);

	if (ret == 0)
		ret = sb_path_join(&path, name, strlen(name));
	return ret == 0 ? allow(set, path.buf, access) : ret;
}

/* Allow single files and directories of the run directory. The mounts below it have rules of their
 * own. The host side may replace a file in etc/, so the rule is on the directory. */
static int allow_run(const struct ruleset *set, const struct sb_control *control)
{
	const bool read_only = (control->flags & SB_CONTROL_READ_ONLY) != 0;
	const struct {
		const char *name;
		uint64_t access;
	} rules[] = {
		{"guest", FS_EXECUTE | FS_READ_FILE}, /* the only program that the kernel runs */
		{"control", FS_READ_FILE},
		{"shared", FS_READ_FILE | FS_WRITE_FILE},
		{"trace", FS_WRITE_FILE},
		{"etc", FS_READ | (read_only ? 0 : FS_WRITE_FILE | FS_TRUNCATE)},
		{"a", FS_MAKE_SYM}, /* socket_name.c */
		{SB_OPENER_SOCKET, FS_RESOLVE_UNIX},
	};
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < SB_ARRAY_LEN(rules); i++)
		ret = allow_in(set, &control->run, control, rules[i].name, rules[i].access);
	return ret;
}

/* Allow the network files; the log is appended to. */
static int allow_network(const struct ruleset *set, const struct sb_control *control)
{
	int ret = 0;

	if (control->net.len != 0)
		ret = allow_in(set, &control->net, control, "table", FS_READ_FILE);
	if (ret == 0 && control->net.len != 0)
		ret = allow_in(set, &control->net, control, "ports", FS_READ_FILE | FS_WRITE_FILE);
	if (ret == 0 && control->net_log.len != 0)
		ret = allow(set, sb_text_at(control, control->net_log), FS_WRITE_FILE);
	return ret;
}

static int allow_ipc(const struct ruleset *set, const struct sb_control *control)
{
	if (control->ipc.len == 0)
		return 0;
	return allow(set, sb_text_at(control, control->ipc), FS_READ_FILE | FS_WRITE_FILE);
}

static int allow_all(const struct ruleset *set, const struct sb_tree *tree)
{
	const struct sb_control *control = tree->control;
	const uint64_t write = set->handled & ~FS_EXECUTE;
	int ret = allow_lower(set, tree);

	if (ret == 0)
		ret = allow_run(set, control);
	if (ret == 0)
		ret = allow(set, sb_text_at(control, control->upper), write);
	if (ret == 0)
		ret = allow(set, sb_text_at(control, control->work), write);
	if (ret == 0)
		ret = allow(set, sb_text_at(control, control->owners),
			    FS_READ_FILE | FS_WRITE_FILE);
	if (ret == 0)
		ret = allow_network(set, control);
	if (ret == 0)
		ret = allow_ipc(set, control);
	return ret == 0 ? allow_mounts(set, control) : ret;
}

/* A container without a network has its own servers on these ports (net_rules.h). A client binds
 * port 0: any that is free. */
static int allow_ports(const struct ruleset *set)
{
	struct port_rule rule = {.allowed = NET_BIND_TCP};
	long ret =
		sb_syscall6(__NR_landlock_add_rule, set->fd, RULE_NET_PORT, SB_P(&rule), 0, 0, 0);

	rule.allowed = NET_TCP;
	for (rule.port = SB_NET_SPARE_FIRST; ret == 0 && rule.port <= 65535; rule.port++)
		ret = sb_syscall6(__NR_landlock_add_rule, set->fd, RULE_NET_PORT, SB_P(&rule), 0, 0,
				  0);
	return (int)ret;
}

/* Where the host has found Landlock, a container does not start without it. */
static int fail_closed(const struct sb_control *control, long abi)
{
	if ((control->flags & SB_CONTROL_FENCED) == 0)
		return 0;
	return abi < 0 ? (int)abi : -EOPNOTSUPP;
}

static bool is_alone(const struct sb_tree *tree)
{
	return tree->net != NULL && sb_net_is_alone(tree->net, tree->control->net_container);
}

/* What a kernel of this ABI can refuse. As in Docker, abstract sockets belong to a network. */
static struct attributes attributes_of(const struct sb_tree *tree, long abi)
{
	struct attributes attributes = {.fs = handled_by(abi)};

	if (abi >= 4 && is_alone(tree))
		attributes.net = NET_TCP;
	if (abi >= 6)
		attributes.scoped = SCOPE_SIGNAL;
	if (abi >= 6 && (tree->control->flags & SB_CONTROL_ABSTRACT_SOCKETS) == 0)
		attributes.scoped |= SCOPE_ABSTRACT_SOCKET;
	return attributes;
}

/* An older kernel knows only the first members. */
static size_t size_known(long abi)
{
	if (abi < 4)
		return offsetof(struct attributes, net);
	return abi < 6 ? offsetof(struct attributes, scoped) : sizeof(struct attributes);
}

static long find_abi(void)
{
	return sb_syscall6(__NR_landlock_create_ruleset, 0, 0, CREATE_RULESET_VERSION, 0, 0, 0);
}

bool sb_landlock_has_scopes(void)
{
	return find_abi() >= 6;
}

int sb_landlock_confine(const struct sb_tree *tree)
{
	struct attributes attributes;
	struct ruleset set;
	long abi = find_abi();
	long ret;

	if (tree->control->flags & SB_CONTROL_UNFENCED)
		return 0;
	if (abi < 1)
		return fail_closed(tree->control, abi);
	attributes = attributes_of(tree, abi);
	set.handled = attributes.fs;
	ret = sb_syscall6(__NR_landlock_create_ruleset, SB_P(&attributes), (long)size_known(abi), 0,
			  0, 0, 0);
	if (ret < 0)
		return (int)ret;
	set.fd = (int)ret;
	ret = allow_all(&set, tree);
	if (ret == 0 && attributes.net != 0)
		ret = allow_ports(&set);
	if (ret == 0)
		ret = sb_syscall6(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0);
	if (ret == 0)
		ret = sb_syscall6(__NR_landlock_restrict_self, set.fd, 0, 0, 0, 0, 0);
	sys_close(set.fd);
	return (int)ret;
}
