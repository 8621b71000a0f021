/* SPDX-License-Identifier: MIT */
/*
 * tracer.h - the process that redirects system calls by ptrace.
 *
 * Hosted build only. cffi reads this, too: abi.h says what that forbids.
 */
#ifndef SB_TRACER_H
#define SB_TRACER_H

#include <stdint.h>

/* Make the calling process the tracer of the container of this control file, until it is
 * killed. guest is the host path of sandbox-guest, mark that of the container's processes. Writes
 * one byte to ready when requests can be answered. -errno when it cannot begin. */
int sb_tracer_serve(const char *control, const char *guest, uint64_t mark, int ready);

#endif
