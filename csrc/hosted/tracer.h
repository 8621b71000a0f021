/* SPDX-License-Identifier: MIT */
/*
 * tracer.h - the process that redirects system calls by ptrace.
 *
 * Hosted build only; the rules of abi.h hold, since cffi reads this as well.
 */
#ifndef SB_TRACER_H
#define SB_TRACER_H

#include <stdint.h>

/* Serve the container of this control file until the process is killed: the
 * calling process becomes the tracer. guest is the host path of sandbox-guest.
 * Writes one byte to ready when requests can be answered. -errno when it
 * cannot begin. */
int sb_tracer_serve(const char *control, const char *guest, int ready);

#endif
