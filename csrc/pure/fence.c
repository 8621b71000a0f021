/* SPDX-License-Identifier: MIT */
/*
 * fence.c - which arguments of a system call the kernel refuses, even to the runtime. Pure.
 */
#include "pure/fence.h"

#include <errno.h>
#include <linux/sched.h>

#include "base/sys.h"

#define SET_ID_BITS 06000
#define NAMESPACES                                                                                 \
	(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | \
	 CLONE_NEWCGROUP)
#define NEW_TIME 0x00000080 /* CLONE_NEWTIME; in clone(2) these bits are a signal */
#define FAST_OPEN 0x20000000 /* MSG_FASTOPEN: a connection without connect(2) */
#define PUT_INPUT 0x5412 /* TIOCSTI */
#define CONSOLE 0x541c /* TIOCLINUX: it can paste */

const struct sb_fence_rule sb_fence_rules[] = {
	{__NR_chmod, 1, SB_FENCE_BITS, SET_ID_BITS, EPERM, false},
	{__NR_fchmod, 1, SB_FENCE_BITS, SET_ID_BITS, EPERM, false},
	{__NR_fchmodat, 2, SB_FENCE_BITS, SET_ID_BITS, EPERM, false},
	{__NR_fchmodat2, 2, SB_FENCE_BITS, SET_ID_BITS, EPERM, false},
	{__NR_creat, 1, SB_FENCE_BITS, SET_ID_BITS, EPERM, false},
	{__NR_open, 2, SB_FENCE_BITS, SET_ID_BITS, EPERM, false},
	{__NR_openat, 3, SB_FENCE_BITS, SET_ID_BITS, EPERM, false},
	{__NR_mkdir, 1, SB_FENCE_BITS, SET_ID_BITS, EPERM, false},
	{__NR_mkdirat, 2, SB_FENCE_BITS, SET_ID_BITS, EPERM, false},
	{__NR_mknod, 1, SB_FENCE_BITS, SET_ID_BITS, EPERM, false},
	{__NR_mknodat, 2, SB_FENCE_BITS, SET_ID_BITS, EPERM, false},
	{__NR_unshare, 0, SB_FENCE_BITS, NAMESPACES | NEW_TIME, EPERM, false},
	{__NR_clone, 0, SB_FENCE_BITS, NAMESPACES, EPERM, false},
	{__NR_ioctl, 1, SB_FENCE_IS, PUT_INPUT, EPERM, false},
	{__NR_ioctl, 1, SB_FENCE_IS, CONSOLE, EPERM, false},
	{__NR_inotify_add_watch, 0, SB_FENCE_ANY, 0, EPERM, false}, /* the opener adds them */
	{__NR_sendto, 3, SB_FENCE_BITS, FAST_OPEN, EOPNOTSUPP, true},
	{__NR_sendmsg, 2, SB_FENCE_BITS, FAST_OPEN, EOPNOTSUPP, true},
	{__NR_sendmmsg, 3, SB_FENCE_BITS, FAST_OPEN, EOPNOTSUPP, true},
	{0, 0, 0, 0, 0, false},
};
