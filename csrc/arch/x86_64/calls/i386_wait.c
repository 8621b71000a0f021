/* SPDX-License-Identifier: MIT */
/*
 * i386_wait.c - times, waits and polls of 32-bit programs.
 *
 * There are two generations of calls: with seconds of 32 bits, and (_time64) with seconds of 64
 * bits, where only the upper half of the nanoseconds has no meaning.
 */
#include <errno.h>
#include <linux/resource.h>

#include "guest/handlers.h"
#include "i386_call.h"

#define NR32_PSELECT6 308
#define NR32_PPOLL 309
#define NR32_PSELECT6_TIME64 413
#define NR32_PPOLL_TIME64 414

static int read_small(uint64_t at, struct sb_timespec *to)
{
	struct sb_timespec32 from;

	if (sb_guest_read(&from, at, sizeof(from)) < 0)
		return -EFAULT;
	*to = (struct sb_timespec){from.sec, from.nsec};
	return 0;
}

static int read_large(uint64_t at, struct sb_timespec *to)
{
	if (sb_guest_read(to, at, sizeof(*to)) < 0)
		return -EFAULT;
	to->nsec = (int64_t)(uint32_t)to->nsec;
	return 0;
}

static int read_time(uint64_t at, struct sb_timespec *to, bool is_large)
{
	return is_large ? read_large(at, to) : read_small(at, to);
}

/* Write the time that is left to wait. An error has no effect. */
static void write_time(uint64_t at, const struct sb_timespec *from, bool is_large)
{
	const struct sb_timespec32 small = {(int32_t)from->sec, (int32_t)from->nsec};

	if (is_large ? sb_guest_write(at, from, sizeof(*from)) < 0
		     : sb_guest_write(at, &small, sizeof(small)) < 0)
		return;
}

/* Replace a time argument, which may be NULL, by one of the runtime. */
static int take_time(uint64_t *argument, struct sb_timespec *room, bool is_large)
{
	int ret;

	if (*argument == 0)
		return 0;
	ret = read_time(*argument, room, is_large);
	*argument = (uint64_t)(uintptr_t)room;
	return ret;
}

/* ---- times of files --------------------------------------------------------- */

long sb_i386_utime(struct sb_call *call)
{
	uint64_t *argument = &call->regs->args[1];
	int32_t from[2];
	int64_t times[2];

	if (*argument && sb_guest_read(from, *argument, sizeof(from)) < 0)
		return -EFAULT;
	if (*argument) {
		times[0] = from[0];
		times[1] = from[1];
		*argument = (uint64_t)(uintptr_t)times;
	}
	return on_utime(call);
}

/* Replace an argument with two times. Each has two members: seconds and a part of a second. */
static int take_pair(uint64_t *argument, struct sb_timespec times[2], bool is_large)
{
	const uint64_t at = *argument;
	const uint64_t size = is_large ? sizeof(times[0]) : sizeof(struct sb_timespec32);
	int ret;

	if (at == 0)
		return 0;
	ret = read_time(at, &times[0], is_large);
	if (ret == 0)
		ret = read_time(at + size, &times[1], is_large);
	*argument = (uint64_t)(uintptr_t)times;
	return ret;
}

long sb_i386_utimes(struct sb_call *call)
{
	struct sb_timespec times[2];
	int ret = take_pair(&call->regs->args[1], times, false);

	return ret < 0 ? ret : on_utimes(call);
}

long sb_i386_futimesat(struct sb_call *call)
{
	struct sb_timespec times[2];
	int ret = take_pair(&call->regs->args[2], times, false);

	return ret < 0 ? ret : on_futimesat(call);
}

long sb_i386_utimensat(struct sb_call *call)
{
	struct sb_timespec times[2];
	int ret = take_pair(&call->regs->args[2], times, false);

	return ret < 0 ? ret : on_utimensat(call);
}

long sb_i386_utimensat64(struct sb_call *call)
{
	struct sb_timespec times[2];
	int ret = take_pair(&call->regs->args[2], times, true);

	return ret < 0 ? ret : on_utimensat(call);
}

/* ---- poll, select, sigtimedwait --------------------------------------------- */

static long poll_any(struct sb_call *call, bool is_large)
{
	struct sb_regs *r = call->regs;
	const uint64_t at = r->args[2];
	struct sb_timespec time;
	long ret;

	if (r->args[3] == 0) /* no mask */
		return sb_i386_pass(call, is_large ? NR32_PPOLL_TIME64 : NR32_PPOLL);
	ret = take_time(&r->args[2], &time, is_large);
	if (ret == 0)
		ret = on_ppoll(call);
	if (at && ret != -EFAULT && ret != -EINVAL)
		write_time(at, &time, is_large);
	return ret;
}

long sb_i386_ppoll(struct sb_call *call)
{
	return poll_any(call, false);
}

long sb_i386_ppoll64(struct sb_call *call)
{
	return poll_any(call, true);
}

static long select_any(struct sb_call *call, bool is_large)
{
	struct sb_regs *r = call->regs;
	const uint64_t at = r->args[4];
	uint32_t pair[2] = {0, 0};
	uint64_t wide[2];
	struct sb_timespec time;
	long ret;

	if (r->args[5] && sb_guest_read(pair, r->args[5], sizeof(pair)) < 0)
		return -EFAULT;
	if (pair[0] == 0) /* no mask */
		return sb_i386_pass(call, is_large ? NR32_PSELECT6_TIME64 : NR32_PSELECT6);
	wide[0] = pair[0];
	wide[1] = pair[1];
	r->args[5] = (uint64_t)(uintptr_t)wide;
	ret = take_time(&r->args[4], &time, is_large);
	if (ret == 0)
		ret = on_pselect6(call);
	if (at && ret != -EFAULT && ret != -EINVAL)
		write_time(at, &time, is_large);
	return ret;
}

long sb_i386_pselect6(struct sb_call *call)
{
	return select_any(call, false);
}

long sb_i386_pselect6_64(struct sb_call *call)
{
	return select_any(call, true);
}

static long wait_signal(struct sb_call *call, bool is_large)
{
	struct sb_regs *r = call->regs;
	const uint64_t to = r->args[1];
	struct sb_siginfo32 out;
	struct sb_timespec time;
	siginfo_t info;
	long ret = take_time(&r->args[2], &time, is_large);

	if (ret < 0)
		return ret;
	r->args[1] = (uint64_t)(uintptr_t)&info;
	ret = on_rt_sigtimedwait(call);
	if (ret < 0 || !to)
		return ret;
	sb_i386_siginfo(&info, &out);
	return sb_guest_write(to, &out, sizeof(out)) < 0 ? -EFAULT : ret;
}

long sb_i386_rt_sigtimedwait(struct sb_call *call)
{
	return wait_signal(call, false);
}

long sb_i386_rt_sigtimedwait64(struct sb_call *call)
{
	return wait_signal(call, true);
}

/* ---- children --------------------------------------------------------------- */

#define USAGE_WORDS 18

static int write_usage(uint64_t to, const struct rusage *from)
{
	int32_t out[USAGE_WORDS];
	const long *words = (const long *)(const void *)from;

	for (int i = 0; i < USAGE_WORDS; i++)
		out[i] = (int32_t)words[i];
	return to ? sb_guest_write(to, out, sizeof(out)) : 0;
}

long sb_i386_wait4(struct sb_call *call)
{
	const uint64_t to = call->regs->args[3];
	struct rusage usage;
	long ret;

	if (to)
		call->regs->args[3] = (uint64_t)(uintptr_t)&usage;
	ret = on_wait4(call);
	return ret > 0 && write_usage(to, &usage) < 0 ? -EFAULT : ret;
}

long sb_i386_waitpid(struct sb_call *call)
{
	call->regs->args[3] = 0;
	return on_wait4(call);
}

long sb_i386_waitid(struct sb_call *call)
{
	struct sb_regs *r = call->regs;
	const uint64_t to = r->args[2];
	const uint64_t usage_to = r->args[4];
	struct sb_siginfo32 out;
	struct rusage usage;
	siginfo_t info;
	long ret;

	memset(&info, 0, sizeof(info));
	memset(&usage, 0, sizeof(usage));
	r->args[2] = (uint64_t)(uintptr_t)&info;
	if (usage_to)
		r->args[4] = (uint64_t)(uintptr_t)&usage;
	ret = on_waitid(call);
	if (ret < 0)
		return ret;
	sb_i386_siginfo(&info, &out);
	if (info.si_pid && write_usage(usage_to, &usage) < 0)
		return -EFAULT;
	/* Six words, up to the status. */
	return to && sb_guest_write(to, &out, 24) < 0 ? -EFAULT : ret;
}
