/* SPDX-License-Identifier: MIT */
/*
 * thread_pointer.h - a program that uses gs itself.
 */
#ifndef SB_THREAD_POINTER_H
#define SB_THREAD_POINTER_H

#include "guest/thread.h"
#include "signal_context.h"

/* A handler of a signal begins: have gs base lead to the block. True: it held the program's value,
 * which the block keeps now. */
bool sb_pointer_take(void);
/* The handler ends. Give the program's value back if taken, or if the context is the program's. */
void sb_pointer_give(const struct ucontext *uc, bool taken);
/* The entry was interrupted before it kept the value that a tracer brought: keep it. */
void sb_pointer_keep(struct sb_thread *thread, const struct ucontext *uc);
/* arch_prctl(2): set and read the program's value. */
long sb_pointer_set(struct sb_thread *thread, uint64_t value) SB_MUST_CHECK;
uint64_t sb_pointer_get(const struct sb_thread *thread);

#endif
