/* SPDX-License-Identifier: MIT */
/*
 * signal_target.c - whom a signal from a program of the container reaches.
 *
 * Which of the container's users may signal whom is a question of peers.h.
 */
#include "calls/task/signal_target.h"

#include <asm/signal.h>
#include <errno.h>
#include <linux/capability.h>

#include "base/shared_abi.h"
#include "guest/peers/peers.h"
#include "guest/pids.h"
#include "guest/process_table.h"
#include "guest/sigmask.h"
#include "guest/thread.h"
#include "procfs/proc_text.h"

/* ---- the first process ------------------------------------------------------- */

static uint64_t hex_behind(const char *text, long len, const char *key)
{
	const long want = (long)strlen(key);
	uint64_t value = 0;

	for (long i = 0; i + want < len; i++) {
		if (memcmp(text + i, key, (size_t)want) != 0)
			continue;
		for (i += want; i < len && text[i] != '\n'; i++)
			value = value << 4 |
				(uint64_t)(text[i] <= '9' ? text[i] - '0' : text[i] - 'a' + 10);
		return value;
	}
	return 0;
}

/* The signals that a thread blocks. */
static uint64_t blocked_by(struct sb_call *call, uint32_t tid)
{
	char path[48];
	struct sb_proc_out name = {.buf = path, .max = sizeof(path) - 1};
	char *text = call->work->buffer;
	uint64_t mask = 0;
	long file;
	long len;

	if (tid == call->thread->tid) {
		sb_syscall(__NR_rt_sigprocmask, SIG_BLOCK, 0, SB_P(&mask), 8, 0, 0);
		return mask;
	}
	sb_proc_put_text(&name, "/proc/");
	sb_proc_put_number(&name, tid, 10, 1);
	sb_proc_put_text(&name, "/status");
	path[name.len] = '\0';
	sb_commit_begin(call->fs);
	file = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	len = file < 0 ? file : sys_read((int)file, text, sizeof(call->work->buffer));
	if (file >= 0)
		sys_close((int)file);
	sb_commit_end(call->fs);
	return hex_behind(text, len, "\nSigBlk:\t");
}

/* As an init, the first process gets no signal of the container that it does not handle, unless it
 * blocks it: then it may take it later. SIGCONT lets it go on in any case. */
static bool is_dropped(struct sb_call *call, uint32_t pid, int sig)
{
	const struct sb_shared *shared = call->fs->tree->shared;

	if (pid != sb_pid_main(call->fs->tree) || sig < 1 || sig > 64 || sig == SIGCONT)
		return false;
	if (sig == SIGKILL || sig == SIGSTOP)
		return true;
	return ((__atomic_load_n(&shared->first_handles, __ATOMIC_ACQUIRE) |
		 __atomic_load_n(&shared->first_awaits, __ATOMIC_RELAXED) | blocked_by(call, pid)) &
		SB_SIGMASK(sig)) == 0;
}

/* ---- one process ---------------------------------------------------------------- */

int sb_signal_check(struct sb_call *call, int real, int sig)
{
	if (real <= 0 || real == SB_PID_NOBODY)
		return 0;
	if (sb_peer_may_signal(call, (uint32_t)real, sig))
		return is_dropped(call, (uint32_t)real, sig) ? SB_SIGNAL_DROPPED : 0;
	return sys_kill(real, 0) == -ESRCH ? -ESRCH : -EPERM;
}

/* Signal one of several processes: the kernel's answer. */
static long signal_one(struct sb_call *call, uint32_t pid, int sig)
{
	const int err = sb_signal_check(call, (int)pid, sig);

	return err != 0 ? SB_MIN(err, 0) : sys_kill((int)pid, sig);
}

long sb_signal_all(struct sb_call *call, int sig)
{
	const struct sb_tree *tree = call->fs->tree;
	long result = -ESRCH;

	if (sig < 0 || sig > 64)
		return -EINVAL;
	sb_commit_begin(call->fs);
	for (uint32_t i = 0; i < SB_PROC_SLOTS; i++) {
		const uint32_t pid = sb_proc_at(tree, i)->pid;

		if (pid == 0 || pid == call->proc->pid || pid == sb_pid_main(tree) ||
		    !sb_pid_is_own(tree, pid))
			continue;
		signal_one(call, pid, sig);
		result = 0; /* also when none of them may be signalled */
	}
	return result;
}

/* Signal the processes of a group one by one, the caller last. */
static long signal_members(struct sb_call *call, uint32_t group, int sig)
{
	const struct sb_tree *tree = call->fs->tree;
	bool is_member = false;
	long result = -ESRCH;
	long ret;

	sb_commit_begin(call->fs);
	for (uint32_t i = 0; i < SB_PROC_SLOTS; i++) {
		const uint32_t pid = sb_proc_at(tree, i)->pid;

		if (pid == 0 || sb_syscall(__NR_getpgid, (int)pid, 0, 0, 0, 0, 0) != (long)group ||
		    !sb_pid_is_own(tree, pid))
			continue;
		if (pid == call->proc->pid) {
			is_member = true;
			continue;
		}
		ret = signal_one(call, pid, sig);
		if (result != 0)
			result = ret;
	}
	ret = is_member ? signal_one(call, call->proc->pid, sig) : result;
	return result == 0 ? 0 : ret;
}

static bool has_first(const struct sb_tree *tree, uint32_t group)
{
	const uint32_t first = sb_pid_main(tree);

	return first != 0 && sb_syscall(__NR_getpgid, (int)first, 0, 0, 0, 0, 0) == (long)group;
}

long sb_signal_group(struct sb_call *call, uint32_t group, int sig)
{
	if (sig == 0 || (sb_ids_has_cap(call->ids, CAP_KILL) && !has_first(call->fs->tree, group)))
		return sb_guest_block(call, __NR_kill, -(int)group, sig, 0, 0, 0, 0);
	if (sig < 0 || sig > 64)
		return -EINVAL;
	return signal_members(call, group, sig);
}

/* ---- pidfds ----------------------------------------------------------------- */

static uint32_t number_behind(const char *text, size_t len, const char *key)
{
	const size_t want = strlen(key);
	uint32_t value = 0;

	for (size_t i = 0; i + want < len; i++) {
		if (memcmp(text + i, key, want) != 0)
			continue;
		for (i += want; i < len && text[i] >= '0' && text[i] <= '9'; i++)
			value = value * 10 + (uint32_t)(text[i] - '0');
		return value;
	}
	return 0;
}

uint32_t sb_pidfd_process(struct sb_call *call, int fd)
{
	char path[48];
	char text[256];
	struct sb_proc_out name = {.buf = path, .max = sizeof(path) - 1};
	long file;
	long len;

	if (fd < 0)
		return 0;
	sb_proc_put_text(&name, "/proc/self/fdinfo/");
	sb_proc_put_number(&name, (uint64_t)fd, 10, 1);
	path[name.len] = '\0';
	sb_commit_begin(call->fs);
	file = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	len = file < 0 ? file : sys_read((int)file, text, sizeof(text));
	if (file >= 0)
		sys_close((int)file);
	sb_commit_end(call->fs);
	return len < 0 ? 0 : number_behind(text, (size_t)len, "\nPid:\t");
}

int sb_signal_check_pidfd(struct sb_call *call, int fd, int sig)
{
	const uint32_t real = sb_pidfd_process(call, fd);

	if (real == 0)
		return 0;
	if (!sb_pid_is_own(call->fs->tree, real))
		return -EINVAL; /* as for a process outside of the caller's pid namespace */
	return sb_signal_check(call, (int)real, sig);
}
