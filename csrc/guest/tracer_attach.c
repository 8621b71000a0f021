/* SPDX-License-Identifier: MIT */
/*
 * tracer_attach.c - a new thread asks the container's tracer to attach to it.
 *
 * How it works
 *   The request lies in a slot of the shared file. The tracer waits for a futex there, the bell,
 *   and answers by a futex in the slot. The child asks from the runtime, whose own calls need no
 *   tracer, so nothing stops it. With PTRACE_O_TRACEFORK both sides of a fork would stop, and all
 *   processes would depend on one tracing thread.
 * Rules
 *   No memory but the container's files: a child that shares memory runs this, too.
 */
#include "guest/tracer_attach.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/prctl.h>

#include "base/shared_abi.h"
#include "pure/log.h"

#define ROUNDS 5000
#define EXIT_NO_TRACER 125

static uint64_t word_of(long tid, uint32_t state)
{
	return (uint64_t)tid << 32 | state;
}

/* Return the slot's word. The slot of a thread that has ended is free. */
static uint64_t *claim(struct sb_shared *shared, long tid)
{
	for (uint32_t i = 0; i < SB_MAX_ADOPTIONS; i++) {
		struct sb_adoption *slot =
			&shared->adoptions[((uint64_t)tid + i) % SB_MAX_ADOPTIONS];
		uint64_t *word = &slot->word;
		uint64_t old = __atomic_load_n(word, __ATOMIC_ACQUIRE);

		if (old && sb_syscall6(__NR_tkill, (int)(old >> 32), 0, 0, 0, 0, 0) != -ESRCH)
			continue;
		if (!__atomic_compare_exchange_n(word, &old, word_of(tid, SB_ADOPT_CLAIMED), false,
						 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			continue;
		__atomic_store_n(&slot->pointer, sb_arch_pointer_to(sb_arch_thread()),
				 __ATOMIC_RELAXED);
		__atomic_store_n(word, word_of(tid, SB_ADOPT_WANTED), __ATOMIC_RELEASE);
		return word;
	}
	return NULL;
}

/* Wait for the answer: 0, -EPERM, or -ESRCH if the tracer has ended. */
static int wait_for(const struct sb_control *control, const uint64_t *word)
{
	const struct sb_timespec second = {1, 0};

	for (;;) {
		uint32_t state = (uint32_t)__atomic_load_n(word, __ATOMIC_ACQUIRE);
		long ret;

		if (state == SB_ADOPT_DONE)
			return 0;
		if (state == SB_ADOPT_FAILED)
			return -EPERM;
		ret = sb_syscall6(__NR_futex, SB_P(word), FUTEX_WAIT, state, SB_P(&second), 0, 0);
		if (ret == -ETIMEDOUT && sys_kill((int)control->tracer, 0) == -ESRCH)
			return -ESRCH;
	}
}

int sb_tracer_attach(const struct sb_tree *tree)
{
	const struct sb_control *control = tree->control;
	struct sb_shared *shared = tree->shared;
	long tid;
	uint64_t *word = NULL;
	int ret;

	if (!(control->flags & SB_CONTROL_TRACED))
		return 0;
	/* Yama wants it, since the tracer is no ancestor. Kernels without Yama refuse the call. */
	(void)sb_syscall6(__NR_prctl, PR_SET_PTRACER, control->tracer, 0, 0, 0, 0);
	tid = sys_gettid();
	for (int round = 0; round < ROUNDS && !word; round++) {
		word = claim(shared, tid);
		if (!word)
			sb_syscall6(__NR_sched_yield, 0, 0, 0, 0, 0, 0);
	}
	if (!word)
		return -EAGAIN;
	__atomic_fetch_add(&shared->adopt_bell, 1, __ATOMIC_ACQ_REL);
	sb_syscall6(__NR_futex, SB_P(&shared->adopt_bell), FUTEX_WAKE, 1, 0, 0, 0);
	ret = wait_for(control, word);
	__atomic_store_n(word, 0, __ATOMIC_RELEASE);
	return ret;
}

void sb_tracer_attach_failed(void)
{
	struct sb_line line;

	sb_line_start(&line);
	sb_line_add(&line, "sandbox: the tracer cannot attach to a new process or thread");
	sb_line_write(&line, 2);
	sys_exit_group(EXIT_NO_TRACER);
}
