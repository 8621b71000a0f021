/* SPDX-License-Identifier: MIT */
/*
 * seccomp_filter.c - the filter that sends system calls into the runtime.
 *
 * How it works
 *   The filter decides about a native call by its number alone, so the kernel answers from its
 *   bitmap. A trapped call raises SIGSYS unless the instruction is in the runtime's own text. In a
 *   container with a tracer, the tracer is told instead (tracer.c).
 */
#include "entry/seccomp_filter.h"

#include <asm/prctl.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/wait.h>

#include "base/ipc_abi.h"
#include "compat_table.h"
#include "entry/filter_code.h"
#include "entry/signals.h"
#include "guest/pids.h"
#include "net/net_rules.h"
#include "procfs/proc_limits.h"
#include "pure/log.h"
#include "pure/verdict.h"
#include "tree/descriptors.h"

struct program {
	struct sb_filter_code out;
	unsigned action; /* for a trapped call */
	unsigned peers; /* for a call about another process; SECCOMP_RET_ALLOW: no rules */
	bool has_network; /* the container has addresses of its own */
	bool is_alone; /* and they reach nobody else */
	bool has_32;      /* 32-bit programs can run: not with a tracer or a profile */
	bool knows_descriptors; /* descriptors.h */
	bool has_limits; /* of memory or CPUs: on_lseek.c */
	bool has_ipc; /* System V objects of its own */
	unsigned ipc_prefix; /* of the keys of those, shifted */
	bool is_unconfined; /* what only Docker's default profile refuses passes */
	bool is_fenced; /* the runtime's own text is refused some calls, too */
	unsigned trap_count;
	unsigned short traps[SB_NR_KNOWN +
			     SB_COMPAT_KNOWN]; /* jumps to the end, which checks the address */
};

static void emit(struct program *p, unsigned code, unsigned jt, unsigned jf, unsigned k)
{
	sb_filter_emit(&p->out, code, jt, jf, k);
}

#define LOAD(p, field) sb_filter_load(&(p)->out, SB_FILTER_FIELD(field))

static void emit_jump_to_trap(struct program *p)
{
	p->traps[p->trap_count++] = (unsigned short)p->out.len;
	emit(p, BPF_JMP | BPF_JA, 0, 0, 0);
}

static void emit_trap(struct program *p)
{
	const unsigned ip = (unsigned)offsetof(struct seccomp_data, instruction_pointer);

	emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, ip + 4);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 3, SB_RUNTIME_HIGH_WORD);
	emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, ip);
	emit(p, BPF_JMP | BPF_JGT | BPF_K, 1, 0, (unsigned)(uintptr_t)sb_text_end);
	emit(p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
	emit(p, BPF_RET | BPF_K, 0, 0, p->action | SB_TRAP_MAGIC);
}

#define ARGUMENT(n) SB_FILTER_ARGUMENT(n)

static unsigned count_of(const unsigned short *values)
{
	unsigned count = 0;

	while (values[count] != 0)
		count++;
	return count;
}

/* Go on behind `left` more instructions if the loaded value is one of these. */
static void emit_any_of(struct program *p, const unsigned short *values, unsigned left)
{
	left += count_of(values);
	for (; *values != 0; values++)
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, --left, 0, *values);
}

/* Let fcntl pass unless its command names a process, or duplicates a descriptor that may be
 * remembered. */
static void emit_fcntl(struct program *p)
{
	const unsigned char behind = (unsigned char)(count_of(sb_verdict_process_commands) + 1);

	emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, ARGUMENT(1));
	if (p->knows_descriptors) {
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, behind + 1, 0, F_DUPFD);
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, behind, 0, F_DUPFD_CLOEXEC);
	}
	emit_any_of(p, sb_verdict_process_commands, 1);
	emit(p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
}

/* Let lseek pass unless it goes to the start of a file. */
static void emit_lseek(struct program *p)
{
	emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, ARGUMENT(2));
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 4, 0);
	emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, ARGUMENT(1));
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 2, 0);
	emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, ARGUMENT(1) + 4);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 0);
	emit(p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
}

/* Let the request pass unless it is one of file systems, names a process, opens the other side of a
 * terminal, or is about interfaces. */
static void emit_ioctl(struct program *p)
{
	const unsigned left = p->has_network ? 4 : 1; /* instructions behind the types */
	const unsigned behind = left + count_of(sb_verdict_file_types) + 1;

	emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, ARGUMENT(1));
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, behind + count_of(sb_verdict_process_requests), 0,
	     SB_IOCTL_OTHER_SIDE);
	emit_any_of(p, sb_verdict_process_requests, behind);
	emit(p, BPF_ALU | BPF_AND | BPF_K, 0, 0, SB_IOCTL_TYPE);
	emit_any_of(p, sb_verdict_file_types, left);
	if (p->has_network) {
		emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, ARGUMENT(1));
		emit(p, BPF_ALU | BPF_AND | BPF_K, 0, 0, SB_IOCTL_MASK);
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, SB_IOCTL_SOCKET);
	}
	emit(p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
}

/* Let the call pass if the argument set is zero. */
static void emit_when_set(struct program *p, unsigned nr, unsigned set)
{
	const bool has_links = p->has_network && nr == __NR_sendto;
	const unsigned char skip = has_links ? 3 : 0;

	emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, ARGUMENT(set));
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 3U + skip, 0);
	emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, ARGUMENT(set) + 4);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1U + skip, 0);
	if (has_links) {
		emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, ARGUMENT(0));
		emit(p, BPF_JMP | BPF_JGE | BPF_K, 0, 1, SB_LINK_FD_FIRST);
		emit(p, BPF_JMP | BPF_JGT | BPF_K, 0, 1, SB_LINK_FD_LAST);
	}
	emit(p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
}

/* Let the call fail. Without the fence, a call from the runtime's text passes. */
static void emit_refuse(struct program *p, unsigned error)
{
	const unsigned ip = (unsigned)offsetof(struct seccomp_data, instruction_pointer);

	if (!p->is_fenced) {
		emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, ip + 4);
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SB_RUNTIME_HIGH_WORD);
		emit(p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
	}
	sb_filter_refuse(&p->out, error);
}

/* Does the call take a key? */
static bool has_key(unsigned nr)
{
	return nr == __NR_shmget || nr == __NR_semget || nr == __NR_msgget;
}

static bool has_rules(const struct program *p, unsigned nr)
{
	return p->is_fenced && (sb_fence_has_rules(nr, p->is_alone) || has_key(nr));
}

/* Every object that a container makes has one of its keys, by which the host side removes it. */
static void emit_key(struct program *p)
{
	emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, ARGUMENT(0));
	emit(p, BPF_ALU | BPF_AND | BPF_K, 0, 0, ~(SB_IPC_SLOTS - 1U));
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, p->ipc_prefix);
	sb_filter_refuse(&p->out, EACCES);
}

/* Some arguments pass without a trap. */
static bool is_conditional(const struct program *p, unsigned nr)
{
	return nr == __NR_ioctl || sb_verdict_argument(nr) >= 0 ||
	       (nr == __NR_listen && !p->has_network);
}

/* Trap the call, unless the runtime makes it: then go on behind these instructions. */
static void emit_trap_guest(struct program *p)
{
	const unsigned ip = SB_FILTER_FIELD(instruction_pointer);

	emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, ip + 4);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 2, SB_RUNTIME_HIGH_WORD);
	emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, ip);
	emit(p, BPF_JMP | BPF_JGT | BPF_K, 0, 1, (unsigned)(uintptr_t)sb_text_end);
	emit_jump_to_trap(p);
}

/* A call about another process: the runtime finds the process, then the rules are for the
 * runtime. */
static void emit_peers(struct program *p, unsigned nr)
{
	if (sb_fence_peer(nr) == SB_PEER_LIMIT) {
		emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, ARGUMENT(0));
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, 5, 0, 0);
	} else if (sb_verdict_argument(nr) >= 0) {
		emit_when_set(p, nr, (unsigned)sb_verdict_argument(nr));
	}
	emit_trap_guest(p);
	if (p->peers != SECCOMP_RET_ALLOW)
		sb_fence_emit_peers(&p->out, nr, p->peers);
}

/* A call that is always trapped: the rules are for the runtime. */
static void emit_for_runtime(struct program *p, unsigned nr)
{
	emit_trap_guest(p);
	if (has_key(nr))
		emit_key(p);
	sb_fence_emit(&p->out, nr, p->is_alone);
	emit(p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
}

/* Only the limit that marks a container's processes comes to the runtime. Not even the runtime's
 * own instruction changes it, since a guest may jump there. resource and change are the numbers of
 * the arguments; change is NO_ARGUMENT when the call changes nothing, ANY_ARGUMENT when it always
 * does. */
#define NO_ARGUMENT 6
#define ANY_ARGUMENT 7

static void emit_limit(struct program *p, unsigned resource, unsigned change)
{
	const unsigned ip = SB_FILTER_FIELD(instruction_pointer);

	emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, ARGUMENT(resource));
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, SB_MARK_RESOURCE);
	emit(p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
	if (change == NO_ARGUMENT || !p->is_fenced)
		return;
	if (change != ANY_ARGUMENT) {
		emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, ARGUMENT(change));
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 2, 0);
		emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, ARGUMENT(change) + 4);
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, 5, 0, 0);
	}
	emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, ip + 4);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 3, SB_RUNTIME_HIGH_WORD);
	emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, ip);
	emit(p, BPF_JMP | BPF_JGT | BPF_K, 1, 0, (unsigned)(uintptr_t)sb_text_end);
	emit(p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM);
}

static void emit_leaf(struct program *p, unsigned nr)
{
	unsigned verdict = sb_verdict(nr);
	int set = sb_verdict_argument(nr);

	if (sb_fence_peer(nr) != SB_PEER_NONE)
		emit_peers(p, nr);
	if (p->is_unconfined && sb_verdict_is_of_profile(nr))
		verdict = SB_TRAPPED;
	if (verdict >= SB_REFUSED) {
		emit_refuse(p, verdict - SB_REFUSED);
		return;
	}
	if (verdict == SB_NATIVE || (sb_verdict_is_descriptor(nr) && !p->knows_descriptors) ||
	    (nr == __NR_lseek && !p->has_limits) || (sb_verdict_is_ipc(nr) && !p->has_ipc)) {
		emit(p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
		return;
	}
	if (has_rules(p, nr) && !is_conditional(p, nr)) {
		emit_for_runtime(p, nr);
		return;
	}
	if (has_rules(p, nr))
		sb_fence_emit(&p->out, nr, p->is_alone);
	if (nr == __NR_wait4) { /* see on_ptrace.c, on_wait.c */
		emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, ARGUMENT(0));
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, 3, 0, SB_PID_FIRST);
		emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0,
		     (unsigned)offsetof(struct seccomp_data, args) + 8U * 2);
		emit(p, BPF_JMP | BPF_JSET | BPF_K, 1, 0, __WALL | WUNTRACED | WCONTINUED);
		emit(p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
	}
	if (nr == __NR_arch_prctl) {
		emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, ARGUMENT(0));
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, 2, 0, ARCH_SET_GS);
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ARCH_GET_GS);
		emit(p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
	}
	if (nr == __NR_mmap) {
		emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0,
		     (unsigned)offsetof(struct seccomp_data, args) + 8U * 2);
		emit(p, BPF_JMP | BPF_JSET | BPF_K, 1, 0, PROT_EXEC);
		emit(p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
	}
	if ((nr == __NR_accept || nr == __NR_accept4) && !p->has_network)
		set = 1; /* only the name of the other end is translated */
	if (nr == __NR_listen && !p->has_network) {
		emit(p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
		return;
	}
	if (nr == __NR_lseek)
		emit_lseek(p);
	if (nr == __NR_ioctl)
		emit_ioctl(p);
	if (nr == __NR_fcntl)
		emit_fcntl(p);
	if (sb_verdict_is_clock(nr)) {
		emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, ARGUMENT(0));
		emit(p, BPF_JMP | BPF_JSET | BPF_K, 1, 0, SB_CLOCK_OF_PROCESS);
		emit(p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
	}
	if (nr == __NR_getrlimit)
		emit_limit(p, 0, NO_ARGUMENT);
	if (nr == __NR_setrlimit)
		emit_limit(p, 0, ANY_ARGUMENT);
	if (nr == __NR_prlimit64)
		emit_limit(p, 1, 2);
	if (set >= 0 && sb_fence_peer(nr) == SB_PEER_NONE)
		emit_when_set(p, nr, (unsigned)set);
	emit_jump_to_trap(p);
}

static unsigned verdict_of(unsigned nr)
{
	unsigned verdict = sb_verdict(nr);

	/* Each trapped number is alone, since its arguments may count. */
	return verdict == SB_TRAPPED || sb_verdict_is_of_profile(nr) ||
			       sb_fence_peer(nr) != SB_PEER_NONE
		       ? 0x10000 + nr
		       : verdict;
}

/* Emit a decision tree over runs of equal verdicts; its depth is log2 of their count. */
static void emit_tree(struct program *p, const unsigned *starts, unsigned count,
		      void (*leaf)(struct program *, unsigned))
{
	unsigned half = count / 2;
	unsigned jump;

	if (count == 1) {
		leaf(p, starts[0]);
		return;
	}
	emit(p, BPF_JMP | BPF_JGE | BPF_K, 0, 1, starts[half]);
	jump = p->out.len;
	emit(p, BPF_JMP | BPF_JA, 0, 0, 0);
	emit_tree(p, starts, half, leaf);
	if (!p->out.full)
		p->out.code[jump].k = p->out.len - jump - 1;
	emit_tree(p, starts + half, count - half, leaf);
}

/* From SB_REFUSED on a number stands alone: its arguments count, or the runtime makes it. */
static unsigned verdict32_of(unsigned nr)
{
	if (nr == SB_COMPAT_IOCTL || nr == SB_COMPAT_SETRLIMIT ||
	    (sb_compat_is_own(nr) && !sb_compat_is_native(nr)))
		return SB_REFUSED + nr;
	return sb_compat_is_native(nr) ? SB_NATIVE : SB_TRAPPED;
}

/* Refuse a 32-bit program's change of the mark. */
static void emit_limit32(struct program *p)
{
	if (!p->is_fenced) {
		emit(p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
		return;
	}
	emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, ARGUMENT(0));
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, SB_MARK_RESOURCE);
	emit(p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
	emit_refuse(p, EPERM);
}

static void emit_leaf32(struct program *p, unsigned nr)
{
	if (nr == SB_COMPAT_SETRLIMIT) {
		emit_limit32(p);
		return;
	}
	if (sb_compat_is_native(nr) && nr != SB_COMPAT_IOCTL) {
		emit(p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
		return;
	}
	if (nr == SB_COMPAT_IOCTL && p->is_fenced)
		sb_fence_emit(&p->out, __NR_ioctl, false);
	if (nr == SB_COMPAT_IOCTL)
		emit_ioctl(p);
	if (nr == SB_COMPAT_FCNTL || nr == SB_COMPAT_FCNTL64)
		emit_fcntl(p);
	if (nr == SB_COMPAT_CLONE && p->is_fenced)
		sb_fence_emit(&p->out, __NR_clone, false);
	if (!p->is_fenced || sb_compat_is_own(nr))
		emit_jump_to_trap(p);
	else
		emit(p, BPF_RET | BPF_K, 0, 0, p->action | SB_TRAP_MAGIC);
}

/* Emit the part for the calls of 32-bit programs. */
static void emit_32(struct program *p)
{
	unsigned starts[SB_COMPAT_KNOWN + 2];
	unsigned count = 0;

	emit(p, BPF_JMP | BPF_JEQ | BPF_K, p->has_32 ? 1 : 0, 0, SB_COMPAT_AUDIT);
	emit(p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | ENOSYS);
	if (!p->has_32)
		return;
	LOAD(p, nr);
	for (unsigned nr = 0; nr <= SB_COMPAT_KNOWN + 1; nr++) {
		if (nr == 0 || verdict32_of(nr) != verdict32_of(nr - 1))
			starts[count++] = nr;
	}
	emit_tree(p, starts, count, emit_leaf32);
}

static void build(struct program *p)
{
	unsigned starts[SB_NR_KNOWN + 2];
	unsigned count = 0;
	unsigned jump;

	LOAD(p, arch);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, SB_ARCH_AUDIT);
	jump = p->out.len;
	emit(p, BPF_JMP | BPF_JA, 0, 0, 0);
	LOAD(p, nr);
	for (unsigned nr = 0; nr <= SB_NR_KNOWN + 1; nr++) {
		if (nr == 0 || verdict_of(nr) != verdict_of(nr - 1))
			starts[count++] = nr;
	}
	emit_tree(p, starts, count, emit_leaf);
	if (!p->out.full)
		p->out.code[jump].k = p->out.len - jump - 1;
	emit_32(p);
	for (unsigned i = 0; i < p->trap_count && !p->out.full; i++)
		p->out.code[p->traps[i]].k = p->out.len - p->traps[i] - 1;
	emit_trap(p);
}

static unsigned action_for(enum sb_peers peers)
{
	switch (peers) {
	case SB_PEERS_REFUSED:
		return SECCOMP_RET_ERRNO | EPERM;
	case SB_PEERS_ASKED:
		return SECCOMP_RET_USER_NOTIF;
	case SB_PEERS_FREE:
	default:
		return SECCOMP_RET_ALLOW;
	}
}

int sb_filter_install(const struct sb_tree *tree, enum sb_peers peers)
{
	const struct sb_control *control = tree->control;
	const uint32_t flags = control->flags;
	static struct program program;
	struct sock_fprog prog;
	long ret;

	if (flags & SB_CONTROL_STEPS)
		return 0; /* the tracer sees every call */
	program.is_unconfined = (flags & SB_CONTROL_UNCONFINED) != 0;
	program.is_fenced = !(flags & SB_CONTROL_UNRULED);
	program.has_network = control->net_container != 0;
	program.is_alone = program.has_network && tree->net != NULL &&
			   sb_net_is_alone(tree->net, control->net_container);
	program.has_32 = SB_HAS_COMPAT && (flags & (SB_CONTROL_TRACED | SB_CONTROL_PROFILE)) == 0;
	program.has_limits = control->memory_max != 0 || sb_limits_cpus(control);
	program.knows_descriptors = sb_fds_are_known(control);
	program.has_ipc = control->ipc.len != 0;
	program.ipc_prefix = control->ipc_prefix << SB_IPC_SLOT_BITS;
	program.peers = program.is_fenced ? action_for(peers) : SECCOMP_RET_ALLOW;
	program.action = flags & SB_CONTROL_TRACED ? SECCOMP_RET_TRACE : SECCOMP_RET_TRAP;
	program.out.len = 0;
	program.trap_count = 0;
	build(&program);
	if (program.out.full)
		SB_BUG("seccomp filter too long");
	ret = sb_syscall6(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0);
	if (ret < 0)
		return (int)ret;
	prog.len = (unsigned short)program.out.len;
	prog.filter = program.out.code;
	ret = sb_syscall6(__NR_seccomp, SECCOMP_SET_MODE_FILTER,
			  program.peers == SECCOMP_RET_USER_NOTIF ? SECCOMP_FILTER_FLAG_NEW_LISTENER
								  : 0,
			  SB_P(&prog), 0, 0, 0);
	if (ret < 0 && program.peers == SECCOMP_RET_USER_NOTIF) /* another one listens */
		return sb_filter_install(tree, SB_PEERS_FREE);
	return (int)ret;
}
