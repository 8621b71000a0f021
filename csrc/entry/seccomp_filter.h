/* SPDX-License-Identifier: MIT */
/*
 * seccomp_filter.h - the filter that sends system calls into the runtime.
 */
#ifndef SB_SECCOMP_FILTER_H
#define SB_SECCOMP_FILTER_H

#include "base/abi.h"
#include "base/base.h"

/* Set no_new_privs and install the filter, once, in the first process of an entry; children and new
 * programs inherit it. The control file says who is told of a trapped call, and whether the
 * container has its own network. */
int sb_filter_install(const struct sb_control *control) SB_MUST_CHECK;

#endif
