/* SPDX-License-Identifier: MIT */
/*
 * on_seccomp.c - seccomp(2).
 *
 * Filters of the guest are accepted and not run: they are written for the guest's own calls and
 * would see the runtime's. --trace says so.
 */
#include "calls/task/on_seccomp.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "guest/handlers.h"
#include "guest/trace.h"

/* Of newer headers than some build hosts have. */
#define KNOWN_FLAGS 0x3fUL
#define NEW_LISTENER 0x08UL
#define GET_NOTIF_SIZES 3

long sb_seccomp_accept(struct sb_call *call, uint64_t address)
{
	struct sock_fprog program;
	struct sock_filter last;
	int ret;

	if (call->ids->no_new_privs == 0 && !sb_ids_has_cap(call->ids, SB_CAP_SYS_ADMIN))
		return -EACCES;
	ret = sb_guest_read(&program, address, sizeof(program));
	if (ret < 0)
		return ret;
	if (program.len == 0 || program.len > BPF_MAXINSNS)
		return -EINVAL;
	ret = sb_guest_read(&last,
			    (uint64_t)(uintptr_t)program.filter +
				    (program.len - 1u) * sizeof(struct sock_filter),
			    sizeof(last));
	if (ret < 0)
		return ret;
	call->proc->seccomp_mode = SECCOMP_MODE_FILTER;
	sb_trace_note(call, "filter accepted and not run");
	return 0;
}

long on_seccomp(struct sb_call *call)
{
	const uint32_t operation = (uint32_t)sb_arg(call, 0);
	const uint32_t flags = (uint32_t)sb_arg(call, 1);

	switch (operation) {
	case SECCOMP_SET_MODE_FILTER:
		if ((flags & ~KNOWN_FLAGS) != 0)
			return -EINVAL;
		if ((flags & NEW_LISTENER) != 0) {
			sb_trace_note(call, "no listener: filters are not run");
			return -EINVAL;
		}
		return sb_seccomp_accept(call, sb_arg(call, 2));
	case SECCOMP_GET_ACTION_AVAIL:
	case GET_NOTIF_SIZES:
		return sb_syscall(__NR_seccomp, operation, flags, (long)sb_arg(call, 2), 0, 0, 0);
	default:
		return -EINVAL;
	}
}
