/* SPDX-License-Identifier: MIT */
/*
 * on_socket_message.c - sendmsg and recvmsg: names and credentials inside.
 *
 * How it works
 *   A message to send gets a header of the runtime's own. It points to the kernel's form of the
 *   name and, if the message carries credentials, to control data with the host's ids; the rest
 *   stays where it is. The kernel writes a received message into guest memory, where name and
 *   credentials are then corrected.
 * Rules
 *   Of several messages only the first may block: after it the call must end.
 */
#include <errno.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "calls/net/inet.h"
#include "calls/net/inet_name.h"
#include "calls/net/netlink.h"
#include "calls/net/peer_ids.h"
#include "calls/net/ping.h"
#include "guest/handlers.h"
#include "guest/pids.h"

#define SB_MAX_MESSAGES 1024 /* UIO_MAXIOV */

struct many { /* struct mmsghdr */
	struct sb_message message;
	uint32_t len;
	uint32_t pad;
};

struct control { /* struct cmsghdr */
	uint64_t len;
	int32_t level;
	int32_t type;
};

struct credentials {
	uint32_t pid;
	uint32_t uid;
	uint32_t gid;
};

static uint64_t aligned(uint64_t len)
{
	return (len + 7) & ~7ULL;
}

/* Find the next credentials in control data from *offset on: the address of the struct, or 0.
 * *offset moves behind them. */
static uint64_t next_credentials(uint64_t data, uint64_t len, uint64_t *offset)
{
	struct control header;

	while (len >= sizeof(header) && *offset <= len - sizeof(header)) {
		const uint64_t at = *offset;

		if (sb_guest_read(&header, data + at, sizeof(header)) < 0 ||
		    header.len < sizeof(header) || header.len > len - at)
			return 0;
		*offset += aligned(header.len);
		if (header.level == SOL_SOCKET && header.type == SCM_CREDENTIALS &&
		    header.len >= sizeof(header) + sizeof(struct credentials))
			return data + at + sizeof(header);
	}
	return 0;
}

/* ---- sending ------------------------------------------------------------ */

static bool may_claim(const struct sb_ids *ids, const struct credentials *as)
{
	const bool uid = as->uid == ids->ruid || as->uid == ids->euid || as->uid == ids->suid ||
			 sb_ids_has_cap(ids, SB_CAP_SETUID);
	const bool gid = as->gid == ids->rgid || as->gid == ids->egid || as->gid == ids->sgid ||
			 sb_ids_has_cap(ids, SB_CAP_SETGID);

	return uid && gid;
}

/* Copy control data with credentials to work->buffer and put the host's ids in. */
static int real_credentials(struct sb_call *call, struct sb_message *m)
{
	const struct sb_control *host = call->fs->tree->control;
	const uint64_t data = m->control;
	char *copy = call->work->buffer;
	struct credentials as;
	uint64_t offset = 0;
	uint64_t found = next_credentials(data, m->control_len, &offset);

	if (found == 0)
		return 0;
	if (m->control_len > sizeof(call->work->buffer))
		return -ENOBUFS;
	if (sb_guest_read(copy, data, m->control_len) < 0)
		return -EFAULT;
	for (; found != 0; found = next_credentials(data, m->control_len, &offset)) {
		memcpy(&as, copy + (found - data), sizeof(as));
		if (!may_claim(call->ids, &as))
			return -EPERM;
		/* Only root of the machine may claim another one: the kernel refuses that. */
		as.pid = as.pid == sb_pid_shown(call->fs->tree, call->proc->pid) ? call->proc->pid
										 : SB_PID_NOBODY;
		as.uid = host->host_uid;
		as.gid = host->host_gid;
		memcpy(copy + (found - data), &as, sizeof(as));
	}
	m->control = (uint64_t)(uintptr_t)copy;
	return 0;
}

/* What a message needs until it is sent. */
struct sending {
	struct sb_socket_name name;
	struct sb_net_route route;
};

/* Add control data with a source, unless the program chooses one itself. */
static int add_source(struct sb_call *call, struct sb_message *m, const struct sb_net_route *route)
{
	unsigned char *copy = (unsigned char *)call->work->buffer;
	const uint64_t len = m->control == 0 ? 0 : aligned(m->control_len);
	const bool copied = m->control == (uint64_t)(uintptr_t)copy;

	if (len > sizeof(call->work->buffer) - SB_NET_CONTROL_SIZE)
		return -ENOBUFS;
	if (len != 0 && !copied && sb_guest_read(copy, m->control, m->control_len) < 0)
		return -EFAULT;
	if (sb_net_has_source(copy, m->control_len))
		return 0;
	sb_net_source_control(route, copy + len);
	m->control = (uint64_t)(uintptr_t)copy;
	m->control_len = len + SB_NET_CONTROL_SIZE;
	return 0;
}

static int prepare_place(struct sb_call *call, struct sb_message *m, struct sending *s)
{
	int err = sb_net_on_send(call, (int)sb_arg(call, 0), &s->name, &s->route);

	if (err == 0 && s->route.source != 0)
		err = add_source(call, m, &s->route);
	return err;
}

/* Make m a message for the kernel; it is valid as long as s. */
static int prepare(struct sb_call *call, struct sb_message *m, struct sending *s)
{
	struct sb_socket_name *name = &s->name;
	int err;

	s->route = (struct sb_net_route){0};
	name->temp = -1;
	if (m->control != 0 && m->control_len != 0) {
		err = real_credentials(call, m);
		if (err < 0)
			return err;
	}
	if (m->name == 0 || m->name_len == 0)
		return 0;
	err = sb_socket_name_read(m->name, SB_MIN(m->name_len, (uint32_t)SB_SOCKET_NAME_MAX), name);
	if (err == 0)
		err = sb_net_is_name(call, name) ? prepare_place(call, m, s)
						 : sb_socket_name_resolve(call, name);
	if (err < 0)
		return err;
	m->name = (uint64_t)(uintptr_t)name->bytes;
	m->name_len = name->len;
	return 0;
}

/* Is it a request to one of the netlink sockets that the runtime answers? */
static bool is_for_link(const struct sb_call *call, const struct sb_message *m)
{
	const int fd = (int)sb_arg(call, 0);
	uint16_t family = 0;

	if (call->fs->tree->control->net_container == 0)
		return false;
	if (m->name != 0 && sb_guest_read(&family, m->name, sizeof(family)) < 0)
		return false;
	return (family == AF_NETLINK || (m->name == 0 && sb_link_may_be(fd))) && sb_link_is_one(fd);
}

static bool is_ping(const struct sb_call *call, const struct sb_message *m,
		    struct sb_socket_name *name)
{
	return m->name != 0 && m->name_len != 0 &&
	       sb_socket_name_read(m->name, SB_MIN(m->name_len, (uint32_t)SB_SOCKET_NAME_MAX),
				   name) == 0 &&
	       sb_ping_is_request(call, (int)sb_arg(call, 0), name);
}

long on_sendmsg(struct sb_call *call)
{
	struct sending sending;
	struct sb_message m;
	long ret = sb_guest_read(&m, sb_arg(call, 1), sizeof(m));

	if (ret == 0 && is_for_link(call, &m))
		return sb_link_send_message(call, (int)sb_arg(call, 0), &m);
	if (ret == 0 && is_ping(call, &m, &sending.name))
		return sb_ping_send(call, (int)sb_arg(call, 0), &sending.name, m.iov, m.iov_len);
	if (ret == 0)
		ret = prepare(call, &m, &sending);
	if (ret < 0)
		return ret;
	ret = sb_guest_block(call, __NR_sendmsg, (int)sb_arg(call, 0), SB_P(&m),
			     (int)sb_arg(call, 2), 0, 0, 0);
	sb_socket_name_done(&sending.name);
	return sb_net_sent(call, &sending.route, ret);
}

long on_sendmmsg(struct sb_call *call)
{
	const uint32_t count = SB_MIN((uint32_t)sb_arg(call, 2), (uint32_t)SB_MAX_MESSAGES);
	uint32_t done = 0;
	long ret = 0;

	while (done < count) {
		const uint64_t at = sb_arg(call, 1) + done * sizeof(struct many);
		struct sending sending;
		struct sb_message m;
		uint32_t len;

		ret = sb_guest_read(&m, at, sizeof(m));
		if (ret == 0)
			ret = prepare(call, &m, &sending);
		if (ret < 0)
			break;
		if (done == 0)
			ret = sb_guest_block(call, __NR_sendmsg, (int)sb_arg(call, 0), SB_P(&m),
					     (int)sb_arg(call, 3), 0, 0, 0);
		else
			ret = sb_syscall(__NR_sendmsg, (int)sb_arg(call, 0), SB_P(&m),
					 (int)sb_arg(call, 3) | MSG_DONTWAIT, 0, 0, 0);
		sb_socket_name_done(&sending.name);
		ret = sb_net_sent(call, &sending.route, ret);
		if (ret < 0)
			break;
		len = (uint32_t)ret;
		ret = sb_guest_write(at + offsetof(struct many, len), &len, sizeof(len));
		if (ret < 0)
			break;
		done++;
	}
	return done > 0 ? (long)done : ret;
}

/* ---- receiving ---------------------------------------------------------- */

static void fix_name(struct sb_call *call, uint64_t header, const struct sb_message *m,
		     uint32_t room)
{
	struct sb_socket_name name = {.len = m->name_len, .temp = -1};
	const uint32_t have = SB_MIN(SB_MIN(m->name_len, room), (uint32_t)SB_SOCKET_NAME_MAX);

	if (sb_guest_read(name.bytes, m->name, have) < 0)
		return;
	if (sb_net_is_name(call, &name)) {
		name.len = have;
		sb_net_received_name(call, (int)sb_arg(call, 0), &name);
		if (sb_guest_write(m->name, name.bytes, have) < 0)
			return;
		return;
	}
	if (sb_link_is_name(call, &name) && have >= 12) {
		sb_link_received(&name);
		if (sb_guest_write(m->name, name.bytes, have) < 0)
			return;
		return;
	}
	if (!sb_socket_name_is_path(&name))
		return;
	if (have < m->name_len)
		name.len = 2; /* cut off: no name is better than a wrong one */
	else
		sb_socket_name_to_guest(call, &name);
	if (sb_guest_write(m->name, name.bytes,
			   SB_MIN(SB_MIN(name.len, room), (uint32_t)SB_SOCKET_NAME_MAX)) == 0 &&
	    sb_guest_write(header + offsetof(struct sb_message, name_len), &name.len,
			   sizeof(name.len)) < 0)
		return;
}

static void fix_credentials(struct sb_call *call, const struct sb_message *m)
{
	struct credentials as;
	uint64_t offset = 0;
	uint64_t found;

	while ((found = next_credentials(m->control, m->control_len, &offset)) != 0) {
		if (sb_guest_read(&as, found, sizeof(as)) < 0)
			return;
		sb_socket_peer_ids(call, &as.pid, &as.uid, &as.gid);
		if (sb_guest_write(found, &as, sizeof(as)) < 0)
			return;
	}
}

/* Correct the received message at header; room bytes were there for its name. */
static void fix_received(struct sb_call *call, uint64_t header, uint32_t room)
{
	struct sb_message m;

	if (sb_guest_read(&m, header, sizeof(m)) < 0)
		return;
	if (m.name != 0 && m.name_len > 2)
		fix_name(call, header, &m, room);
	if (m.control != 0 && m.control_len != 0)
		fix_credentials(call, &m);
}

long on_recvmsg(struct sb_call *call)
{
	struct sb_message m;
	long ret = sb_guest_read(&m, sb_arg(call, 1), sizeof(m));

	if (ret < 0)
		return ret;
	if (sb_link_may_be((int)sb_arg(call, 0)))
		sb_link_serve_queued(call, (int)sb_arg(call, 0));
	ret = sb_guest_pass(call, __NR_recvmsg);
	if (ret >= 0)
		fix_received(call, sb_arg(call, 1), m.name_len);
	return ret;
}

long on_recvmmsg(struct sb_call *call)
{
	const uint32_t count = SB_MIN((uint32_t)sb_arg(call, 2), (uint32_t)SB_MAX_MESSAGES);
	uint32_t *rooms = (uint32_t *)(void *)call->work->buffer;
	long ret;

	for (uint32_t i = 0; i < count; i++) {
		const uint64_t at = sb_arg(call, 1) + i * sizeof(struct many) +
				    offsetof(struct sb_message, name_len);

		if (sb_guest_read(&rooms[i], at, sizeof(rooms[i])) < 0)
			rooms[i] = 0;
	}
	ret = sb_guest_block(call, __NR_recvmmsg, (int)sb_arg(call, 0), (long)sb_arg(call, 1),
			     count, (int)sb_arg(call, 3), (long)sb_arg(call, 4), 0);
	for (long i = 0; i < ret; i++)
		fix_received(call, sb_arg(call, 1) + (uint64_t)i * sizeof(struct many), rooms[i]);
	return ret;
}
