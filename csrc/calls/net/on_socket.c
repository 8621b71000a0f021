/* SPDX-License-Identifier: MIT */
/*
 * on_socket.c - sockets: AF_UNIX names, and the ids of peers.
 *
 * How it works
 *   A name from the guest is copied before it is checked, so another thread cannot change it after
 *   the check (socket_name.c). A name from the kernel is read into runtime memory and becomes a
 *   guest path. IPv4 and IPv6 names go to inet.c if the container has addresses of its own; other
 *   families pass. bind(2) makes the entry as mknod(2) would, with all checks, and then puts the
 *   socket in its place. The kernel shows the host user's credentials; the process table knows the
 *   guest's.
 * Does not know
 *   Messages with control data (on_socket_message.c).
 */
#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "calls/net/inet.h"
#include "calls/net/inet_name.h"
#include "calls/net/message.h"
#include "calls/net/netlink.h"
#include "calls/net/peer_ids.h"
#include "calls/net/peer_user.h"
#include "calls/net/ping.h"
#include "change/change.h"
#include "guest/handlers.h"
#include "tree/owner.h"

#define SB_SO_PEERGROUPS 59
#define SB_PATH_OFFSET 2

struct peer { /* struct ucred */
	uint32_t pid;
	uint32_t uid;
	uint32_t gid;
};

/* Make the final call with a descriptor and a name. */
static long with_name(struct sb_call *call, struct sb_socket_name *name, long nr)
{
	const long ret = sb_guest_block(call, nr, (int)sb_arg(call, 0), SB_P(name->bytes),
					name->len, 0, 0, 0);

	sb_socket_name_done(name);
	return ret;
}

long on_socket(struct sb_call *call)
{
	long fd;

	/* As a kernel without auditing, where PAM and others go on. */
	if ((int)sb_arg(call, 0) == AF_NETLINK && (int)sb_arg(call, 2) == NETLINK_AUDIT)
		return -EPROTONOSUPPORT;
	if ((int)sb_arg(call, 0) == AF_NETLINK) {
		fd = sb_link_socket(call, (int)sb_arg(call, 1), (int)sb_arg(call, 2));
		if (fd != -SB_EMAGIC)
			return fd;
	}
	fd = sb_guest_pass(call, __NR_socket);
	if ((fd == -EACCES || fd == -EPERM) && (int)sb_arg(call, 0) == AF_INET)
		return sb_ping_socket(call, (int)sb_arg(call, 1), (int)sb_arg(call, 2), fd);
	return fd;
}

long on_connect(struct sb_call *call)
{
	struct sb_socket_name name;
	int err = sb_socket_name_read(sb_arg(call, 1), (uint32_t)sb_arg(call, 2), &name);

	if (err == 0 && sb_net_is_name(call, &name))
		return sb_net_on_connect(call, (int)sb_arg(call, 0), &name);
	if (err == 0)
		err = sb_socket_name_resolve(call, &name);
	return err < 0 ? err : with_name(call, &name, __NR_connect);
}

/* ---- bind --------------------------------------------------------------- */

/* Is fd an AF_UNIX socket without a name? 1, 0 when it is of another family, or -errno. */
static int is_unbound(int fd)
{
	struct sb_socket_name name = {.len = SB_SOCKET_NAME_MAX};
	const long ret =
		sb_syscall(__NR_getsockname, fd, SB_P(name.bytes), SB_P(&name.len), 0, 0, 0);

	if (ret < 0)
		return (int)ret;
	if (name.family != AF_UNIX)
		return 0;
	return name.len > SB_PATH_OFFSET ? -EINVAL : 1;
}

/* The mode of the entry: fchmod(2) of the socket has set it before. */
static uint32_t mode_of(const struct sb_call *call, int fd)
{
	struct stat st;

	if (sys_fstat(fd, &st) < 0)
		st.st_mode = 0777;
	return S_IFSOCK | (st.st_mode & 07777 & ~call->fs->umask);
}

/* Replace the entry that mknod(2) has just made by binding fd there. Its inode changes. */
static long replace_by_socket(struct sb_call *call, int fd, struct sb_socket_name *name)
{
	const struct sb_tree *tree = call->fs->tree;
	struct sb_at *at = &call->work->a;
	const char *host = at->host.buf;
	char *attributes = call->work->buffer;
	const char *packed = NULL;
	struct sb_owner_key key;
	struct sb_owner record;
	struct statx sx;
	uint32_t len = 0;
	bool has_record;
	long ret = sys_statx(AT_FDCWD, host, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME,
			     &sx);

	if (ret < 0)
		return ret;
	sb_owner_key(tree, &sx, &key);
	has_record = sb_owner_find(tree, &key, &record);
	if (has_record)
		packed = sb_owner_blob(tree, &record, &len);
	if (len > sizeof(call->work->buffer))
		return -ENOSPC;
	if (packed)
		memcpy(attributes, packed, len); /* access lists; the record is dropped */
	ret = sys_unlinkat(AT_FDCWD, host, 0);
	if (ret < 0)
		return ret;
	sb_owner_drop(tree, &key);
	ret = sb_syscall(__NR_bind, fd, SB_P(name->bytes), name->len, 0, 0, 0);
	if (ret < 0) {
		if (sys_mknodat(AT_FDCWD, host, S_IFSOCK | 0600, 0) == 0 &&
		    sb_change_unlink(call->fs, at) < 0)
			return ret;
		return ret;
	}
	sys_fchmodat(AT_FDCWD, host, sx.stx_mode & 0777);
	if (!has_record)
		return 0;
	ret = sys_statx(AT_FDCWD, host, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &sx);
	if (ret < 0)
		return ret;
	sb_owner_key(tree, &sx, &key);
	return packed ? sb_owner_put_list(tree, &key, &record, attributes, len)
		      : sb_owner_put(tree, &key, &record);
}

static long bind_path(struct sb_call *call, int fd, struct sb_socket_name *name)
{
	struct sb_at *at = &call->work->a;
	const int unbound = is_unbound(fd);
	long ret;

	if (unbound == 0) /* a socket of another family looks at no path */
		return with_name(call, name, __NR_bind);
	ret = unbound == 1 || unbound == -EINVAL ? sb_socket_name_place(call, name) : unbound;
	if (ret == 0 && unbound < 0)
		ret = unbound;
	if (ret < 0)
		return ret;
	sb_commit_begin(call->fs);
	ret = sb_change_mknod(call->fs, at, mode_of(call, fd), 0);
	if (ret == -EEXIST)
		ret = -EADDRINUSE;
	if (ret == 0)
		ret = sb_socket_name_host(call, at, name);
	if (ret == 0)
		ret = replace_by_socket(call, fd, name);
	sb_socket_name_done(name);
	sb_commit_end(call->fs);
	return ret;
}

long on_bind(struct sb_call *call)
{
	struct sb_socket_name name;
	int err = sb_socket_name_read(sb_arg(call, 1), (uint32_t)sb_arg(call, 2), &name);

	if (err < 0)
		return err;
	if (sb_net_is_name(call, &name))
		return sb_net_on_bind(call, (int)sb_arg(call, 0), &name);
	if (sb_link_is_name(call, &name))
		return sb_link_bind(call, (int)sb_arg(call, 0), &name);
	if (sb_socket_name_is_path(&name))
		return bind_path(call, (int)sb_arg(call, 0), &name);
	return with_name(call, &name, __NR_bind);
}

long on_listen(struct sb_call *call)
{
	if (call->fs->tree->control->net_container != 0)
		sb_net_on_listen(call, (int)sb_arg(call, 0));
	return sb_guest_pass(call, __NR_listen);
}

/* ---- names that come back ----------------------------------------------- */

/* Read the size argument of a call that returns a name. */
static int read_size(uint64_t addr, uint32_t *size)
{
	const int err = sb_guest_read(size, addr, sizeof(*size));

	if (err < 0)
		return err;
	return (int32_t)*size < 0 ? -EINVAL : 0;
}

static long name_of(struct sb_call *call, long nr)
{
	struct sb_socket_name name = {.len = SB_SOCKET_NAME_MAX, .temp = -1};
	uint32_t size;
	long ret = read_size(sb_arg(call, 2), &size);

	if (ret == 0)
		ret = sb_syscall(nr, (int)sb_arg(call, 0), SB_P(name.bytes), SB_P(&name.len), 0, 0,
				 0);
	if (ret < 0)
		return ret;
	if (!sb_net_is_name(call, &name))
		sb_socket_name_to_guest(call, &name);
	else if (nr == __NR_getsockname)
		sb_net_local_name(call, (int)sb_arg(call, 0), &name);
	else
		sb_net_peer_name(call, (int)sb_arg(call, 0), &name);
	return sb_socket_name_write(&name, sb_arg(call, 1), sb_arg(call, 2), size);
}

long on_getsockname(struct sb_call *call)
{
	return name_of(call, __NR_getsockname);
}

long on_getpeername(struct sb_call *call)
{
	return name_of(call, __NR_getpeername);
}

static void reset_connection(int fd)
{
	const struct linger at_once = {.l_onoff = 1};

	sb_syscall(__NR_setsockopt, fd, SOL_SOCKET, SO_LINGER, SB_P(&at_once), sizeof(at_once), 0);
	sys_close(fd);
}

/* Accept the next connection that is not one of another user to a port that is not published. */
static long accept_own(struct sb_call *call, int flags, struct sb_socket_name *name)
{
	long fd;

	for (;;) {
		name->len = SB_SOCKET_NAME_MAX;
		fd = sb_guest_block(call, __NR_accept4, (int)sb_arg(call, 0), SB_P(name->bytes),
				    SB_P(&name->len), flags, 0, 0);
		if (fd < 0 || !sb_net_is_name(call, name) || !sb_net_is_stranger(call, (int)fd))
			return fd;
		reset_connection((int)fd);
	}
}

static long accept_with(struct sb_call *call, int flags)
{
	struct sb_socket_name name = {.len = SB_SOCKET_NAME_MAX, .temp = -1};
	const bool wants_name = sb_arg(call, 1) != 0;
	uint32_t size;
	long fd;
	int err = wants_name ? read_size(sb_arg(call, 2), &size) : 0;

	if (err < 0)
		return err;
	fd = accept_own(call, flags, &name);
	if (fd < 0 || !wants_name)
		return fd;
	if (sb_net_is_name(call, &name))
		sb_net_accepted_name(call, (int)fd, &name);
	else
		sb_socket_name_to_guest(call, &name);
	err = sb_socket_name_write(&name, sb_arg(call, 1), sb_arg(call, 2), size);
	if (err < 0) {
		sys_close((int)fd);
		return err;
	}
	return fd;
}

long on_accept(struct sb_call *call)
{
	return accept_with(call, 0);
}

long on_accept4(struct sb_call *call)
{
	return accept_with(call, (int)sb_arg(call, 3));
}

long on_recvfrom(struct sb_call *call)
{
	struct sb_socket_name name = {.len = SB_SOCKET_NAME_MAX, .temp = -1};
	uint32_t size;
	long count;
	int err;

	if (sb_arg(call, 4) == 0)
		return sb_guest_pass(call, __NR_recvfrom);
	err = read_size(sb_arg(call, 5), &size);
	if (err < 0)
		return err;
	if (sb_link_may_be((int)sb_arg(call, 0)))
		sb_link_serve_queued(call, (int)sb_arg(call, 0));
	count = sb_guest_block(call, __NR_recvfrom, (int)sb_arg(call, 0), (long)sb_arg(call, 1),
			       (long)sb_arg(call, 2), (int)sb_arg(call, 3), SB_P(name.bytes),
			       SB_P(&name.len));
	if (count < 0)
		return count;
	if (sb_net_is_name(call, &name))
		sb_net_received_name(call, (int)sb_arg(call, 0), &name);
	else if (sb_link_is_name(call, &name))
		sb_link_received(&name);
	else
		sb_socket_name_to_guest(call, &name);
	err = sb_socket_name_write(&name, sb_arg(call, 4), sb_arg(call, 5), size);
	return err < 0 ? err : count;
}

/* Do sendto(2) with a source, which takes sendmsg(2). */
static long send_from(struct sb_call *call, const struct sb_socket_name *name,
		      const struct sb_net_route *route)
{
	unsigned char source[SB_NET_CONTROL_SIZE];
	const struct sb_vector vector = {sb_arg(call, 1), sb_arg(call, 2)};
	const struct sb_message message = {
		.name = (uint64_t)(uintptr_t)name->bytes,
		.name_len = name->len,
		.iov = (uint64_t)(uintptr_t)&vector,
		.iov_len = 1,
		.control = (uint64_t)(uintptr_t)source,
		.control_len = sizeof(source),
	};

	sb_net_source_control(route, source);
	return sb_guest_block(call, __NR_sendmsg, (int)sb_arg(call, 0), SB_P(&message),
			      (int)sb_arg(call, 3), 0, 0, 0);
}

static long send_to_place(struct sb_call *call, struct sb_socket_name *name)
{
	struct sb_net_route route;
	long ret = sb_net_on_send(call, (int)sb_arg(call, 0), name, &route);

	if (ret < 0)
		return ret;
	if (route.source != 0)
		ret = send_from(call, name, &route);
	else
		ret = sb_guest_block(call, __NR_sendto, (int)sb_arg(call, 0), (long)sb_arg(call, 1),
				     (long)sb_arg(call, 2), (int)sb_arg(call, 3), SB_P(name->bytes),
				     name->len);
	return sb_net_sent(call, &route, ret);
}

long on_sendto(struct sb_call *call)
{
	struct sb_socket_name name;
	long ret;
	int err;

	if (sb_arg(call, 4) == 0 && sb_link_may_be((int)sb_arg(call, 0)) &&
	    sb_link_is_one((int)sb_arg(call, 0)))
		return sb_link_send(call, (int)sb_arg(call, 0), sb_arg(call, 1), sb_arg(call, 2));
	if (sb_arg(call, 4) == 0)
		return sb_guest_pass(call, __NR_sendto);
	err = sb_socket_name_read(sb_arg(call, 4), (uint32_t)sb_arg(call, 5), &name);
	if (err == 0 && sb_ping_is_request(call, (int)sb_arg(call, 0), &name)) {
		const struct sb_vector vector = {sb_arg(call, 1), sb_arg(call, 2)};

		return sb_ping_send(call, (int)sb_arg(call, 0), &name, (uint64_t)(uintptr_t)&vector,
				    1);
	}
	if (err == 0 && sb_net_is_name(call, &name))
		return send_to_place(call, &name);
	if (err == 0 && sb_link_is_name(call, &name) && sb_link_is_one((int)sb_arg(call, 0)))
		return sb_link_send(call, (int)sb_arg(call, 0), sb_arg(call, 1), sb_arg(call, 2));
	if (err == 0)
		err = sb_socket_name_resolve(call, &name);
	if (err < 0)
		return err;
	ret = sb_guest_block(call, __NR_sendto, (int)sb_arg(call, 0), (long)sb_arg(call, 1),
			     (long)sb_arg(call, 2), (int)sb_arg(call, 3), SB_P(name.bytes),
			     name.len);
	sb_socket_name_done(&name);
	return ret;
}

/* ---- options ------------------------------------------------------------ */

static long peer_credentials(struct sb_call *call)
{
	struct peer peer;
	uint32_t len = sizeof(peer);
	uint32_t size;
	long ret = read_size(sb_arg(call, 4), &size);

	if (ret == 0)
		ret = sb_syscall(__NR_getsockopt, (int)sb_arg(call, 0), SOL_SOCKET, SO_PEERCRED,
				 SB_P(&peer), SB_P(&len), 0);
	if (ret < 0)
		return ret;
	if (peer.uid != UINT32_MAX)
		sb_socket_peer_ids(call, &peer.pid, &peer.uid, &peer.gid);
	len = SB_MIN(size, len);
	ret = sb_guest_write(sb_arg(call, 3), &peer, len);
	return ret < 0 ? ret : sb_guest_write(sb_arg(call, 4), &len, sizeof(len));
}

long on_getsockopt(struct sb_call *call)
{
	if ((int)sb_arg(call, 1) == SOL_SOCKET && (int)sb_arg(call, 2) == SO_PEERCRED)
		return peer_credentials(call);
	/* The host's groups are not the guest's. Older kernels have no such option. */
	if ((int)sb_arg(call, 1) == SOL_SOCKET && (int)sb_arg(call, 2) == SB_SO_PEERGROUPS)
		return -ENOPROTOOPT;
	/* As a final call, since SO_ERROR is cleared when it is read. */
	return sb_guest_pass(call, __NR_getsockopt);
}
