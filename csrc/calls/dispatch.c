/* SPDX-License-Identifier: MIT */
/*
 * dispatch.c - find the handler of a system call and run it.
 *
 * Level 3. A number without a handler gets here only from a future way in that
 * is wider than the filter; it goes to the kernel as it is.
 */
#include "calls/dispatch.h"

#include <errno.h>

#include "pure/log.h"
#include "guest/thread.h"
#include "guest/trace.h"
#include "pure/verdict.h"

#define SB_HANDLERS 512

static sb_handler *const handlers[SB_HANDLERS] = {
#define ON(name) [__NR_##name] = on_##name,
#define REFUSE(name, error)
#include "syscalls.def"
#undef ON
#undef REFUSE
};

static void prepare(struct sb_thread *thread, struct sb_call *call)
{
	struct sb_proc *proc = thread->proc;
	struct sb_fs *fs = &thread->fs;

	fs->tree = &proc->tree;
	fs->ids = &thread->ids;
	fs->root = proc->root;
	fs->root_len = proc->root_len;
	fs->umask = proc->umask;
	fs->real_ids = 0;
	fs->narrow_positions = sb_proc_is_32(proc);
	fs->commit = &thread->commit;
	fs->work = &thread->scratch.work;
	fs->dirs = &proc->dirs;
	fs->fds = proc->fds;
	call->thread = thread;
	call->regs = &thread->regs;
	call->fs = fs;
	call->ids = &thread->ids;
	call->proc = proc;
	call->work = &thread->scratch.work;
	call->path = thread->scratch.path;
	call->path2 = thread->scratch.path2;
}

/* The line of a call names the paths that it was given. Only then: memory that a call does not
 * use is not touched. */
static void forget_paths(struct sb_call *call)
{
	call->path[0] = '\0';
	call->path2[0] = '\0';
}

struct sb_call *sb_thread_call(struct sb_thread *thread)
{
	prepare(thread, &thread->call);
	return &thread->call;
}

/* One site of a C library may make many calls. Once it is rewritten those come here too that the
 * filter lets pass for their arguments. */
static bool is_native_form(const struct sb_call *call, uint64_t nr)
{
	int argument = sb_verdict_argument(nr);

	return argument >= 0 && sb_arg(call, (unsigned)argument) == 0;
}

void sb_dispatch(struct sb_thread *thread, uint64_t site)
{
	struct sb_call *call = &thread->call;
	uint64_t nr = thread->number;
	uint64_t started = 0;
	long ret;

	prepare(thread, call);
	if (sb_thread_insists(thread))
		thread->commit = 1;
	if (SB_UNLIKELY(thread->proc->tree.control->flags & SB_CONTROL_TRACE)) {
		forget_paths(call);
		started = sb_trace_begin(call);
	}
	if (nr < SB_HANDLERS && handlers[nr] && (site != 0 || !is_native_form(call, nr)))
		ret = handlers[nr](call);
	else
		ret = sb_guest_pass(call, (long)nr);
	if (SB_UNLIKELY(thread->proc->tree.control->flags & SB_CONTROL_TRACE))
		sb_trace_call(call, ret, site, started);
	if (SB_UNLIKELY(ret == SB_RESTART && thread->pending)) {
		/* The final call was not made: the guest makes it again after
		 * its signal handler. */
		thread->restart = 1;
		thread->commit = 1;
		return;
	}
	if (sb_thread_insists(thread))
		thread->rolled = 0;
	thread->commit = 1;
	sb_regs_set_result(&thread->regs, ret);
}
