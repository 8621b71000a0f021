/* SPDX-License-Identifier: MIT */
/*
 * thread.c - the blocks of threads.
 *
 * Rules
 *   No lock: a block is claimed by compare-and-swap. The kernel is asked whether its owner has
 *   ended.
 */
#include "guest/thread.h"

#include <asm/signal.h>
#include <errno.h>
#include <linux/mman.h>

#define SEARCH 16 /* how many blocks are tried before a new one is made */

/* The block of the process's first thread, which is the head of the list. */
struct sb_thread sb_first_thread;
/* The address of the next new block; children that share memory share it, too. */
static uint64_t next_address = SB_ADDR_THREADS;

void sb_thread_init(struct sb_thread *thread, struct sb_proc *proc)
{
	thread->self = thread;
	thread->stack_top = (uintptr_t)thread->stack + SB_STACK_SIZE;
	thread->pending = 0;
	thread->has_pointer = 0;
	thread->commit = 0;
	thread->handling = 0;
	thread->sigsys_blocked = 0;
	thread->waits = SB_WAIT_NONE;
	thread->trace_me = 0;
	thread->rolled = 0;
	thread->script_vector = (struct sb_exec_vector){0};
	thread->wide_vector = (struct sb_exec_vector){0};
	thread->proc = proc;
}

void sb_thread_drop_vector(struct sb_exec_vector *vector)
{
	if (vector->memory)
		sys_munmap(vector->memory, vector->size);
	vector->memory = NULL;
}

void sb_thread_wipe_on_fork(struct sb_thread *thread)
{
	/* It only saves time; kernels before 4.14 copy. */
	(void)sb_syscall6(__NR_madvise, SB_P(&thread->scratch), sizeof(thread->scratch),
			  MADV_WIPEONFORK, 0, 0, 0);
}

/* Claim a block that has no owner, or whose owner has ended. A tid of 0 belongs to a task that is
 * about to start. */
static bool claim(struct sb_thread *thread)
{
	uint32_t state = __atomic_load_n(&thread->state, __ATOMIC_ACQUIRE);
	uint32_t tid = __atomic_load_n(&thread->tid, __ATOMIC_ACQUIRE);

	if (state == SB_THREAD_FREE)
		return __atomic_compare_exchange_n(&thread->state, &state, SB_THREAD_LIVE, false,
						   __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
	if (tid == 0 || sb_syscall6(__NR_tkill, (int)tid, 0, 0, 0, 0, 0) != -ESRCH)
		return false;
	if (!__atomic_compare_exchange_n(&thread->tid, &tid, 0, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_RELAXED))
		return false;
	__atomic_store_n(&thread->state, SB_THREAD_LIVE, __ATOMIC_RELEASE);
	return true;
}

/* Try a few blocks, beginning where the last search ended. */
static struct sb_thread *claim_any(void)
{
	static struct sb_thread *hand;
	struct sb_thread *thread = __atomic_load_n(&hand, __ATOMIC_RELAXED);
	const struct sb_thread *first = thread;

	for (unsigned i = 0; i < SEARCH; i++) {
		if (!thread)
			thread = &sb_first_thread;
		if (i > 0 && thread == first)
			break;
		if (!first)
			first = thread;
		if (claim(thread))
			return thread;
		thread = __atomic_load_n(&thread->next, __ATOMIC_ACQUIRE);
		__atomic_store_n(&hand, thread, __ATOMIC_RELAXED);
	}
	return NULL;
}

void sb_thread_born(struct sb_thread *thread)
{
	static uint32_t count;

	thread->born = __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
	thread->tid = (uint32_t)sys_gettid();
}

void sb_thread_free(struct sb_thread *thread)
{
	thread->tid = 0;
	__atomic_store_n(&thread->state, SB_THREAD_FREE, __ATOMIC_RELEASE);
}

static struct sb_thread *map_block(void)
{
	const size_t size = (sizeof(struct sb_thread) + 0xfffff) & ~(size_t)0xfffff;
	uint64_t at;
	long ret;

	do {
		at = __atomic_fetch_add(&next_address, size, __ATOMIC_RELAXED);
		if (at + size > SB_ADDR_RUNTIME)
			return NULL;
		ret = sys_mmap(
			(void *)(uintptr_t)at, sizeof(struct sb_thread), PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
	} while (ret == -EEXIST);
	return ret < 0 ? NULL : (struct sb_thread *)(uintptr_t)ret;
}

struct sb_thread *sb_thread_new(void)
{
	struct sb_thread *thread = claim_any();

	if (thread)
		return thread;
	thread = map_block();
	if (!thread)
		return NULL;
	sb_thread_wipe_on_fork(thread);
	thread->state = SB_THREAD_LIVE;
	do {
		thread->next = sb_first_thread.next;
	} while (!__atomic_compare_exchange_n(&sb_first_thread.next, &thread->next, thread, false,
					      __ATOMIC_RELEASE, __ATOMIC_RELAXED));
	return thread;
}

void sb_thread_forked(struct sb_thread *self)
{
	for (struct sb_thread *t = &sb_first_thread; t; t = t->next) {
		if (t != self)
			sb_thread_free(t);
	}
	self->tid = (uint32_t)sys_gettid();
}

long sb_thread_hold(struct sb_thread *thread, uint64_t mask, uint64_t *old)
{
	sb_commit_begin(&thread->fs);
	sb_syscall6(__NR_rt_sigprocmask, SIG_BLOCK, SB_P(&mask), SB_P(old), 8, 0, 0);
	return thread->pending ? SB_RESTART : 0;
}

void sb_thread_unhold(struct sb_thread *thread, uint64_t old)
{
	thread->saved_mask = old;
	thread->pending |= SB_PENDING_MASK;
}
