/* SPDX-License-Identifier: MIT */
/*
 * seccomp_filter.h - the filter that sends system calls into the runtime.
 */
#ifndef SB_SECCOMP_FILTER_H
#define SB_SECCOMP_FILTER_H

#include "base/base.h"
#include "tree/tree.h"

/* Set no_new_privs and install the filter, once, in the first process of an entry; children and new
 * programs inherit it. The control file says who is told of a trapped call, the network's table
 * whether the container has a network. */
int sb_filter_install(const struct sb_tree *tree) SB_MUST_CHECK;

#endif
