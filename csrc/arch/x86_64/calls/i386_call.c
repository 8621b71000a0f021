/* SPDX-License-Identifier: MIT */
/*
 * i386_call.c - find what a 32-bit program's system call is, and run it.
 *
 * What the filter lets pass never comes here. What the table does not know is ENOSYS
 * and leaves a note.
 */
#include "i386_call.h"

#include <asm/signal.h>
#include <errno.h>

#include "guest/trace.h"

struct row {
	sb_handler *handler;
	const char *name;
	uint16_t shown; /* number of the 64-bit call */
	uint16_t error; /* of those that are refused */
};

static const struct row rows[SB_COMPAT_KNOWN + 1] = {
#define NATIVE(nr, name)
#define PLAIN(nr, name_, call) [nr] = {.handler = on_##call, .shown = __NR_##call, .name = #name_},
#define CONVERT(nr, name_, call, change) \
	[nr] = {.handler = sb_i386_##change, .shown = __NR_##call, .name = #name_},
#define REFUSE(nr, name_, error_) [nr] = {.error = error_, .name = #name_},
#include "i386.def"
#undef NATIVE
#undef PLAIN
#undef CONVERT
#undef REFUSE
};

static void take_arguments(struct sb_thread *thread)
{
	const struct sb_regs *r = &thread->regs;

	thread->compat.regs = (struct sb_regs){
		.args = {(uint32_t)r->rbx, (uint32_t)r->args[4], (uint32_t)r->args[2],
			 (uint32_t)r->args[1], (uint32_t)r->args[0], (uint32_t)r->rbp},
		.pc = r->pc,
		.sp = r->sp,
	};
}

long sb_i386_pass(struct sb_call *call, long nr)
{
	return sb_block32(nr, (const long *)call->regs->args);
}

/* epoll_pwait without a mask is epoll_wait. */
static bool has_no_mask(const struct sb_call *call, uint32_t shown)
{
	return (shown == __NR_epoll_pwait || shown == __NR_epoll_pwait2) &&
	       call->regs->args[4] == 0;
}

static long run(struct sb_call *call, const struct row *row)
{
	const uint32_t nr = (uint32_t)call->thread->regs.rax;
	uint64_t started = 0;
	long ret;

	if (sb_dispatch_is_traced(call)) {
		call->path[0] = '\0';
		call->path2[0] = '\0';
		started = sb_trace_begin(call);
	}
	call->thread->number = row->shown;
	ret = has_no_mask(call, row->shown) ? sb_i386_pass(call, nr) : row->handler(call);
	if (sb_dispatch_is_traced(call))
		sb_trace_call(call, ret, call->thread->regs.pc, started);
	return ret;
}

static long refuse(struct sb_call *call, const struct row *row)
{
	const long error = row->error ? -row->error : -ENOSYS;

	sb_trace_refused(call, row->name ? row->name : "unknown", error);
	return error;
}

void sb_i386_dispatch(struct sb_thread *thread)
{
	struct sb_call *call = sb_thread_call(thread);
	struct sb_regs *r = &thread->regs;
	const uint32_t nr = (uint32_t)r->rax;
	const struct row *row = &rows[nr <= SB_COMPAT_KNOWN ? nr : 0]; /* 0 is the kernel's */
	long ret;

	call->regs = &thread->compat.regs;
	take_arguments(thread);
	if (sb_thread_insists(thread))
		thread->commit = 1;
	ret = row->handler ? run(call, row) : refuse(call, row);
	if (SB_UNLIKELY(ret == SB_RESTART && thread->pending)) {
		thread->restart = 1;
		ret = (long)r->rax;
	} else if (sb_thread_insists(thread)) {
		thread->rolled = 0;
	}
	thread->commit = 1;
	r->rax = (uint32_t)ret;
}

/* ---- signals: sets and actions ---------------------------------------------- */

struct action32 {
	uint32_t handler;
	uint32_t flags;
	uint32_t restorer;
	uint64_t mask;
} __attribute__((packed));

struct old_action32 {
	uint32_t handler;
	uint32_t mask;
	uint32_t flags;
	uint32_t restorer;
};

/* on_rt_sigaction with structures of ours. */
static long change_action(struct sb_call *call, struct sb_action *next, struct sb_action *old)
{
	struct sb_regs *r = call->regs;

	*old = (struct sb_action){0};
	r->args[1] = (uint64_t)(uintptr_t)next;
	r->args[2] = (uint64_t)(uintptr_t)old;
	r->args[3] = 8;
	return on_rt_sigaction(call);
}

long sb_i386_rt_sigaction(struct sb_call *call)
{
	const uint64_t next_at = call->regs->args[1];
	const uint64_t old_at = call->regs->args[2];
	struct action32 a;
	struct sb_action next;
	struct sb_action old;
	long ret;

	if (call->regs->args[3] != 8)
		return -EINVAL;
	if (next_at && sb_guest_read(&a, next_at, sizeof(a)) < 0)
		return -EFAULT;
	if (next_at)
		next = (struct sb_action){a.handler, a.flags, a.restorer, a.mask};
	ret = change_action(call, next_at ? &next : NULL, &old);
	if (ret < 0 || !old_at)
		return ret;
	a = (struct action32){(uint32_t)old.handler, (uint32_t)old.flags, (uint32_t)old.restorer,
			      old.mask};
	return sb_guest_write(old_at, &a, sizeof(a));
}

long sb_i386_sigaction(struct sb_call *call)
{
	const uint64_t next_at = call->regs->args[1];
	const uint64_t old_at = call->regs->args[2];
	struct old_action32 a;
	struct sb_action next;
	struct sb_action old;
	long ret;

	if (next_at && sb_guest_read(&a, next_at, sizeof(a)) < 0)
		return -EFAULT;
	if (next_at)
		next = (struct sb_action){a.handler, a.flags, a.restorer, a.mask};
	ret = change_action(call, next_at ? &next : NULL, &old);
	if (ret < 0 || !old_at)
		return ret;
	a = (struct old_action32){(uint32_t)old.handler, (uint32_t)old.mask, (uint32_t)old.flags,
				  (uint32_t)old.restorer};
	return sb_guest_write(old_at, &a, sizeof(a));
}

long sb_i386_signal(struct sb_call *call)
{
	struct sb_action next = {.handler = call->regs->args[1],
				 .flags = SA_RESETHAND | SA_NODEFER};
	struct sb_action old;
	long ret = change_action(call, &next, &old);

	return ret < 0 ? ret : (long)old.handler;
}

/* The old calls know the first 32 signals. */
long sb_i386_sigprocmask(struct sb_call *call)
{
	struct sb_regs *r = call->regs;
	const uint64_t set_at = r->args[1];
	const uint64_t old_at = r->args[2];
	uint64_t set = 0;
	uint64_t old = 0;
	uint32_t low;
	long ret;

	if (set_at && sb_guest_read(&low, set_at, sizeof(low)) < 0)
		return -EFAULT;
	if (set_at && (int)r->args[0] == SIG_SETMASK) { /* the others stay */
		ret = sb_syscall6(__NR_rt_sigprocmask, SIG_BLOCK, 0, SB_P(&set), 8, 0, 0);
		if (ret < 0)
			return ret;
		set &= ~0xffffffffULL;
	}
	if (set_at)
		set |= low;
	r->args[1] = set_at ? (uint64_t)(uintptr_t)&set : 0;
	r->args[2] = (uint64_t)(uintptr_t)&old;
	r->args[3] = 8;
	ret = on_rt_sigprocmask(call);
	if (ret < 0 || !old_at)
		return ret;
	low = (uint32_t)old;
	return sb_guest_write(old_at, &low, sizeof(low));
}

long sb_i386_sigsuspend(struct sb_call *call)
{
	uint64_t set = call->regs->args[2];

	call->regs->args[0] = (uint64_t)(uintptr_t)&set;
	call->regs->args[1] = 8;
	return on_rt_sigsuspend(call);
}

static bool is_fault(int sig)
{
	return sig == SIGSEGV || sig == SIGBUS || sig == SIGILL || sig == SIGFPE || sig == SIGTRAP;
}

/* The kernel's copy_siginfo_to_user32. */
void sb_i386_siginfo(const siginfo_t *from, struct sb_siginfo32 *to)
{
	const int sig = from->si_signo;

	memset(to, 0, sizeof(*to));
	to->signo = sig;
	to->error = from->si_errno;
	to->code = from->si_code;
	if (from->si_code == SI_TIMER) {
		to->timer = from->si_tid;
		to->overrun = from->si_overrun;
		to->timer_value = (uint32_t)(uintptr_t)from->si_ptr;
	} else if (from->si_code > 0 && from->si_code != SI_KERNEL && is_fault(sig)) {
		to->address = (uint32_t)(uintptr_t)from->si_addr;
		to->lsb = (uint16_t)from->si_addr_lsb;
	} else if (from->si_code > 0 && from->si_code != SI_KERNEL && sig == SIGPOLL) {
		to->band = (int32_t)from->si_band;
		to->fd = from->si_fd;
	} else if (from->si_code > 0 && sig == SIGCHLD) {
		to->pid = (uint32_t)from->si_pid;
		to->uid = from->si_uid;
		to->status = from->si_status;
		to->utime = (int32_t)from->si_utime;
		to->stime = (int32_t)from->si_stime;
	} else {
		to->pid = (uint32_t)from->si_pid;
		to->uid = from->si_uid;
		to->value = (uint32_t)(uintptr_t)from->si_ptr;
	}
}

/* ---- memory, programs, tasks ------------------------------------------------ */

/* The heap is ours: the kernel's would lie above 4 GiB. */
long sb_i386_brk(struct sb_call *call)
{
	struct sb_proc *proc = call->proc;
	const uint64_t page = 4095;
	const uint32_t wanted = (uint32_t)call->regs->args[0];
	const uint32_t now = __atomic_load_n(&proc->compat.brk, __ATOMIC_ACQUIRE);
	const uint64_t from = (now + page) & ~page;
	const uint64_t to = (wanted + page) & ~page;
	long ret = 0;

	if (wanted < proc->compat.brk_start || to > SB_COMPAT_END)
		return now;
	sb_commit_begin(call->fs);
	if (to > from)
		ret = sys_mmap((void *)(uintptr_t)from, to - from, 3 /* read, write */,
			       0x100022 /* private, anonymous, nothing is replaced */, -1, 0);
	else if (to < from)
		ret = sys_munmap((void *)(uintptr_t)to, from - to);
	if (ret < 0)
		return now;
	__atomic_store_n(&proc->compat.brk, wanted, __ATOMIC_RELEASE);
	return wanted;
}

long sb_i386_clone(struct sb_call *call)
{
	struct sb_regs *r = call->regs;
	const uint64_t tls = r->args[3];

	r->args[3] = r->args[4];
	r->args[4] = tls;
	return on_clone(call);
}

static long count_pointers(uint64_t vector)
{
	uint32_t value;

	for (long n = 0; vector && n < 1L << 20; n++) {
		if (sb_guest_read(&value, vector + 4 * (uint64_t)n, sizeof(value)) < 0)
			return -EFAULT;
		if (!value)
			return n;
	}
	return vector ? -E2BIG : 0;
}

static int widen(uint64_t from, long count, uint64_t *to)
{
	uint32_t value;

	for (long i = 0; i < count; i++) {
		if (sb_guest_read(&value, from + 4 * (uint64_t)i, sizeof(value)) < 0)
			return -EFAULT;
		to[i] = value;
	}
	to[count] = 0;
	return 0;
}

/* Both vectors with pointers of 64 bits. */
static int widen_vectors(struct sb_call *call, uint64_t *argv, uint64_t *envp)
{
	const long args = count_pointers(*argv);
	const long vars = count_pointers(*envp);
	uint64_t *vectors;
	size_t size;
	int ret;

	if (args < 0 || vars < 0)
		return (int)SB_MIN(args, vars);
	size = ((size_t)args + (size_t)vars + 2) * sizeof(uint64_t);
	vectors = (uint64_t *)sys_mmap(NULL, size, 3, 0x22, -1, 0);
	if ((long)vectors < 0 && (long)vectors > -4096)
		return (int)(long)vectors;
	call->thread->wide_vector = (struct sb_exec_vector){vectors, size};
	ret = widen(*argv, args, vectors);
	if (ret == 0)
		ret = widen(*envp, vars, vectors + args + 1);
	*argv = (uintptr_t)vectors;
	*envp = (uintptr_t)(vectors + args + 1);
	return ret;
}

static long execve_wide(struct sb_call *call)
{
	long ret = widen_vectors(call, &call->regs->args[1], &call->regs->args[2]);

	if (ret == 0)
		ret = sb_execve(call);
	sb_thread_drop_vector(&call->thread->wide_vector);
	return ret;
}

static long execveat_wide(struct sb_call *call)
{
	long ret = widen_vectors(call, &call->regs->args[2], &call->regs->args[3]);

	if (ret == 0)
		ret = sb_execveat(call);
	sb_thread_drop_vector(&call->thread->wide_vector);
	return ret;
}

long sb_i386_execve(struct sb_call *call)
{
	return sb_exec_held(call, execve_wide);
}

long sb_i386_execveat(struct sb_call *call)
{
	return sb_exec_held(call, execveat_wide);
}
