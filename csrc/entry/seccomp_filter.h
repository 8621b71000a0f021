/* SPDX-License-Identifier: MIT */
/*
 * seccomp_filter.h - the filter that sends system calls into the runtime.
 */
#ifndef SB_SECCOMP_FILTER_H
#define SB_SECCOMP_FILTER_H

#include "base/base.h"
#include "tree/tree.h"

/* A call that changes how another process runs (filter_code.h). */
enum sb_peers {
	SB_PEERS_FREE,
	SB_PEERS_REFUSED,
	SB_PEERS_ASKED, /* the keeper is asked: is it a process of the container? */
};

/* Set no_new_privs and install the filter, once, in the first process of an entry; children and new
 * programs inherit it. The control file says who is told of a trapped call, the network's table
 * whether the container has a network. Returns
 * the descriptor by which the keeper is asked, or 0. */
int sb_filter_install(const struct sb_tree *tree, enum sb_peers peers) SB_MUST_CHECK;

#endif
