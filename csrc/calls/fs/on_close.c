/* SPDX-License-Identifier: MIT */
/*
 * on_close.c - calls that close or duplicate descriptors.
 *
 * They come here only where descriptors.h remembers what descriptors are (seccomp_filter.c). The
 * number is forgotten, then the kernel closes it.
 */
#include "calls/fs/on_close.h"

#include <linux/close_range.h>

#include "guest/guest.h"
#include "guest/handlers.h"
#include "tree/descriptors.h"

/* Forget first..last, then let the kernel close them. */
static long end(struct sb_call *call, long nr, uint32_t first, uint32_t last)
{
	long ret;

	sb_fds_forget(call->fs, first, last);
	ret = sb_guest_pass(call, nr);
	sb_fds_closed(call->fs, first, last);
	return ret;
}

long on_close(struct sb_call *call)
{
	const uint32_t fd = (uint32_t)sb_arg(call, 0);

	return end(call, __NR_close, fd, fd);
}

long sb_duplicate(struct sb_call *call, long nr)
{
	const uint64_t closes = sb_fds_count(call->fs);
	const uint32_t what = sb_fds_what(call->fs, (int)(uint32_t)sb_arg(call, 0));
	const long fd = sb_guest_pass(call, nr);

	if (fd >= 0 && what != 0)
		sb_fds_duplicated(call->fs, (int)fd, closes, what);
	return fd;
}

long on_dup(struct sb_call *call)
{
	return sb_duplicate(call, __NR_dup);
}

long on_dup2(struct sb_call *call)
{
	const uint32_t to = (uint32_t)sb_arg(call, 1);

	return end(call, __NR_dup2, to, to);
}

long on_dup3(struct sb_call *call)
{
	const uint32_t to = (uint32_t)sb_arg(call, 1);

	return end(call, __NR_dup3, to, to);
}

long on_close_range(struct sb_call *call)
{
	if ((sb_arg(call, 2) & CLOSE_RANGE_UNSHARE) != 0)
		call->proc->fds = NULL;
	return end(call, __NR_close_range, (uint32_t)sb_arg(call, 0), (uint32_t)sb_arg(call, 1));
}
