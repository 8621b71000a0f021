/* SPDX-License-Identifier: MIT */
/*
 * on_inotify.c - watches of inotify(7).
 *
 * Does not know
 *   What a watch reports.
 */
#include <errno.h>

#include "base/shared_abi.h"
#include "change/change.h"
#include "guest/handlers.h"
#include "guest/paths/lookup.h"
#include "guest/paths/proc_entry.h"
#include "tree/loosen.h"
#include "view/opener.h"

/* Of <sys/inotify.h>; linux/inotify.h cannot be included beside <fcntl.h>. */
#define IN_ONLY_DIR 0x01000000u
#define IN_NO_FOLLOW 0x02000000u
/* Larger files are not copied up, so their watch sees no later change. */
#define COPY_MAX 1048576

/* Copy a lower entry up: changes go to the upper, and a watch on the lower would see none. */
static int bring_up(struct sb_call *call, struct sb_at *at)
{
	int err;

	if (at->spot.place != SB_PLACE_LOWER && at->spot.place != SB_PLACE_LIVE)
		return 0;
	if (at->spot.type != S_IFDIR) {
		if (at->spot.type != S_IFREG)
			return 0;
		err = at->has_stat ? 0 : sb_tree_stat(call->fs, at);
		if (err < 0)
			return err;
		if (at->st.size > COPY_MAX)
			return 0;
	}
	err = sb_copyup(call->fs, at, UINT64_MAX);
	return err == -EROFS ? 0 : err; /* nothing can change then */
}

/* The filter refuses all watches: a path does not tell it what is watched. */
static long ask_opener(struct sb_call *call, int fd, const char *host, uint32_t mask)
{
	const struct sb_opener_request request = {.verb = SB_WATCH_ADD, .number = mask};
	const int follow = (mask & IN_NO_FOLLOW) != 0 ? O_NOFOLLOW : 0;
	long named;
	long ret;

	sb_commit_begin(call->fs);
	named = sys_openat(AT_FDCWD, host, O_PATH | O_CLOEXEC | follow, 0);
	ret = named;
	if (named >= 0) {
		ret = fd < 0 ? -EBADF : sb_opener_ask(call->fs, &request, fd, (int)named);
		sys_close((int)named);
	}
	sb_commit_end(call->fs);
	return ret;
}

long on_inotify_add_watch(struct sb_call *call)
{
	const int fd = (int)sb_arg(call, 0);
	const uint32_t mask = (uint32_t)sb_arg(call, 2);
	struct sb_at *at = &call->work->a;
	unsigned flags = 0;
	uint32_t host_mask = mask;
	long ret;
	int err;

	if (mask == 0)
		return -EINVAL;
	if ((mask & IN_NO_FOLLOW) == 0)
		flags |= SB_FOLLOW;
	if ((mask & IN_ONLY_DIR) != 0)
		flags |= SB_WANT_DIR;
	err = sb_guest_lookup(call, AT_FDCWD, sb_arg(call, 1), flags, at);
	if (err < 0)
		return err;
	if (sb_proc_is_object(call->fs, at))
		host_mask &= ~IN_NO_FOLLOW;
	else
		host_mask |= IN_NO_FOLLOW;
	err = sb_tree_permit(call->fs, at, 4);
	if (err == 0)
		err = bring_up(call, at);
	if (err < 0)
		return err;
	__atomic_store_n(&call->fs->tree->shared->watched, 1, __ATOMIC_SEQ_CST);
	sb_loosen_ahead(call->fs, at, 4);
	ret = sb_guest_block(call, __NR_inotify_add_watch, fd, SB_P(at->host.buf), host_mask, 0, 0,
			     0);
	return ret == -EPERM ? ask_opener(call, fd, at->host.buf, host_mask) : ret;
}
