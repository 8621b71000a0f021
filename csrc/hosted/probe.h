/* SPDX-License-Identifier: MIT */
/*
 * probe.h - what this machine lets an unprivileged process do.
 *
 * Hosted build only. cffi reads this, too: abi.h says what that forbids.
 */
#ifndef SB_PROBE_H
#define SB_PROBE_H

#include <stdint.h>

/* Each is 0, or the errno of the attempt. */
struct sb_probe {
	int32_t filter;      /* a seccomp filter may be installed */
	int32_t trap;        /* a filter's SIGSYS arrives */
	int32_t ptrace;      /* a descendant may be traced */
	int32_t address;     /* the runtime's addresses are free */
	int32_t exec_memory; /* code may be written (rewritten call sites) */
	int32_t landlock;    /* newest ABI, or -errno */
};

/* The newest ABI of Landlock, or -errno. */
int sb_probe_landlock(void);
/* Try everything in children of the calling process. */
void sb_probe(struct sb_probe *probe);
/* Does the file system of this host path know when a file was made? 1, 0 or -errno. */
int sb_probe_birth_time(const char *path);

#endif
