/* SPDX-License-Identifier: MIT */
/*
 * landlock.c - the kernel's own fence around a container: Landlock.
 *
 * How it works
 *   Each place of opener/grants.h becomes a rule. Without a network a container cannot connect to
 *   the machine's TCP ports, either.
 * Rules
 *   Called once, before the first guest instruction. Where the host found Landlock, a container
 *   without it does not start. Landlock cannot restrict stat, chmod, chown and utime of files that
 *   the user owns.
 */
#include "entry/landlock.h"

#include <errno.h>
#include <linux/prctl.h>

#include "opener/grants.h"
#include "net/net_rules.h"

#define CREATE_RULESET_VERSION 1
#define RULE_PATH_BENEATH 1

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
	uint64_t all = SB_FS_ABI_1;

	if (abi >= 2)
		all |= SB_FS_REFER;
	if (abi >= 3)
		all |= SB_FS_TRUNCATE;
	if (abi >= 5)
		all |= SB_FS_IOCTL_DEV;
	if (abi >= 9)
		all |= SB_FS_RESOLVE_UNIX;
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
		rule.allowed &= SB_FS_FILE;
	rule.parent = (int32_t)fd;
	if (ret == 0 && rule.allowed != 0)
		ret = sb_syscall6(__NR_landlock_add_rule, set->fd, RULE_PATH_BENEATH, SB_P(&rule),
				  0, 0, 0);
	sys_close((int)fd);
	return (int)ret;
}

static int allow_grant(void *data, const struct sb_grant *grant)
{
	return allow_open(data, sb_grant_open(grant), grant->access);
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
	ret = sb_grants_visit(tree, set.handled, allow_grant, &set);
	if (ret == 0 && attributes.net != 0)
		ret = allow_ports(&set);
	if (ret == 0)
		ret = sb_syscall6(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0);
	if (ret == 0)
		ret = sb_syscall6(__NR_landlock_restrict_self, set.fd, 0, 0, 0, 0, 0);
	sys_close(set.fd);
	return (int)ret;
}
