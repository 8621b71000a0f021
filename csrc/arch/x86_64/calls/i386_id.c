/* SPDX-License-Identifier: MIT */
/*
 * i386_id.c - ids of 16 bits, prctl and seccomp of 32-bit programs.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>

#include "guest/handlers.h"
#include "i386_call.h"

#define OVERFLOW_ID 65534 /* shown for an id that does not fit */
#define NR32_PRCTL 172

static uint64_t from16(uint64_t id)
{
	return (uint16_t)id == 0xffff ? 0xffffffff : (uint16_t)id;
}

static uint16_t to16(uint64_t id)
{
	return id > 0xffff ? OVERFLOW_ID : (uint16_t)id;
}

static void widen(struct sb_call *call)
{
	struct sb_regs *r = call->regs;

	r->args[0] = from16(r->args[0]);
	r->args[1] = from16(r->args[1]);
	r->args[2] = from16(r->args[2]);
}

#define SET(name)                                      \
	long sb_i386_##name##16(struct sb_call * call) \
	{                                              \
		widen(call);                           \
		return on_##name(call);                \
	}
#define GET(name)                                       \
	long sb_i386_##name##16(struct sb_call * call)  \
	{                                               \
		return to16((uint64_t)on_##name(call)); \
	}

SET(setuid)
SET(setgid)
SET(setreuid)
SET(setregid)
SET(setresuid)
SET(setresgid)
GET(getuid)
GET(getgid)
GET(geteuid)
GET(getegid)

long sb_i386_setfsuid16(struct sb_call *call)
{
	widen(call);
	return to16((uint64_t)on_setfsuid(call));
}

long sb_i386_setfsgid16(struct sb_call *call)
{
	widen(call);
	return to16((uint64_t)on_setfsgid(call));
}

static long get_three(struct sb_call *call, sb_handler *handler)
{
	struct sb_regs *r = call->regs;
	const uint64_t to[3] = {r->args[0], r->args[1], r->args[2]};
	uint32_t ids[3];
	long ret;

	r->args[0] = (uint64_t)(uintptr_t)&ids[0];
	r->args[1] = (uint64_t)(uintptr_t)&ids[1];
	r->args[2] = (uint64_t)(uintptr_t)&ids[2];
	ret = handler(call);
	for (int i = 0; ret == 0 && i < 3; i++) {
		const uint16_t id = to16(ids[i]);

		ret = sb_guest_write(to[i], &id, sizeof(id));
	}
	return ret;
}

long sb_i386_getresuid16(struct sb_call *call)
{
	return get_three(call, on_getresuid);
}

long sb_i386_getresgid16(struct sb_call *call)
{
	return get_three(call, on_getresgid);
}

#define ROOM_GROUPS (SB_COMPAT_ROOM / sizeof(uint32_t))

long sb_i386_getgroups16(struct sb_call *call)
{
	uint32_t count;
	const uint32_t *groups = sb_ids_groups(call->ids, &count);
	const int size = (int)call->regs->args[0];
	const uint64_t to = call->regs->args[1];

	if (size < 0 || (size != 0 && (uint32_t)size < count))
		return -EINVAL;
	for (uint32_t i = 0; size != 0 && i < count; i++) {
		const uint16_t id = to16(groups[i]);

		if (sb_guest_write(to + 2 * (uint64_t)i, &id, sizeof(id)) < 0)
			return -EFAULT;
	}
	return count;
}

long sb_i386_setgroups16(struct sb_call *call)
{
	uint32_t *groups = (uint32_t *)(void *)call->thread->scratch.compat.room;
	const uint64_t count = call->regs->args[0];
	const uint64_t from = call->regs->args[1];
	uint16_t id;

	for (uint64_t i = 0; i < count && i < ROOM_GROUPS; i++) {
		if (sb_guest_read(&id, from + 2 * i, sizeof(id)) < 0)
			return -EFAULT;
		groups[i] = (uint32_t)from16(id);
	}
	call->regs->args[1] = (uint64_t)(uintptr_t)groups;
	return count > ROOM_GROUPS ? -EINVAL : on_setgroups(call);
}

/* ---- owners of files -------------------------------------------------------- */

static long with_owner(struct sb_call *call, sb_handler *handler)
{
	call->regs->args[1] = from16(call->regs->args[1]);
	call->regs->args[2] = from16(call->regs->args[2]);
	return handler(call);
}

long sb_i386_chown16(struct sb_call *call)
{
	return with_owner(call, on_chown);
}

long sb_i386_lchown16(struct sb_call *call)
{
	return with_owner(call, on_lchown);
}

long sb_i386_fchown16(struct sb_call *call)
{
	return with_owner(call, on_fchown);
}

/* ---- filters ---------------------------------------------------------------- */

struct fprog32 {
	uint16_t len;
	uint16_t pad;
	uint32_t filter;
};

static int read_filter(uint64_t at, struct sock_fprog *to)
{
	struct fprog32 from;

	if (sb_guest_read(&from, at, sizeof(from)) < 0)
		return -EFAULT;
	*to = (struct sock_fprog){.len = from.len,
				  .filter = (struct sock_filter *)(uintptr_t)from.filter};
	return 0;
}

long sb_i386_seccomp(struct sb_call *call)
{
	struct sock_fprog program;

	if ((uint32_t)call->regs->args[0] == SECCOMP_SET_MODE_FILTER) {
		if (read_filter(call->regs->args[2], &program) < 0)
			return -EFAULT;
		call->regs->args[2] = (uint64_t)(uintptr_t)&program;
	}
	return on_seccomp(call);
}

long sb_i386_prctl(struct sb_call *call)
{
	struct sb_regs *r = call->regs;
	struct sock_fprog program;

	if ((int)r->args[0] == PR_GET_TID_ADDRESS) /* the kernel writes a pointer */
		return sb_i386_pass(call, NR32_PRCTL);
	if ((int)r->args[0] == PR_SET_SECCOMP && r->args[1] == SECCOMP_MODE_FILTER) {
		if (read_filter(r->args[2], &program) < 0)
			return -EFAULT;
		r->args[2] = (uint64_t)(uintptr_t)&program;
	}
	return on_prctl(call);
}
