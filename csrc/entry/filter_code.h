/* SPDX-License-Identifier: MIT */
/*
 * filter_code.h - the instructions of a seccomp filter, and those of the fence.
 *
 * The filter as a whole is in seccomp_filter.c.
 */
#ifndef SB_FILTER_CODE_H
#define SB_FILTER_CODE_H

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "base/base.h"

#define SB_FILTER_MAX 2048

struct sb_filter_code {
	unsigned len;
	bool full;
	struct sock_filter code[SB_FILTER_MAX];
};

#define SB_FILTER_FIELD(field) ((unsigned)offsetof(struct seccomp_data, field))
#define SB_FILTER_ARGUMENT(n) (SB_FILTER_FIELD(args) + 8U * (n))

void sb_filter_emit(struct sb_filter_code *p, unsigned code, unsigned jt, unsigned jf, unsigned k);
void sb_filter_load(struct sb_filter_code *p, unsigned offset);
/* Let the call fail. */
void sb_filter_refuse(struct sb_filter_code *p, unsigned error);

/* A call that changes how another process runs. */
enum sb_peer {
	SB_PEER_NONE,
	SB_PEER_PLAIN,   /* the first argument is the process */
	SB_PEER_PRIORITY, /* the first says what the second names */
	SB_PEER_DISK,   /* the same, with numbers of its own */
	SB_PEER_LIMIT,   /* as PLAIN, if the third is not NULL */
};
enum sb_peer sb_fence_peer(unsigned nr);
/* Answer such a call about another process with the action; all processes of the user: EPERM. */
void sb_fence_emit_peers(struct sb_filter_code *p, unsigned nr, unsigned action);

/* Are arguments of this call refused? alone: in a container without a network. */
bool sb_fence_has_rules(unsigned nr, bool alone);
/* Refuse the call with such arguments; other calls go on behind these instructions. */
void sb_fence_emit(struct sb_filter_code *p, unsigned nr, bool alone);

#endif
