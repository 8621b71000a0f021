/* SPDX-License-Identifier: MIT */
/*
 * on_arch_prctl.c - arch_prctl(2): the thread pointer that the runtime uses, too.
 *
 * The kernel gets all others.
 */
#include <asm/prctl.h>

#include "guest/handlers.h"
#include "guest/thread.h"
#include "thread_pointer.h"

long on_arch_prctl(struct sb_call *call)
{
	const uint64_t value = sb_pointer_get(call->thread);

	switch ((int)sb_arg(call, 0)) {
	case ARCH_SET_GS:
		return sb_pointer_set(call->thread, sb_arg(call, 1));
	case ARCH_GET_GS:
		return sb_guest_write(sb_arg(call, 1), &value, sizeof(value));
	default:
		return sb_guest_pass(call, __NR_arch_prctl);
	}
}
