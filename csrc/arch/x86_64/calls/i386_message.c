/* SPDX-License-Identifier: MIT */
/*
 * i386_message.c - messages of 32-bit programs: sendmsg, recvmsg, sendmmsg, recvmmsg.
 *
 * How it works
 *   A message gets a new header, vector and control data in the thread's room. A received message
 *   is written back in the program's layout.
 * Rules
 *   One call sends or receives at most FEW messages, which these calls allow. All their pieces must
 *   fit into the room, otherwise EMSGSIZE.
 * Does not know
 *   Addresses, which have the same layout in both.
 */
#include <errno.h>
#include <sys/socket.h>

#include "calls/net/message.h"
#include "guest/handlers.h"
#include "i386_call.h"

#define FEW 8

struct vector32 {
	uint32_t base;
	uint32_t len;
};

struct vector64 {
	uint64_t base;
	uint64_t len;
};

struct message32 {
	uint32_t name;
	uint32_t name_len;
	uint32_t iov;
	uint32_t iov_len;
	uint32_t control;
	uint32_t control_len;
	uint32_t flags;
};

struct many32 {
	struct message32 message;
	uint32_t len;
};

struct many64 { /* as in on_socket_message.c */
	struct sb_message message;
	uint32_t len;
	uint32_t pad;
};

struct control32 {
	uint32_t len;
	int32_t level;
	int32_t type;
};

struct control64 {
	uint64_t len;
	int32_t level;
	int32_t type;
};

/* A part of thread->scratch.compat.room; take() hands out its beginning. */
struct room {
	char *at;
	size_t left;
};

static struct room room_of(struct sb_call *call)
{
	return (struct room){call->thread->scratch.compat.room, SB_COMPAT_ROOM};
}

static void *take(struct room *room, size_t size)
{
	const size_t whole = (size + 15) & ~(size_t)15;
	char *at = room->at;

	if (size > room->left || whole > room->left)
		return NULL;
	room->at += whole;
	room->left -= whole;
	return at;
}

/* ---- control data ----------------------------------------------------------- */

static uint32_t aligned4(uint32_t len)
{
	return (len + 3) & ~3U;
}

static uint64_t aligned8(uint64_t len)
{
	return (len + 7) & ~7ULL;
}

/* Widen control data to send. */
static int widen_control(struct room *room, struct sb_message *m)
{
	const uint32_t size = (uint32_t)m->control_len;
	char *to = room->at;
	uint64_t used = 0;
	struct control32 head;

	for (uint32_t at = 0; size - at >= sizeof(head) && at < size; at += aligned4(head.len)) {
		struct control64 *wide = (struct control64 *)(void *)(to + used);

		if (sb_guest_read(&head, m->control + at, sizeof(head)) < 0)
			return -EFAULT;
		if (head.len < sizeof(head) || head.len > size - at)
			return -EINVAL;
		if (used + head.len + 16 > room->left)
			return -ENOBUFS;
		*wide = (struct control64){head.len - sizeof(head) + sizeof(*wide), head.level,
					   head.type};
		if (sb_guest_read(wide + 1, m->control + at + sizeof(head),
				  head.len - sizeof(head)) < 0)
			return -EFAULT;
		used += aligned8(wide->len);
		if (aligned4(head.len) > size - at)
			break;
	}
	m->control = (uint64_t)(uintptr_t)take(room, used);
	m->control_len = used;
	return 0;
}

static void close_rest(const int32_t *fds, uint64_t count, uint64_t from)
{
	for (uint64_t i = from; i < count; i++)
		sys_close(fds[i]);
}

/* Change the data of one item; returns how much of it the program gets. */
static uint32_t narrow_data(const struct control64 *wide, char *data, uint32_t room, bool *is_cut)
{
	uint64_t len = wide->len - sizeof(*wide);
	int64_t time[2];

	/* SCM_TIMESTAMP and SCM_TIMESTAMPNS with seconds of 32 bits */
	if (wide->level == SOL_SOCKET && (wide->type == 29 || wide->type == 35) &&
	    len == sizeof(time)) {
		memcpy(time, data, sizeof(time));
		((int32_t *)(void *)data)[0] = (int32_t)time[0];
		((int32_t *)(void *)data)[1] = (int32_t)time[1];
		len = 8;
	}
	if (len <= room)
		return (uint32_t)len;
	*is_cut = true;
	if (wide->level == SOL_SOCKET && wide->type == SCM_RIGHTS) {
		close_rest((const int32_t *)(void *)data, len / 4, room / 4);
		return room & ~3U;
	}
	return room;
}

/* Write received control data to the program; returns its length there. */
static long narrow_control(const struct sb_message *m, uint64_t to, uint32_t size, bool *is_cut)
{
	char *from = (char *)(uintptr_t)m->control;
	uint32_t used = 0;

	for (uint64_t at = 0;
	     m->control_len - at >= sizeof(struct control64) && at < m->control_len;) {
		const struct control64 *wide = (const struct control64 *)(void *)(from + at);
		char *data = from + at + sizeof(*wide);
		struct control32 head = {0, wide->level, wide->type};
		const uint32_t left = size - used;
		uint32_t len;

		if (wide->len < sizeof(*wide) || wide->len > m->control_len - at)
			break;
		len = narrow_data(wide, data,
				  left > sizeof(head) ? left - (uint32_t)sizeof(head) : 0, is_cut);
		at += aligned8(wide->len);
		if (left < sizeof(head) || (len == 0 && wide->len > sizeof(*wide)))
			continue;
		head.len = len + (uint32_t)sizeof(head);
		if (sb_guest_write(to + used, &head, sizeof(head)) < 0 ||
		    sb_guest_write(to + used + sizeof(head), data, len) < 0)
			return -EFAULT;
		used = SB_MIN(used + aligned4(head.len), size);
	}
	return used;
}

/* ---- messages --------------------------------------------------------------- */

static int widen_vector(struct room *room, struct sb_message *m)
{
	const uint64_t from = m->iov;
	struct vector64 *wide;

	if (m->iov_len > 1024)
		return -EMSGSIZE;
	wide = take(room, m->iov_len * sizeof(*wide));
	if (!wide)
		return -EMSGSIZE;
	for (uint64_t i = 0; i < m->iov_len; i++) {
		struct vector32 v;

		if (sb_guest_read(&v, from + i * sizeof(v), sizeof(v)) < 0)
			return -EFAULT;
		wide[i] = (struct vector64){v.base, v.len};
	}
	m->iov = (uint64_t)(uintptr_t)wide;
	return 0;
}

/* Make room for the kernel to write into, more than the program's since headers are longer. */
static int make_control(struct room *room, struct sb_message *m)
{
	const uint64_t size = SB_MIN(m->control_len + m->control_len / 2 + 16, 8192ULL);

	if (m->control_len == 0) {
		m->control = 0;
		return 0;
	}
	m->control = (uint64_t)(uintptr_t)take(room, size);
	m->control_len = size;
	return m->control ? 0 : -ENOBUFS;
}

/* Read the program's message at address at into *narrow, and widen it into *m. */
static int widen(struct room *room, uint64_t at, struct message32 *narrow, struct sb_message *m,
		 bool is_sent)
{
	int ret = sb_guest_read(narrow, at, sizeof(*narrow));

	if (ret < 0)
		return ret;
	*m = (struct sb_message){
		.name = narrow->name,
		.name_len = narrow->name_len,
		.iov = narrow->iov,
		.iov_len = narrow->iov_len,
		.control = narrow->control,
		.control_len = narrow->control ? narrow->control_len : 0,
		.flags = narrow->flags,
	};
	ret = widen_vector(room, m);
	if (ret == 0)
		ret = is_sent ? widen_control(room, m) : make_control(room, m);
	return ret;
}

/* Write a received message back to the program. */
static int narrow_back(uint64_t at, struct message32 *narrow, const struct sb_message *m)
{
	bool is_cut = false;
	long len = 0;

	if (narrow->control && narrow->control_len)
		len = narrow_control(m, narrow->control, narrow->control_len, &is_cut);
	if (len < 0)
		return (int)len;
	narrow->name_len = m->name_len;
	narrow->control_len = (uint32_t)len;
	narrow->flags = m->flags | (is_cut ? (uint32_t)MSG_CTRUNC : 0);
	return sb_guest_write(at, narrow, sizeof(*narrow));
}

long sb_i386_sendmsg(struct sb_call *call)
{
	struct room room = room_of(call);
	struct message32 narrow;
	struct sb_message m;
	int ret = widen(&room, call->regs->args[1], &narrow, &m, true);

	call->regs->args[1] = (uint64_t)(uintptr_t)&m;
	return ret < 0 ? ret : on_sendmsg(call);
}

long sb_i386_recvmsg(struct sb_call *call)
{
	const uint64_t at = call->regs->args[1];
	struct room room = room_of(call);
	struct message32 narrow;
	struct sb_message m;
	long count = widen(&room, at, &narrow, &m, false);
	int ret;

	if (count < 0)
		return count;
	call->regs->args[1] = (uint64_t)(uintptr_t)&m;
	count = on_recvmsg(call);
	if (count < 0)
		return count;
	ret = narrow_back(at, &narrow, &m);
	return ret < 0 ? ret : count;
}

long sb_i386_sendmmsg(struct sb_call *call)
{
	struct sb_regs *r = call->regs;
	struct room room = room_of(call);
	const uint32_t count = SB_MIN((uint32_t)r->args[2], (uint32_t)FEW);
	struct message32 narrow;
	struct many64 many[FEW];
	const uint64_t at = r->args[1];
	long done;

	for (uint32_t i = 0; i < count; i++) {
		int ret = widen(&room, at + i * sizeof(struct many32), &narrow, &many[i].message,
				true);

		if (ret < 0)
			return ret;
	}
	r->args[1] = (uint64_t)(uintptr_t)many;
	r->args[2] = count;
	done = on_sendmmsg(call);
	for (long i = 0; i < done; i++) {
		if (sb_guest_write(at + (uint64_t)i * sizeof(struct many32) +
					   offsetof(struct many32, len),
				   &many[i].len, sizeof(many[i].len)) < 0)
			return -EFAULT;
	}
	return done;
}

static long receive_many(struct sb_call *call, bool is_large)
{
	struct sb_regs *r = call->regs;
	struct room room = room_of(call);
	const uint32_t count = SB_MIN((uint32_t)r->args[2], (uint32_t)FEW);
	struct message32 narrow[FEW];
	struct many64 many[FEW];
	struct sb_timespec time;
	struct sb_timespec32 small;
	const uint64_t at = r->args[1];
	long done;

	for (uint32_t i = 0; i < count; i++) {
		int ret = widen(&room, at + i * sizeof(struct many32), &narrow[i], &many[i].message,
				false);

		if (ret < 0)
			return ret;
	}
	if (r->args[4] && is_large && sb_guest_read(&time, r->args[4], sizeof(time)) < 0)
		return -EFAULT;
	if (r->args[4] && !is_large) {
		if (sb_guest_read(&small, r->args[4], sizeof(small)) < 0)
			return -EFAULT;
		time = (struct sb_timespec){small.sec, small.nsec};
	}
	if (r->args[4])
		r->args[4] = (uint64_t)(uintptr_t)&time;
	r->args[1] = (uint64_t)(uintptr_t)many;
	r->args[2] = count;
	done = on_recvmmsg(call);
	for (long i = 0; i < done; i++) {
		const uint64_t to = at + (uint64_t)i * sizeof(struct many32);

		if (narrow_back(to, &narrow[i], &many[i].message) < 0 ||
		    sb_guest_write(to + offsetof(struct many32, len), &many[i].len,
				   sizeof(many[i].len)) < 0)
			return -EFAULT;
	}
	return done;
}

long sb_i386_recvmmsg(struct sb_call *call)
{
	return receive_many(call, false);
}

long sb_i386_recvmmsg64(struct sb_call *call)
{
	return receive_many(call, true);
}
