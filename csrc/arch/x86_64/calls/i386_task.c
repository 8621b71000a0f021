/* SPDX-License-Identifier: MIT */
/*
 * i386_task.c - the heap, programs and tasks of 32-bit programs.
 */
#include <errno.h>

#include "calls/task/on_exec.h"
#include "guest/handlers.h"
#include "i386_call.h"

/* The runtime makes the heap, since the kernel's would lie above 4 GiB. */
long sb_i386_brk(struct sb_call *call)
{
	struct sb_proc *proc = call->proc;
	const uint64_t page = 4095;
	const uint32_t wanted = (uint32_t)call->regs->args[0];
	const uint32_t now = __atomic_load_n(&proc->compat.brk, __ATOMIC_ACQUIRE);
	const uint64_t from = (now + page) & ~page;
	const uint64_t to = (wanted + page) & ~page;
	long ret = 0;

	if (wanted < proc->compat.brk_start || to > SB_COMPAT_END)
		return now;
	sb_commit_begin(call->fs);
	if (to > from)
		ret = sys_mmap((void *)(uintptr_t)from, to - from, 3 /* read, write */,
			       0x100022 /* private, anonymous, nothing is replaced */, -1, 0);
	else if (to < from)
		ret = sys_munmap((void *)(uintptr_t)to, from - to);
	if (ret < 0)
		return now;
	__atomic_store_n(&proc->compat.brk, wanted, __ATOMIC_RELEASE);
	return wanted;
}

long sb_i386_clone(struct sb_call *call)
{
	struct sb_regs *r = call->regs;
	const uint64_t tls = r->args[3];

	r->args[3] = r->args[4];
	r->args[4] = tls;
	return on_clone(call);
}

static long count_pointers(uint64_t vector)
{
	uint32_t value;

	for (long n = 0; vector && n < 1L << 20; n++) {
		if (sb_guest_read(&value, vector + 4 * (uint64_t)n, sizeof(value)) < 0)
			return -EFAULT;
		if (!value)
			return n;
	}
	return vector ? -E2BIG : 0;
}

static int widen(uint64_t from, long count, uint64_t *to)
{
	uint32_t value;

	for (long i = 0; i < count; i++) {
		if (sb_guest_read(&value, from + 4 * (uint64_t)i, sizeof(value)) < 0)
			return -EFAULT;
		to[i] = value;
	}
	to[count] = 0;
	return 0;
}

/* Copy both vectors with pointers of 64 bits. */
static int widen_vectors(struct sb_call *call, uint64_t *argv, uint64_t *envp)
{
	const long args = count_pointers(*argv);
	const long vars = count_pointers(*envp);
	uint64_t *vectors;
	size_t size;
	int ret;

	if (args < 0 || vars < 0)
		return (int)SB_MIN(args, vars);
	size = ((size_t)args + (size_t)vars + 2) * sizeof(uint64_t);
	vectors = (uint64_t *)sys_mmap(NULL, size, 3, 0x22, -1, 0);
	if ((long)vectors < 0 && (long)vectors > -4096)
		return (int)(long)vectors;
	call->thread->wide_vector = (struct sb_exec_vector){vectors, size};
	ret = widen(*argv, args, vectors);
	if (ret == 0)
		ret = widen(*envp, vars, vectors + args + 1);
	*argv = (uintptr_t)vectors;
	*envp = (uintptr_t)(vectors + args + 1);
	return ret;
}

static long execve_wide(struct sb_call *call)
{
	long ret = widen_vectors(call, &call->regs->args[1], &call->regs->args[2]);

	if (ret == 0)
		ret = sb_execve(call);
	sb_thread_drop_vector(&call->thread->wide_vector);
	return ret;
}

static long execveat_wide(struct sb_call *call)
{
	long ret = widen_vectors(call, &call->regs->args[2], &call->regs->args[3]);

	if (ret == 0)
		ret = sb_execveat(call);
	sb_thread_drop_vector(&call->thread->wide_vector);
	return ret;
}

long sb_i386_execve(struct sb_call *call)
{
	return sb_exec_held(call, execve_wide);
}

long sb_i386_execveat(struct sb_call *call)
{
	return sb_exec_held(call, execveat_wide);
}
