/* SPDX-License-Identifier: MIT */
/*
 * proc.h - files of /proc whose content is made for the guest.
 *
 * Level 3. open(2) of a present entry of /proc: sb_proc_open() first, natively on -SB_EMAGIC.
 * Rules
 *   Uses work->buffer, work->host and what the tree functions use.
 *   /proc files are opened and searched with the kernel's own permission check
 *   only: the host owner of /proc/PID is not the guest's.
 */
#ifndef SB_CALLS_PROC_H
#define SB_CALLS_PROC_H

#include "guest/guest.h"

/* Open a file of /proc whose content is made here: a sealed memfd, at position
 * 0, read-only. -SB_EMAGIC when at is none of these: open it natively. Not for
 * O_PATH (answers -SB_EMAGIC). */
long sb_proc_open(struct sb_call *call, struct sb_at *at, int flags) SB_MUST_CHECK;

#endif
