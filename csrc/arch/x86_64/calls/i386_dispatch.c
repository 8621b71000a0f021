/* SPDX-License-Identifier: MIT */
/*
 * i386_dispatch.c - find what a 32-bit program's system call is, and run it.
 *
 * Calls that the filter lets pass never come here. A call without a row is ENOSYS and leaves a
 * note.
 */
#include "i386_dispatch.h"

#include <errno.h>

#include "guest/handlers.h"
#include "guest/trace.h"
#include "i386_call.h"

struct row {
	sb_handler *handler;
	const char *name;
	uint16_t shown; /* number of the 64-bit call */
	uint16_t error; /* of a refused call */
};

static const struct row rows[SB_COMPAT_KNOWN + 1] = {
#define NATIVE(nr, name)
#define PLAIN(nr, name_, call) [nr] = {.handler = on_##call, .shown = __NR_##call, .name = #name_},
#define CONVERT(nr, name_, call, change) \
	[nr] = {.handler = sb_i386_##change, .shown = __NR_##call, .name = #name_},
#define REFUSE(nr, name_, error_) [nr] = {.error = error_, .name = #name_},
#include "i386.def"
#undef NATIVE
#undef PLAIN
#undef CONVERT
#undef REFUSE
};

static void take_arguments(struct sb_thread *thread)
{
	const struct sb_regs *r = &thread->regs;

	thread->compat.regs = (struct sb_regs){
		.args = {(uint32_t)r->rbx, (uint32_t)r->args[4], (uint32_t)r->args[2],
			 (uint32_t)r->args[1], (uint32_t)r->args[0], (uint32_t)r->rbp},
		.pc = r->pc,
		.sp = r->sp,
	};
}

/* epoll_pwait without a mask is epoll_wait. */
static bool has_no_mask(const struct sb_call *call, uint32_t shown)
{
	return (shown == __NR_epoll_pwait || shown == __NR_epoll_pwait2) &&
	       call->regs->args[4] == 0;
}

static long run(struct sb_call *call, const struct row *row)
{
	const uint32_t nr = (uint32_t)call->thread->regs.rax;
	uint64_t started = 0;
	long ret;

	if (sb_trace_is_on(call)) {
		call->path[0] = '\0';
		call->path2[0] = '\0';
		started = sb_trace_begin(call);
	}
	call->thread->number = row->shown;
	ret = has_no_mask(call, row->shown) ? sb_i386_pass(call, nr) : row->handler(call);
	if (sb_trace_is_on(call))
		sb_trace_call(call, ret, call->thread->regs.pc, started);
	return ret;
}

static long refuse(struct sb_call *call, const struct row *row)
{
	const long error = row->error ? -row->error : -ENOSYS;

	sb_trace_refused(call, row->name ? row->name : "unknown", error);
	return error;
}

void sb_i386_dispatch(struct sb_thread *thread)
{
	struct sb_call *call = sb_thread_call(thread);
	struct sb_regs *r = &thread->regs;
	const uint32_t nr = (uint32_t)r->rax;
	const struct row *row = &rows[nr <= SB_COMPAT_KNOWN ? nr : 0]; /* the kernel answers 0 */
	long ret;

	call->regs = &thread->compat.regs;
	take_arguments(thread);
	if (sb_thread_insists(thread))
		thread->commit = 1;
	ret = row->handler ? run(call, row) : refuse(call, row);
	if (SB_UNLIKELY(ret == SB_RESTART && thread->pending)) {
		thread->restart = 1;
		ret = (long)r->rax;
	} else if (sb_thread_insists(thread)) {
		thread->rolled = 0;
	}
	thread->commit = 1;
	r->rax = (uint32_t)ret;
}
