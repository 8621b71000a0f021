/* SPDX-License-Identifier: MIT */
/*
 * filter_code.c - the instructions of a seccomp filter, and those of the fence.
 *
 * How it works
 *   The rows of fence.c become a load, a test and a refusal each. Sockets have more conditions than
 *   a row can say.
 */
#include "entry/filter_code.h"

#include <errno.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/sys.h"
#include "pure/fence.h"

#define TYPE_MASK 0xf /* of the type of a socket; the rest are flags */

void sb_filter_emit(struct sb_filter_code *p, unsigned code, unsigned jt, unsigned jf, unsigned k)
{
	if (p->len == SB_FILTER_MAX) {
		p->full = true;
		return;
	}
	p->code[p->len++] =
		(struct sock_filter){.code = (__u16)code, .jt = (__u8)jt, .jf = (__u8)jf, .k = k};
}

void sb_filter_load(struct sb_filter_code *p, unsigned offset)
{
	sb_filter_emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, offset);
}

void sb_filter_refuse(struct sb_filter_code *p, unsigned error)
{
	sb_filter_emit(p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | error);
}

static void refuse_if(struct sb_filter_code *p, unsigned jump, unsigned value, unsigned error)
{
	sb_filter_emit(p, BPF_JMP | jump | BPF_K, 0, 1, value);
	sb_filter_refuse(p, error);
}

static void refuse_unless(struct sb_filter_code *p, unsigned value, unsigned error)
{
	sb_filter_emit(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, value);
	sb_filter_refuse(p, error);
}

/* Without a network: streams of TCP, whose connections Landlock limits; names of files; the
 * stand-in for netlink sockets; and questions about sockets. */
static void emit_socket_alone(struct sb_filter_code *p)
{
	sb_filter_emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, AF_UNIX);
	sb_filter_emit(p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
	sb_filter_emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 5, AF_NETLINK);
	sb_filter_load(p, SB_FILTER_ARGUMENT(2));
	sb_filter_emit(p, BPF_JMP | BPF_JEQ | BPF_K, 2, 0, NETLINK_SOCK_DIAG); /* peer_user.c */
	refuse_unless(p, NETLINK_USERSOCK, EPROTONOSUPPORT);
	sb_filter_emit(p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
	sb_filter_emit(p, BPF_JMP | BPF_JEQ | BPF_K, 2, 0, AF_INET);
	refuse_unless(p, AF_INET6, EAFNOSUPPORT);
	sb_filter_load(p, SB_FILTER_ARGUMENT(1));
	sb_filter_emit(p, BPF_ALU | BPF_AND | BPF_K, 0, 0, TYPE_MASK);
	refuse_unless(p, SOCK_STREAM, EACCES);
	sb_filter_load(p, SB_FILTER_ARGUMENT(2));
	sb_filter_emit(p, BPF_JMP | BPF_JEQ | BPF_K, 2, 0, 0);
	refuse_unless(p, IPPROTO_TCP, EPROTONOSUPPORT);
}

/* Nobody needs these two families in a container; Docker refuses the first. */
static void emit_socket(struct sb_filter_code *p, bool alone)
{
	sb_filter_load(p, SB_FILTER_ARGUMENT(0));
	refuse_if(p, BPF_JEQ, AF_VSOCK, EAFNOSUPPORT);
	refuse_if(p, BPF_JEQ, AF_ALG, EAFNOSUPPORT);
	if (alone)
		emit_socket_alone(p);
}

bool sb_fence_has_rules(unsigned nr, bool alone)
{
	for (const struct sb_fence_rule *rule = sb_fence_rules; rule->error != 0; rule++) {
		if (rule->nr == nr && (alone || !rule->alone))
			return true;
	}
	return nr == __NR_socket;
}

void sb_fence_emit(struct sb_filter_code *p, unsigned nr, bool alone)
{
	for (const struct sb_fence_rule *rule = sb_fence_rules; rule->error != 0; rule++) {
		if (rule->nr != nr || (rule->alone && !alone))
			continue;
		if (rule->test == SB_FENCE_ANY) {
			sb_filter_refuse(p, rule->error);
			continue;
		}
		sb_filter_load(p, SB_FILTER_ARGUMENT(rule->argument));
		refuse_if(p, rule->test == SB_FENCE_BITS ? BPF_JSET : BPF_JEQ, rule->value,
			  rule->error);
	}
	if (nr == __NR_socket)
		emit_socket(p, alone);
}

enum sb_peer sb_fence_peer(unsigned nr)
{
	switch (nr) {
#define PEER(name, kind)  \
	case __NR_##name: \
		return SB_PEER_##kind;
#include "pure/peers.def"
#undef PEER
	default:
		return SB_PEER_NONE;
	}
}

/* The first argument says what the second names: a process, a group or a user. A group or a user
 * may have processes outside of the container. */
static void emit_priority(struct sb_filter_code *p, unsigned process, unsigned user,
			  unsigned action)
{
	sb_filter_load(p, SB_FILTER_ARGUMENT(0));
	refuse_if(p, BPF_JEQ, user, EPERM);
	sb_filter_load(p, SB_FILTER_ARGUMENT(1));
	sb_filter_emit(p, BPF_JMP | BPF_JEQ | BPF_K, 4, 0, 0);
	sb_filter_load(p, SB_FILTER_ARGUMENT(0));
	sb_filter_emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, process);
	sb_filter_emit(p, BPF_RET | BPF_K, 0, 0, action);
	sb_filter_refuse(p, EPERM);
}

void sb_fence_emit_peers(struct sb_filter_code *p, unsigned nr, unsigned action)
{
	const enum sb_peer kind = sb_fence_peer(nr);

	if (kind == SB_PEER_PRIORITY) {
		emit_priority(p, 0, 2, action); /* PRIO_PROCESS, PRIO_USER */
		return;
	}
	if (kind == SB_PEER_DISK) {
		emit_priority(p, 1, 3, action); /* IOPRIO_WHO_* */
		return;
	}
	if (kind == SB_PEER_LIMIT) { /* without a new limit it only asks */
		sb_filter_load(p, SB_FILTER_ARGUMENT(2));
		sb_filter_emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 2, 0);
		sb_filter_load(p, SB_FILTER_ARGUMENT(2) + 4);
		sb_filter_emit(p, BPF_JMP | BPF_JEQ | BPF_K, 3, 0, 0);
	}
	sb_filter_load(p, SB_FILTER_ARGUMENT(0));
	sb_filter_emit(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 0);
	sb_filter_emit(p, BPF_RET | BPF_K, 0, 0, action);
}
