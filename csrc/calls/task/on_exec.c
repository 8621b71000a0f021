/* SPDX-License-Identifier: MIT */
/*
 * on_exec.c - execve and execveat.
 *
 * How it works
 *   The plan (exec_plan.c) goes into a mailbox of the control file. Then the kernel executes
 *   sandbox-guest with the guest's own argv and envp; boot.c finds the mailbox by pid and maps the
 *   program. Only a script needs another argv.
 */
#include "calls/task/on_exec.h"

#include <errno.h>
#include <linux/mman.h>
#include <linux/ptrace.h>

#include "exec/exec_plan.h"
#include "exec/mailbox.h"
#include "guest/handlers.h"
#include "guest/many_groups.h"
#include "guest/paths/lookup.h"
#include "guest/paths/magic_link.h"
#include "guest/paths/proc_entry.h"
#include "guest/sigmask.h"
#include "tree/host_path.h"

#define MAX_ARGUMENTS (1UL << 20)
#define F_DUPFD_HIGH 500

/* Count the guest's argument pointers. */
static long count_arguments(uint64_t argv)
{
	uint64_t value;

	if (!argv)
		return 0;
	for (unsigned long n = 0; n < MAX_ARGUMENTS; n++) {
		if (sb_guest_read(&value, argv + 8 * n, sizeof(value)) < 0)
			return -EFAULT;
		if (!value)
			return (long)n;
	}
	return -E2BIG;
}

/* Make the vector of a script: the prefix, then the guest's argv[1] and so on. */
static long script_arguments(struct sb_call *call, const struct sb_exec_plan *plan, uint64_t argv)
{
	long count = count_arguments(argv);
	size_t rest;
	size_t size;
	uint64_t *vector;
	long at;

	if (count < 0)
		return count;
	rest = count > 1 ? (size_t)count - 1 : 0;
	size = (plan->prefix_count + rest + 1) * sizeof(uint64_t);
	at = sys_mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at < 0)
		return at;
	call->thread->script_vector = (struct sb_exec_vector){(void *)at, size};
	vector = (uint64_t *)at;
	for (uint32_t i = 0; i < plan->prefix_count; i++)
		vector[i] = (uintptr_t)plan->prefix[i];
	if (rest && sb_guest_read(vector + plan->prefix_count, argv + 8, rest * 8) < 0)
		return -EFAULT;
	return at;
}

static long run_plan(struct sb_call *call, struct sb_exec_plan *plan, uint64_t argv, uint64_t envp)
{
	const struct sb_control *control = call->proc->tree.control;
	struct sb_path *loader = &call->work->host;
	struct sb_mailbox *box = NULL;
	long vector = (long)argv;
	long ret;

	if (plan->prefix_count) {
		vector = script_arguments(call, plan, argv);
		if (vector < 0) {
			sb_thread_drop_vector(&call->thread->script_vector);
			return vector;
		}
	}
	ret = sb_path_set(loader, sb_text_at(control, control->run), control->run.len);
	if (ret == 0)
		ret = sb_path_join(loader, "guest", 5);
	if (ret == 0)
		ret = sb_mailbox_post(call->proc, plan, &box);
	if (ret == 0 && call->thread->trace_me) {
		call->thread->trace_me = 0;
		(void)sb_syscall6(__NR_ptrace, PTRACE_TRACEME, 0, 0, 0, 0, 0);
	}
	if (ret == 0)
		ret = sb_guest_block(call, __NR_execve, SB_P(loader->buf), vector, (long)envp, 0, 0,
				     0);
	if (box)
		sb_mailbox_free(box);
	sb_thread_drop_vector(&call->thread->script_vector);
	return ret;
}

/* The descriptor of a program without a name (memfd, deleted) must survive the kernel's
 * close-on-exec, so the new program gets a copy. */
static long keep_object(struct sb_exec_plan *plan, int fd)
{
	long copy;

	if (fd < 0)
		return -EACCES;
	copy = sb_syscall6(__NR_fcntl, fd, F_DUPFD, F_DUPFD_HIGH, 0, 0, 0);
	if (copy == -EINVAL)
		copy = sb_syscall6(__NR_fcntl, fd, F_DUPFD, 3, 0, 0, 0);
	if (copy >= 0)
		plan->fd = (int)copy;
	return copy;
}

static bool is_close_on_exec(int fd)
{
	long flags = sb_syscall6(__NR_fcntl, fd, F_GETFD, 0, 0, 0, 0);

	return flags > 0 && (flags & FD_CLOEXEC);
}

static long exec_at(struct sb_call *call, struct sb_at *at, uint64_t argv, uint64_t envp)
{
	struct sb_exec_plan *plan = sb_exec_plan_of(call);
	bool is_object = sb_proc_is_object(call->fs, at);
	int object = is_object ? sb_proc_object_fd(call, at) : -1;
	long ret = sb_exec_plan(call, plan, at);

	if (ret < 0)
		return ret;
	/* The interpreter of the script could not open /dev/fd/N. */
	if (plan->prefix_count && plan->script_fd >= 0 && is_close_on_exec(plan->script_fd))
		return -ENOENT;
	if (is_object && plan->prefix_count == 0) {
		ret = keep_object(plan, object);
		if (ret < 0)
			return ret;
	}
	ret = sb_many_groups_keep(&plan->ids, &plan->groups_fd);
	if (ret == 0)
		ret = run_plan(call, plan, argv, envp);
	if (plan->groups_fd >= 0)
		sys_close(plan->groups_fd);
	if (plan->fd >= 0)
		sys_close(plan->fd);
	return ret;
}

long sb_exec(struct sb_call *call, const char *path, uint64_t argv, uint64_t envp)
{
	struct sb_at *at = &call->work->a;
	struct sb_path *base = &call->work->base;
	struct sb_exec_plan *plan = sb_exec_plan_of(call);
	int ret = sb_path_set(&plan->execfn, path, strlen(path));

	plan->script_fd = -1;
	if (ret == 0)
		ret = (int)sb_syscall6(__NR_rt_sigprocmask, SIG_BLOCK, 0, SB_P(&plan->mask), 8, 0,
				       0);
	if (ret < 0)
		return ret;
	ret = sb_path_set(base, "/", 1);
	if (ret == 0 && path[0] != '/')
		ret = sb_guest_base(call, AT_FDCWD, base);
	if (ret == 0)
		ret = sb_tree_lookup(call->fs, base->buf, base->len, path, SB_FOLLOW | SB_WANT_STAT,
				     at);
	if (ret == -SB_EMAGIC)
		ret = sb_magic_link_follow(call, SB_FOLLOW | SB_WANT_STAT, at);
	return ret < 0 ? ret : exec_at(call, at, argv, envp);
}

long sb_execve(struct sb_call *call)
{
	struct sb_at *at = &call->work->a;
	long ret = sb_guest_lookup(call, AT_FDCWD, sb_arg(call, 0), SB_FOLLOW | SB_WANT_STAT, at);

	if (ret < 0)
		return ret;
	sb_exec_plan_of(call)->script_fd = -1;
	ret = sb_path_set(&sb_exec_plan_of(call)->execfn, call->path, strlen(call->path));
	return ret < 0 ? ret : exec_at(call, at, sb_arg(call, 1), sb_arg(call, 2));
}

/* Write "/dev/fd/N" or "/dev/fd/N/path", as the kernel does for AT_EXECFN. */
static int name_by_fd(struct sb_path *out, int fd, const char *path)
{
	char digits[12];
	uint32_t n = sizeof(digits);
	unsigned value = (unsigned)fd;
	int ret = sb_path_set(out, "/dev/fd/", 8);

	do {
		digits[--n] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	if (ret == 0)
		ret = sb_path_add(out, digits + n, sizeof(digits) - n);
	if (ret == 0 && *path)
		ret = sb_path_join(out, path, strlen(path));
	return ret;
}

static long exec_fd(struct sb_call *call, int fd, uint64_t argv, uint64_t envp)
{
	struct sb_at *at = &call->work->a;
	struct sb_exec_plan *plan = sb_exec_plan_of(call);
	int ret = name_by_fd(&plan->execfn, fd, "");
	char link[32];

	if (fd < 0)
		return -EBADF;
	if (ret < 0)
		return ret;
	sb_fd_name(fd, link);
	ret = sb_tree_lookup(call->fs, "/", 1, link, SB_FOLLOW | SB_WANT_STAT, at);
	if (ret == -SB_EMAGIC)
		ret = sb_magic_link_follow(call, SB_FOLLOW | SB_WANT_STAT, at);
	if (ret < 0)
		return ret == -ENOENT ? -EBADF : ret;
	plan->script_fd = fd;
	return exec_at(call, at, argv, envp);
}

long sb_execveat(struct sb_call *call)
{
	struct sb_at *at = &call->work->a;
	int flags = (int)sb_arg(call, 4);
	unsigned follow = flags & AT_SYMLINK_NOFOLLOW ? 0 : SB_FOLLOW;
	long ret;

	if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	ret = sb_guest_string(call->path, sb_arg(call, 1), SB_PATH_MAX);
	if (ret < 0)
		return ret;
	if (ret == 0) {
		if (!(flags & AT_EMPTY_PATH))
			return -ENOENT;
		return exec_fd(call, (int)sb_arg(call, 0), sb_arg(call, 2), sb_arg(call, 3));
	}
	ret = sb_guest_lookup(call, (int)sb_arg(call, 0), sb_arg(call, 1), follow | SB_WANT_STAT,
			      at);
	if (ret < 0)
		return ret;
	sb_exec_plan_of(call)->script_fd = -1;
	if (!follow && (at->st.mode & S_IFMT) == S_IFLNK)
		return -ELOOP;
	if (call->path[0] == '/' || (int)sb_arg(call, 0) == AT_FDCWD)
		ret = sb_path_set(&sb_exec_plan_of(call)->execfn, call->path, strlen(call->path));
	else
		ret = name_by_fd(&sb_exec_plan_of(call)->execfn, (int)sb_arg(call, 0), call->path);
	return ret < 0 ? ret : exec_at(call, at, sb_arg(call, 2), sb_arg(call, 3));
}

/* A signal that comes meanwhile would be lost with this program's memory. It waits in the kernel
 * and meets the new program, like one that comes while the kernel executes it. SIGTRAP does not
 * wait: by it a debugger learns of the new program. */
long sb_exec_held(struct sb_call *call, sb_handler *handler)
{
	const uint64_t held = SB_MASK_ALL & ~SB_SIGMASK(SIGTRAP);
	uint64_t mask;
	long ret = sb_thread_hold(call->thread, held, &mask);

	if (ret < 0)
		return ret;
	sb_exec_plan_of(call)->mask = mask;
	ret = handler(call);
	sb_thread_unhold(call->thread, mask);
	return ret;
}

long on_execve(struct sb_call *call)
{
	return sb_exec_held(call, sb_execve);
}

long on_execveat(struct sb_call *call)
{
	return sb_exec_held(call, sb_execveat);
}
