/* SPDX-License-Identifier: MIT */
/*
 * proc.h - files of /proc whose content is made for the guest.
 *
 * Rules
 *   Uses work->buffer, work->host and what the tree functions use. Files of /proc are opened and
 *   searched with the kernel's own permission check only: the host owner of /proc/PID is not the
 *   guest's.
 */
#ifndef SB_CALLS_PROC_H
#define SB_CALLS_PROC_H

#include "guest/guest.h"

/* Open a file of /proc whose content is made: a sealed memfd, at position 0, read-only. -SB_EMAGIC:
 * at is no such file, or flags have O_PATH; open it natively. */
long sb_proc_open(struct sb_call *call, struct sb_at *at, int flags) SB_MUST_CHECK;

/* Is this host path that of a made file whose content changes with what the container uses? */
bool sb_proc_is_renewed(const struct sb_path *host);

#endif
