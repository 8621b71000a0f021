/* SPDX-License-Identifier: MIT */
/*
 * on_lseek.c - lseek(2) to the start of a file that tells what a container uses.
 *
 * top, free and vmstat keep /proc/stat and /proc/meminfo open and read them again from the start.
 * Where a limit makes these files, they are made anew then. The filter traps no other lseek, and
 * none in a container without such a limit.
 */
#include "calls/proc/proc.h"
#include "guest/handlers.h"
#include "guest/paths/lookup.h"
#include "procfs/proc_text.h"
#include "tree/descriptors.h"
#include "tree/host_path.h"

/* Replace what fd has open, if it is such a file, by its content of now. */
static void renew(struct sb_call *call, int fd)
{
	struct sb_path *path = &call->work->link_target;
	struct sb_path *host = &call->work->host;
	long flags;
	long now;

	if (sb_fd_path(fd, host) < 0 || !sb_proc_is_renewed(host) ||
	    sb_proc_guest_text(call->fs, host->buf, host->len, path) < 0 ||
	    sb_guest_find(call, AT_FDCWD, path->buf, 0, &call->work->a) < 0)
		return;
	sb_commit_begin(call->fs);
	flags = sb_syscall(__NR_fcntl, fd, F_GETFD, 0, 0, 0, 0);
	now = flags < 0 ? flags : sb_proc_open(call, &call->work->a, O_RDONLY | O_CLOEXEC);
	if (now < 0)
		return;
	sb_fds_forget(call->fs, (uint32_t)fd, (uint32_t)fd);
	sb_syscall(__NR_dup3, now, fd, flags == 1 ? O_CLOEXEC : 0, 0, 0, 0);
	sys_close((int)now);
}

long on_lseek(struct sb_call *call)
{
	const int fd = (int)(uint32_t)sb_arg(call, 0);

	if (sb_arg(call, 1) == 0 && (int)sb_arg(call, 2) == SEEK_SET && call->proc->renews != 0 &&
	    fd >= 0)
		renew(call, fd);
	return sb_guest_pass(call, __NR_lseek);
}
