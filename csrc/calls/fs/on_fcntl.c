/* SPDX-License-Identifier: MIT */
/*
 * on_fcntl.c - fcntl(2) and ioctl(2): the requests that name a process.
 *
 * The owner of a file gets its signals (F_SETOWN); a terminal has a foreground group; and a lock
 * has a holder. The filter traps no other requests of fcntl, but those that duplicate a
 * descriptor, where descriptors are remembered.
 */
#include "calls/fs/on_fcntl.h"

#include <asm/ioctls.h>
#include <asm/sockios.h>
#include <errno.h>

#include "calls/fs/on_close.h"
#include "guest/handlers.h"
#include "guest/pids.h"
#include "pure/verdict.h"

struct owner { /* struct f_owner_ex */
	int32_t type; /* a thread, a process, a group */
	int32_t pid;
};

/* The number of a process (> 0) or of a group (< 0) as the kernel must get it. */
static int owner_from_guest(const struct sb_proc *proc, int shown)
{
	int real;

	if (shown == 0 || shown == INT32_MIN)
		return shown;
	if (shown > 0)
		real = sb_pid_from_guest(proc, (uint32_t)shown);
	else
		real = sb_pid_group_from_guest(proc, (uint32_t)-shown);
	if (real < 0)
		real = SB_PID_NOBODY;
	return shown > 0 ? real : -real;
}

static int32_t owner_to_guest(const struct sb_proc *proc, const struct owner *owner)
{
	if (owner->pid <= 0)
		return owner->pid;
	if (owner->type == F_OWNER_PGRP)
		return (int32_t)sb_pid_group_to_guest(&proc->tree, (uint32_t)owner->pid);
	return (int32_t)sb_pid_to_guest(&proc->tree, (uint32_t)owner->pid);
}

static long ask_owner(struct sb_call *call, struct owner *owner)
{
	const long ret =
		sb_syscall(__NR_fcntl, (int)sb_arg(call, 0), F_GETOWN_EX, SB_P(owner), 0, 0, 0);

	if (ret == 0)
		owner->pid = owner_to_guest(call->proc, owner);
	return ret;
}

/* Return what F_GETOWN returns: a group is a negative number. */
static long get_owner(struct sb_call *call)
{
	struct owner owner;
	const long ret = ask_owner(call, &owner);

	if (ret < 0)
		return ret;
	return owner.type == F_OWNER_PGRP ? -owner.pid : owner.pid;
}

static long get_owner_ex(struct sb_call *call)
{
	struct owner owner;
	const long ret = ask_owner(call, &owner);

	return ret < 0 ? ret : sb_guest_write(sb_arg(call, 2), &owner, sizeof(owner));
}

static long set_owner_ex(struct sb_call *call)
{
	struct owner owner;
	long ret = sb_guest_read(&owner, sb_arg(call, 2), sizeof(owner));

	if (ret < 0)
		return ret;
	if (owner.pid > 0 && owner.type == F_OWNER_PGRP)
		owner.pid = -owner_from_guest(call->proc, -owner.pid);
	else if (owner.pid > 0)
		owner.pid = owner_from_guest(call->proc, owner.pid);
	return sb_guest_block(call, __NR_fcntl, (int)sb_arg(call, 0), F_SETOWN_EX, SB_P(&owner), 0,
			      0, 0);
}

/* Ask for a lock; the kernel's answer tells who holds it. */
static long get_lock(struct sb_call *call)
{
	struct flock lock;
	long ret = sb_guest_read(&lock, sb_arg(call, 2), sizeof(lock));

	if (ret == 0)
		ret = sb_guest_block(call, __NR_fcntl, (int)sb_arg(call, 0), (int)sb_arg(call, 1),
				     SB_P(&lock), 0, 0, 0);
	if (ret < 0)
		return ret;
	lock.l_pid = sb_lock_holder_to_guest(call, lock.l_type, lock.l_pid);
	return sb_guest_write(sb_arg(call, 2), &lock, sizeof(lock));
}

int32_t sb_lock_holder_to_guest(const struct sb_call *call, int type, int32_t pid)
{
	/* Nobody's, or that of an open file. */
	if (type == F_UNLCK || pid <= 0)
		return pid;
	return (int32_t)sb_pid_to_guest(&call->proc->tree, (uint32_t)pid);
}

long on_fcntl(struct sb_call *call)
{
	switch ((int)sb_arg(call, 1)) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return sb_duplicate(call, __NR_fcntl);
	case F_GETLK:
	case F_OFD_GETLK:
		return get_lock(call);
	case F_SETOWN:
		return sb_guest_block(call, __NR_fcntl, (int)sb_arg(call, 0), F_SETOWN,
				      owner_from_guest(call->proc, (int)sb_arg(call, 2)), 0, 0, 0);
	case F_GETOWN:
		return get_owner(call);
	case F_SETOWN_EX:
		return set_owner_ex(call);
	case F_GETOWN_EX:
		return get_owner_ex(call);
	default:
		return sb_guest_pass(call, __NR_fcntl);
	}
}

/* ---- ioctl ------------------------------------------------------------------ */

static long set_by_request(struct sb_call *call, bool is_group)
{
	int32_t number;
	int real;
	const long ret = sb_guest_read(&number, sb_arg(call, 2), sizeof(number));

	if (ret < 0)
		return ret;
	if (is_group && number > 0)
		real = -owner_from_guest(call->proc, -number);
	else
		real = is_group ? number : owner_from_guest(call->proc, number);
	return sb_guest_block(call, __NR_ioctl, (int)sb_arg(call, 0),
			      (long)(uint32_t)sb_arg(call, 1), SB_P(&real), 0, 0, 0);
}

static long get_by_request(struct sb_call *call, bool is_group)
{
	struct owner owner;
	int32_t number;
	long ret = sb_syscall(__NR_ioctl, (int)sb_arg(call, 0), (long)(uint32_t)sb_arg(call, 1),
			      SB_P(&number), 0, 0, 0);

	if (ret < 0)
		return ret;
	owner.type = is_group || number < 0 ? F_OWNER_PGRP : F_OWNER_PID;
	owner.pid = number < 0 ? -number : number;
	owner.pid = owner_to_guest(call->proc, &owner);
	number = number < 0 ? -owner.pid : owner.pid;
	return sb_guest_write(sb_arg(call, 2), &number, sizeof(number));
}

long sb_ioctl_of_process(struct sb_call *call)
{
	switch ((uint32_t)sb_arg(call, 1)) {
	case TIOCGPGRP:
	case TIOCGSID:
		return get_by_request(call, true);
	case TIOCSPGRP:
		return set_by_request(call, true);
	case FIOGETOWN:
	case SIOCGPGRP:
		return get_by_request(call, false);
	default: /* FIOSETOWN, SIOCSPGRP */
		return set_by_request(call, false);
	}
}
