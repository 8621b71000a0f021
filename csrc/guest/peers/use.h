/* SPDX-License-Identifier: MIT */
/*
 * use.h - what the processes of the container use together.
 */
#ifndef SB_USE_H
#define SB_USE_H

#include "guest/guest.h"

struct sb_use {
	uint64_t anonymous; /* bytes of memory without a file */
	uint64_t shared;    /* the same of shared memory: the largest share of any one process */
	uint32_t tasks;     /* processes and threads */
};

/* Ask the kernel about each process. Opens descriptors, so it begins a commit section; uses the
 * first 12 KiB of work->buffer. */
void sb_use_measure(struct sb_call *call, struct sb_use *use);

#endif
