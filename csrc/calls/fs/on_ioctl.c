/* SPDX-License-Identifier: MIT */
/*
 * on_ioctl.c - ioctl(2): the few requests that are not the kernel's alone.
 *
 * chattr changes the flags and the project of a file through a descriptor that may only read. A
 * lower file is copied up, and the copy is changed. Other requests that change a file through such
 * a descriptor (verity, encryption, subvolumes) are refused for lower files. Requests about
 * interfaces go to netdevice.c, those about processes to on_fcntl.c. TIOCGPTPEER is an open of a
 * terminal (terminals.h). The filter traps no others.
 */
#include "calls/fs/on_ioctl.h"

#include <asm/ioctls.h>
#include <errno.h>

#include "calls/fs/on_fcntl.h"
#include "calls/net/netdevice.h"
#include "change/change.h"
#include "guest/handlers.h"
#include "guest/paths/call_file.h"
#include "pure/verdict.h"
#include "view/terminals.h"

static long pass(struct sb_call *call)
{
	return sb_guest_pass(call, __NR_ioctl);
}

static long change_file(struct sb_call *call)
{
	struct sb_at *at = &call->work->a;
	long ret = sb_call_file_of_open_fd(call, (int)sb_arg(call, 0), at);
	int fd;

	if (ret < 0)
		return ret;
	if (ret == SB_FILE_BY_FD)
		return pass(call);
	if (!sb_ids_owns(call->ids, at->st.uid))
		return -EPERM;
	ret = sb_copyup(call->fs, at, UINT64_MAX);
	if (ret < 0)
		return ret;
	sb_commit_begin(call->fs);
	fd = (int)sys_openat(AT_FDCWD, at->host.buf, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
			     0);
	ret = fd;
	if (fd >= 0) {
		ret = sb_syscall(__NR_ioctl, fd, (long)sb_arg(call, 1), (long)sb_arg(call, 2), 0, 0,
				 0);
		sys_close(fd);
	}
	sb_commit_end(call->fs);
	return ret;
}

/* The opener opens what Landlock refuses. */
static long open_other_side(struct sb_call *call)
{
	const int fd = (int)sb_arg(call, 0);
	uint32_t number;

	if (sb_syscall(__NR_ioctl, fd, TIOCGPTN, SB_P(&number), 0, 0, 0) < 0)
		return pass(call);
	sb_commit_begin(call->fs);
	if (sb_terminal_add(call->fs, fd) < 0)
		return pass(call);
	return sb_terminal_open(call->fs, number, (int)sb_arg(call, 2));
}

int sb_ioctl_check(struct sb_call *call)
{
	int found;

	if (sb_verdict_request_is_harmless((uint32_t)sb_arg(call, 1)))
		return 0;
	found = sb_call_file_of_open_fd(call, (int)sb_arg(call, 0), &call->work->a);
	if (found < 0)
		return found;
	return found == SB_FILE_BY_FD ? 0 : -ENOTTY;
}

long on_ioctl(struct sb_call *call)
{
	const uint32_t request = (uint32_t)sb_arg(call, 1);

	if (sb_verdict_request_changes_file(request))
		return change_file(call);
	if (sb_verdict_request_is_of_files(request)) {
		int err = sb_ioctl_check(call);

		return err < 0 ? err : pass(call);
	}
	if (request == SB_IOCTL_OTHER_SIDE)
		return open_other_side(call);
	if (sb_verdict_request_names_process(request))
		return sb_ioctl_of_process(call);
	if (call->fs->tree->control->net_container == 0)
		return pass(call);
	return sb_net_on_ioctl(call);
}
