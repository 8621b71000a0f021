/* SPDX-License-Identifier: MIT */
/*
 * i386_process.c - calls of 32-bit programs that name a process and pass a structure.
 *
 * The kernel makes them as 32-bit calls, since it knows their structures.
 */
#include <errno.h>
#include <fcntl.h>

#include "calls/fs/on_fcntl.h"
#include "calls/task/on_timer.h"
#include "calls/task/signal_target.h"
#include "guest/handlers.h"
#include "guest/peers/peers.h"
#include "guest/pids.h"
#include "i386_call.h"

#define GETLK64 12
#define NR32_RT_SIGQUEUEINFO 178
#define NR32_RT_TGSIGQUEUEINFO 335
#define NR32_PIDFD_SEND_SIGNAL 424

/* The first argument is the process. */
long sb_i386_of_process(struct sb_call *call)
{
	call->regs->args[0] = (uint32_t)sb_pid_argument(call, 0);
	return sb_i386_pass(call, (uint32_t)call->thread->regs.rax);
}

long sb_i386_of_clock(struct sb_call *call)
{
	call->regs->args[0] = (uint32_t)sb_clock_from_guest(call->proc, (int)sb_arg(call, 0));
	return sb_i386_pass(call, (uint32_t)call->thread->regs.rax);
}

struct sigevent32 {
	uint32_t value;
	int32_t signo;
	int32_t notify;
	int32_t thread;
};

/* The number of the timer is an int for both. */
long sb_i386_timer_create(struct sb_call *call)
{
	struct sigevent32 from;
	struct sigevent to = {0};

	if (sb_arg(call, 1) != 0) {
		if (sb_guest_read(&from, sb_arg(call, 1), sizeof(from)) < 0)
			return -EFAULT;
		to.sigev_value.sival_ptr = (void *)(uintptr_t)from.value;
		to.sigev_signo = from.signo;
		to.sigev_notify = from.notify;
		to.sigev_notify_thread_id = from.thread;
		call->regs->args[1] = (uint64_t)(uintptr_t)&to;
	}
	return on_timer_create(call);
}

/* The same, when the caller may trace the process. */
long sb_i386_traced_process(struct sb_call *call)
{
	const int real = sb_pid_argument(call, 0);

	if (real > 0 && real != SB_PID_NOBODY && !sb_peer_may_trace(call, (uint32_t)real))
		return -EPERM;
	return sb_i386_of_process(call);
}

long sb_i386_pidfd_memory(struct sb_call *call)
{
	const uint32_t real = sb_pidfd_process(call, (int)sb_arg(call, 0));

	if (real != 0 && !sb_peer_may_look(call, real))
		return -EACCES;
	return sb_i386_pass(call, (uint32_t)call->thread->regs.rax);
}

/* ---- signals ------------------------------------------------------------------ */

long sb_i386_rt_sigqueueinfo(struct sb_call *call)
{
	const int real = sb_pid_argument(call, 0);
	const int err = sb_signal_check(call, real, (int)sb_arg(call, 1));

	if (err != 0)
		return SB_MIN(err, 0);
	call->regs->args[0] = (uint32_t)real;
	return sb_i386_pass(call, NR32_RT_SIGQUEUEINFO);
}

long sb_i386_rt_tgsigqueueinfo(struct sb_call *call)
{
	const int real = sb_pid_argument(call, 0);
	const int thread = sb_pid_argument(call, 1);
	const int err = sb_signal_check(call, real, (int)sb_arg(call, 2));

	if (err != 0)
		return SB_MIN(err, 0);
	call->regs->args[0] = (uint32_t)real;
	call->regs->args[1] = (uint32_t)thread;
	return sb_i386_pass(call, NR32_RT_TGSIGQUEUEINFO);
}

long sb_i386_pidfd_send_signal(struct sb_call *call)
{
	const int err = sb_signal_check_pidfd(call, (int)sb_arg(call, 0), (int)sb_arg(call, 1));

	return err != 0 ? SB_MIN(err, 0) : sb_i386_pass(call, NR32_PIDFD_SEND_SIGNAL);
}

/* ---- locks -------------------------------------------------------------------- */

struct lock32 { /* struct flock */
	int16_t type;
	int16_t whence;
	int32_t start;
	int32_t len;
	int32_t pid;
};

struct lock64 { /* struct flock64 */
	int16_t type;
	int16_t whence;
	int64_t start;
	int64_t len;
	int32_t pid;
} __attribute__((packed));

/* The kernel has answered: correct the holder, at is where the structure has it. */
static long fix_holder(struct sb_call *call, uint64_t lock, size_t at)
{
	int16_t type;
	int32_t pid;

	if (sb_guest_read(&type, lock, sizeof(type)) < 0 ||
	    sb_guest_read(&pid, lock + at, sizeof(pid)) < 0)
		return -EFAULT;
	pid = sb_lock_holder_to_guest(call, type, pid);
	return sb_guest_write(lock + at, &pid, sizeof(pid));
}

long sb_i386_fcntl(struct sb_call *call)
{
	const uint32_t command = (uint32_t)sb_arg(call, 1);
	const bool is_large = command == GETLK64 || command == F_OFD_GETLK;
	long ret;

	if (command != F_GETLK && !is_large && command != F_SETOWN && command != F_GETOWN &&
	    command != F_SETOWN_EX && command != F_GETOWN_EX)
		return sb_i386_pass(call, (uint32_t)call->thread->regs.rax);
	if (command != F_GETLK && !is_large)
		return on_fcntl(call);
	ret = sb_i386_pass(call, (uint32_t)call->thread->regs.rax);
	if (ret < 0)
		return ret;
	return fix_holder(call, sb_arg(call, 2),
			  is_large ? offsetof(struct lock64, pid) : offsetof(struct lock32, pid));
}
