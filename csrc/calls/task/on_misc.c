/* SPDX-License-Identifier: MIT */
/*
 * on_misc.c - system-wide names and limits: uname, umask, watches, namespaces.
 *
 * How it works
 *   What an unprivileged container has no right to is refused with the errno
 *   it gets there; most of these calls are REFUSE rows of syscalls.def and
 *   never come here. Priorities, limits and schedulers are native: the host's
 *   own answer is the true one.
 * Does not know
 *   Paths beyond one lookup, or what a watch reports.
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <linux/utsname.h>

#include "change/change.h"
#include "guest/cwd.h"
#include "calls/dispatch.h"
#include "base/mem.h"
#include "calls/proc/on_proc.h"
#include "guest/thread.h"

/* Of <sys/inotify.h>; linux/inotify.h cannot be included beside <fcntl.h>. */
#define SB_IN_ONLYDIR 0x01000000u
#define SB_IN_DONT_FOLLOW 0x02000000u
/* A file up to this size is copied up so that its watch sees later changes. */
#define SB_WATCH_COPY_MAX 1048576

/* ---- names of the system ------------------------------------------------ */

static void set_name(char field[__NEW_UTS_LEN + 1], const char *text, size_t len)
{
	const size_t count = SB_MIN(len, (size_t)__NEW_UTS_LEN);

	memset(field, 0, __NEW_UTS_LEN + 1);
	memcpy(field, text, count);
}

long on_uname(struct sb_call *call)
{
	const struct sb_control *control = call->fs->tree->control;
	struct new_utsname name;
	long ret = sb_syscall(__NR_uname, SB_P(&name), 0, 0, 0, 0, 0);

	if (ret < 0)
		return ret;
	set_name(name.nodename, sb_text_at(control, control->hostname), control->hostname.len);
	set_name(name.domainname, "(none)", 6);
	return sb_guest_write(sb_arg(call, 0), &name, sizeof(name));
}

/* The name of a container is fixed when it is made. */
static long keep_name(struct sb_call *call)
{
	if (sb_ids_has_cap(call->ids, SB_CAP_SYS_ADMIN))
		sb_guest_trace(call, "the name of a container is fixed");
	return -EPERM;
}

long on_sethostname(struct sb_call *call)
{
	return keep_name(call);
}

long on_setdomainname(struct sb_call *call)
{
	return keep_name(call);
}

/* ---- process attributes ------------------------------------------------- */

/* The kernel's own mask never takes rights of the owner: the runtime must be
 * able to open what it makes. */
long on_umask(struct sb_call *call)
{
	const uint32_t old = call->proc->umask;
	const uint32_t mask = (uint32_t)sb_arg(call, 0) & 0777;

	sb_commit_begin(call->fs);
	call->proc->umask = mask;
	call->fs->umask = mask;
	sb_syscall(__NR_umask, mask & 0077, 0, 0, 0, 0, 0);
	return old;
}

long on_unshare(struct sb_call *call)
{
	const uint64_t spaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS |
				CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP | CLONE_NEWTIME;

	if ((sb_arg(call, 0) & spaces) != 0)
		return -EPERM;
	if ((sb_arg(call, 0) & CLONE_FS) != 0)
		sb_cwd_give_up(call->proc);
	if ((sb_arg(call, 0) & CLONE_FILES) != 0)
		call->proc->fds = NULL;
	return sb_guest_pass(call, __NR_unshare);
}

/* May the caller signal a process of that user? kill(2). */
static bool may_signal(const struct sb_ids *ids, uint32_t uid)
{
	return (ids->cap_effective >> CAP_KILL & 1) != 0 || ids->euid == uid || ids->ruid == uid;
}

/* Every process of the container but the caller, instead of every process
 * of the host user. */
static long kill_all(struct sb_call *call, int sig)
{
	const struct sb_control *control = call->fs->tree->control;
	const char *base = (const char *)control + control->procs_off;
	const struct sb_proc_slot *slots = (const struct sb_proc_slot *)(const void *)base;
	long result = -ESRCH;

	sb_commit_begin(call->fs);
	for (uint32_t i = 0; i < SB_PROC_SLOTS; i++) {
		const uint32_t pid = slots[i].pid;

		if (pid == 0 || pid == call->proc->pid)
			continue;
		if (!may_signal(call->ids, slots[i].uid)) {
			if (result == -ESRCH && sys_kill((int)pid, 0) == 0)
				result = -EPERM;
			continue;
		}
		if (sys_kill((int)pid, sig) == 0)
			result = 0;
	}
	return result;
}

long on_kill(struct sb_call *call)
{
	const int pid = (int)sb_arg(call, 0);
	const int sig = (int)sb_arg(call, 1);

	if (pid != -1)
		return sb_guest_pass(call, __NR_kill);
	if (sig < 0 || sig > 64)
		return -EINVAL;
	return kill_all(call, sig);
}

/* ---- inotify ------------------------------------------------------------ */

/* A watch on a lower entry would never see a change: changes go to the upper. */
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
		if (at->st.size > SB_WATCH_COPY_MAX)
			return 0;
	}
	err = sb_copyup(call->fs, at, UINT64_MAX);
	return err == -EROFS ? 0 : err; /* nothing can change then */
}

long on_inotify_add_watch(struct sb_call *call)
{
	const int fd = (int)sb_arg(call, 0);
	const uint32_t mask = (uint32_t)sb_arg(call, 2);
	struct sb_at *at = &call->work->a;
	unsigned flags = 0;
	uint32_t host_mask = mask;
	int err;

	if (mask == 0)
		return -EINVAL;
	if ((mask & SB_IN_DONT_FOLLOW) == 0)
		flags |= SB_FOLLOW;
	if ((mask & SB_IN_ONLYDIR) != 0)
		flags |= SB_WANT_DIR;
	err = sb_guest_lookup(call, AT_FDCWD, sb_arg(call, 1), flags, at);
	if (err < 0)
		return err;
	if (sb_proc_is_object(call->fs, at))
		host_mask &= ~SB_IN_DONT_FOLLOW;
	else
		host_mask |= SB_IN_DONT_FOLLOW;
	err = sb_tree_permit(call->fs, at, 4);
	if (err == 0)
		err = bring_up(call, at);
	if (err < 0)
		return err;
	__atomic_store_n(&call->fs->tree->control->watched, 1, __ATOMIC_SEQ_CST);
	return sb_guest_block(call, __NR_inotify_add_watch, fd, SB_P(at->host.buf), host_mask, 0, 0,
			      0);
}
