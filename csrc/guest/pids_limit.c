/* SPDX-License-Identifier: MIT */
/*
 * pids_limit.c - how many tasks a container may have.
 *
 * How it works
 *   A place holds process << 32 | thread of its task. While the task is not born yet it holds those
 *   of the parent, with UNBORN set. A place is free when the kernel does not know its task.
 * Rules
 *   No lock: a place is taken by compare-and-swap.
 */
#include "guest/pids_limit.h"

#include <errno.h>

#include "base/shared_abi.h"

#define UNBORN (1ULL << 63)

static uint64_t own_task(void)
{
	return (uint64_t)sys_getpid() << 32 | (uint32_t)sys_gettid();
}

static bool is_free(uint64_t task)
{
	const int pid = (int)(task << 1 >> 33);

	return task == 0 ||
	       sb_syscall6(__NR_tgkill, pid, (int)(uint32_t)task, 0, 0, 0, 0) == -ESRCH;
}

static uint32_t count(const uint64_t *table, uint32_t size)
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < size; i++)
		found += !is_free(__atomic_load_n(&table[i], __ATOMIC_ACQUIRE));
	return found;
}

int sb_pids_claim(const struct sb_tree *tree, uint64_t **place)
{
	const struct sb_control *control = tree->control;
	uint64_t *table = tree->shared->pids;
	const uint32_t limit = __atomic_load_n(&control->pids_limit, __ATOMIC_ACQUIRE);
	const uint32_t high = __atomic_load_n(&control->pids_high, __ATOMIC_ACQUIRE);
	const uint32_t size = SB_MIN(SB_MAX(limit, high), (uint32_t)SB_MAX_PIDS);
	uint32_t hand = __atomic_load_n(&tree->shared->pids_hand, __ATOMIC_RELAXED);

	*place = NULL;
	if (limit == 0)
		return 0;
	/* The limit was lowered: tasks in places above it count, too. */
	if (size > limit && count(table, size) >= limit)
		return -EAGAIN;
	for (uint32_t i = 0; i < size; i++, hand++) {
		uint64_t old = __atomic_load_n(&table[hand % size], __ATOMIC_ACQUIRE);

		if (!is_free(old) ||
		    !__atomic_compare_exchange_n(&table[hand % size], &old, own_task() | UNBORN,
						 false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			continue;
		*place = &table[hand % size];
		__atomic_store_n(&tree->shared->pids_hand, hand % size + 1, __ATOMIC_RELAXED);
		return 0;
	}
	return -EAGAIN;
}

void sb_pids_drop(uint64_t *place)
{
	if (place)
		__atomic_store_n(place, 0, __ATOMIC_RELEASE);
}

void sb_pids_settle(uint64_t *place)
{
	if (place)
		__atomic_store_n(place, own_task(), __ATOMIC_RELEASE);
}

void sb_pids_born(uint64_t *place, uint32_t pid, uint32_t tid)
{
	uint64_t claimed = own_task() | UNBORN;

	/* Otherwise the task has settled already; it may even have ended, and another have its
	 * place. */
	if (place)
		__atomic_compare_exchange_n(place, &claimed, (uint64_t)pid << 32 | tid, false,
					    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}
