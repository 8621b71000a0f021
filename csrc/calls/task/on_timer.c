/* SPDX-License-Identifier: MIT */
/*
 * on_timer.c - timers that signal a thread, and clocks of a process or thread.
 *
 * Such a clock has a negative number, made of the number of the process or thread. The filter traps
 * calls about no other clock.
 */
#include <asm/siginfo.h>
#include <errno.h>

#include "calls/task/on_timer.h"
#include "guest/handlers.h"
#include "guest/pids.h"

#define OF_DESCRIPTOR 3 /* in the three low bits: the clock of a device */

int sb_clock_from_guest(const struct sb_proc *proc, int clock)
{
	const int shown = ~(clock >> 3);
	int real;

	if (clock >= 0 || (clock & 7) == OF_DESCRIPTOR || shown <= 0)
		return clock;
	real = sb_pid_from_guest(proc, (uint32_t)shown);
	return (int)((unsigned)~(real < 0 ? SB_PID_NOBODY >> 3 : real) << 3) | (clock & 7);
}

static int clock_of(const struct sb_call *call)
{
	return sb_clock_from_guest(call->proc, (int)sb_arg(call, 0));
}

long on_clock_gettime(struct sb_call *call)
{
	return sb_guest_block(call, __NR_clock_gettime, clock_of(call), (long)sb_arg(call, 1), 0, 0,
			      0, 0);
}

long on_clock_getres(struct sb_call *call)
{
	return sb_guest_block(call, __NR_clock_getres, clock_of(call), (long)sb_arg(call, 1), 0, 0,
			      0, 0);
}

long on_clock_nanosleep(struct sb_call *call)
{
	return sb_guest_block(call, __NR_clock_nanosleep, clock_of(call), (int)sb_arg(call, 1),
			      (long)sb_arg(call, 2), (long)sb_arg(call, 3), 0, 0);
}

long on_timer_create(struct sb_call *call)
{
	struct sigevent event;

	if (sb_arg(call, 1) == 0)
		return sb_guest_block(call, __NR_timer_create, clock_of(call), 0,
				      (long)sb_arg(call, 2), 0, 0, 0);
	if (sb_guest_read(&event, sb_arg(call, 1), sizeof(event)) < 0)
		return -EFAULT;
	if (event.sigev_notify & SIGEV_THREAD_ID && event.sigev_notify_thread_id > 0) {
		const int real = sb_pid_number_from_guest(call->proc,
							  (uint32_t)event.sigev_notify_thread_id);

		event.sigev_notify_thread_id = real < 0 ? SB_PID_NOBODY : real;
	}
	return sb_guest_block(call, __NR_timer_create, clock_of(call), SB_P(&event),
			      (long)sb_arg(call, 2), 0, 0, 0);
}
