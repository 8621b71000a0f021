/* SPDX-License-Identifier: MIT */
/*
 * peers.h - what a process may do to another one of the container.
 *
 * How it works
 *   For the kernel all processes of a container belong to one user. Their own credentials are in
 *   the process table, and the kernel's rules are applied to them here.
 * Rules
 *   The table is shared memory that every process of the container writes: this keeps users of one
 *   container apart that keep to the runtime, and is no fence.
 */
#ifndef SB_PEERS_H
#define SB_PEERS_H

#include "base/shared_abi.h"
#include "guest/guest.h"

/* Each takes the kernel's number of a process or thread of the container. True also for the
 * caller's own threads, and for a process that has ended or is about to start, about which the
 * kernel then decides. */

/* kill(2) and its like. */
bool sb_peer_may_signal(struct sb_call *call, uint32_t real, int sig);
/* The same by a slot of the process table. */
bool sb_peer_may_signal_slot(struct sb_call *call, const struct sb_proc_slot *slot, int sig);
/* ptrace(2), process_vm_writev(2), pidfd_getfd(2) and what else PTRACE_MODE_REALCREDS is for. */
bool sb_peer_may_trace(struct sb_call *call, uint32_t real);
/* The same with the file system ids: files of /proc/PID. */
bool sb_peer_may_look(struct sb_call *call, uint32_t real);
/* setpriority(2), sched_setaffinity(2). */
bool sb_peer_may_schedule(struct sb_call *call, uint32_t real);
/* ioprio_set(2). */
bool sb_peer_may_order_disk(struct sb_call *call, uint32_t real);
/* prlimit(2). */
bool sb_peer_may_limit(struct sb_call *call, uint32_t real);

#endif
