/* SPDX-License-Identifier: MIT */
/*
 * on_clone.c - new processes and threads, and what they share.
 *
 * How it works
 *   A child with its own memory (fork) returns into this handler with a copy of the block. A child
 *   that shares memory gets its own block before clone(2) and starts on that block's stack. A
 *   thread shares struct sb_proc; a vfork child works on a copy, so that it never disturbs its
 *   parent.
 * Rules
 *   All signals are blocked from before the clone until the child is back in guest code.
 */
#include "calls/task/on_clone.h"

#include <errno.h>
#include <linux/sched.h>

#include "clone.h"
#include "guest/handlers.h"
#include "guest/paths/cwd.h"
#include "guest/pids.h"
#include "guest/pids_limit.h"
#include "guest/process_table.h"
#include "guest/sigmask.h"
#include "guest/thread.h"
#include "guest/tracer_attach.h"
#include "tree/descriptors.h"

#define NAMESPACE_FLAGS                                                                            \
	(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | \
	 CLONE_NEWCGROUP)

/* Without its tracer a child would lose every call, so it ends before it begins. */
static void find_tracer(const struct sb_thread *thread)
{
	if (sb_tracer_attach(&thread->proc->tree) == 0)
		return;
	sb_tracer_attach_failed();
}

void sb_task_started(struct sb_thread *thread)
{
	sb_arch_set_thread(thread);
	if (sb_proc_is_32(thread->proc))
		sb_compat_set_thread(thread);
	sb_thread_born(thread);
	sb_pids_settle(thread->place);
	if (thread->proc == &thread->own_proc) {
		uint32_t parent = thread->proc->pid;

		thread->proc->pid = (uint32_t)sys_getpid();
		sb_proc_register(thread->proc, &thread->ids, parent);
	}
	find_tracer(thread);
}

static void inherit(struct sb_thread *child, const struct sb_thread *parent)
{
	child->ids = parent->ids;
	child->regs = parent->regs;
	sb_regs_set_result(&child->regs, 0);
	child->sigsys_blocked = parent->sigsys_blocked;
	child->compat = parent->compat;
	child->has_pointer = parent->has_pointer;
	child->pointer = parent->pointer;
}

static long start_sharing(struct sb_call *call, const struct sb_clone *a, uint64_t guest_mask,
			  uint64_t *place)
{
	struct sb_thread *parent = call->thread;
	struct sb_thread *child = sb_thread_new();
	bool is_thread = (a->flags & CLONE_THREAD) != 0;
	long ret;

	if (!child)
		return -EAGAIN;
	if (!is_thread)
		child->own_proc = *parent->proc;
	if (!is_thread && !(a->flags & CLONE_FS))
		child->own_proc.fs_group = 0;
	if (!is_thread)
		sb_cwd_forked(&child->own_proc);
	if (!is_thread)
		child->own_proc.fds = NULL;
	sb_thread_init(child, is_thread ? parent->proc : &child->own_proc);
	inherit(child, parent);
	child->place = place;
	if (a->stack)
		child->regs.sp = a->stack;
	child->commit = 1;
	child->pending = SB_PENDING_MASK;
	child->saved_mask = guest_mask;
	ret = sb_clone_sharing(a, child);
	if (ret < 0) {
		sb_thread_free(child);
		return ret;
	}
	if (a->flags & CLONE_VFORK) { /* the child has left this memory */
		sb_thread_drop_vector(&child->script_vector);
		sb_thread_drop_vector(&child->wide_vector);
		sb_thread_free(child);
	}
	return ret;
}

static long start_copying(struct sb_call *call, const struct sb_clone *a, uint64_t *place)
{
	struct sb_thread *self = call->thread;
	uint32_t parent = self->proc->pid;
	long ret = sb_clone_copying(a);

	if (ret > 0)
		sb_proc_announce(self->proc, &self->ids, (uint32_t)ret);
	if (ret != 0)
		return ret;
	if (a->stack)
		self->regs.sp = a->stack;
	sb_pids_settle(place);
	sb_thread_forked(self);
	sb_cwd_forked(self->proc);
	if (!(a->flags & CLONE_FS))
		self->proc->fs_group = 0;
	self->proc->pid = (uint32_t)sys_getpid();
	sb_proc_register(self->proc, &self->ids, parent);
	find_tracer(self);
	return 0;
}

/* Normally threads share one working directory, and processes do not. */
static bool splits_cwd(uint64_t flags)
{
	return ((flags & CLONE_THREAD) != 0) != ((flags & CLONE_FS) != 0);
}

/* The same for descriptors (descriptors.h). */
static bool splits_descriptors(uint64_t flags)
{
	return ((flags & CLONE_THREAD) != 0) != ((flags & CLONE_FILES) != 0);
}

static long clone_any(struct sb_call *call, const struct sb_clone *a)
{
	const bool is_thread = (a->flags & CLONE_THREAD) != 0;
	uint64_t *place;
	uint64_t mask;
	long ret;

	if (a->flags & NAMESPACE_FLAGS)
		return -EPERM; /* as without CAP_SYS_ADMIN */
	if (a->flags & CLONE_PARENT && sb_pid_is_first(call->proc))
		return -EINVAL; /* as for an init */
	if (a->flags & CLONE_PTRACE && call->proc->tree.control->flags & SB_CONTROL_TRACED)
		return -EPERM; /* a child gets its own tracer */
	if (splits_cwd(a->flags))
		sb_cwd_give_up(call->proc);
	if (!is_thread && (a->flags & CLONE_FS) != 0)
		sb_proc_share_fs(call->proc);
	if (splits_descriptors(a->flags))
		call->proc->fds = NULL;
	if (is_thread && call->proc->fds != NULL)
		call->proc->fds->threads = 1;
	ret = sb_thread_hold(call->thread, SB_MASK_ALL, &mask);
	if (ret < 0)
		return ret;
	ret = sb_pids_claim(call->fs->tree, &place);
	if (ret == 0) {
		if (a->flags & CLONE_VM)
			ret = start_sharing(call, a, mask, place);
		else
			ret = start_copying(call, a, place);
		if (ret < 0)
			sb_pids_drop(place);
		if (ret > 0)
			sb_pids_born(place, is_thread ? call->proc->pid : (uint32_t)ret,
				     (uint32_t)ret);
	}
	sb_thread_unhold(call->thread, mask);
	return ret;
}

long on_unshare(struct sb_call *call)
{
	const uint64_t spaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS |
				CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP | CLONE_NEWTIME;

	if ((sb_arg(call, 0) & spaces) != 0)
		return -EPERM;
	if ((sb_arg(call, 0) & CLONE_FS) != 0) {
		sb_cwd_give_up(call->proc);
		sb_proc_unshare_fs(call->proc);
	}
	if ((sb_arg(call, 0) & CLONE_FILES) != 0)
		call->proc->fds = NULL;
	return sb_guest_pass(call, __NR_unshare);
}

long on_clone(struct sb_call *call)
{
	const struct sb_clone a = {.flags = sb_arg(call, 0),
				   .stack = sb_arg(call, 1),
				   .ptid = sb_arg(call, 2),
				   .ctid = sb_arg(call, 3),
				   .tls = sb_arg(call, 4)};

	return clone_any(call, &a);
}

long on_fork(struct sb_call *call)
{
	const struct sb_clone a = {.flags = SIGCHLD};

	return clone_any(call, &a);
}

long on_vfork(struct sb_call *call)
{
	const struct sb_clone a = {.flags = CLONE_VM | CLONE_VFORK | SIGCHLD};

	return clone_any(call, &a);
}
