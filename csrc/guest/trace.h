/* SPDX-License-Identifier: MIT */
/*
 * trace.h - one line per intercepted call, into <run>/trace (--trace).
 *
 * Level 3.
 */
#ifndef SB_TRACE_H
#define SB_TRACE_H

#include "guest/guest.h"

/* "<pid> <way> <ns> name(six arguments) = result "path" "path" > "host" "host"",
 * without what there is not. way: t trapped, r rewritten, p by the tracer; x a new
 * program, n "<pid> n 0 name: what was refused or is only pretended". */

/* Does each call leave a line, which names the files it found? */
static inline bool sb_trace_is_on(const struct sb_call *call)
{
	return (call->fs->tree->control->flags & SB_CONTROL_TRACE) != 0;
}

/* Before the call; returns the time. */
uint64_t sb_trace_begin(struct sb_call *call);
/* site: where it trapped, 0 for a rewritten site. */
void sb_trace_call(struct sb_call *call, long result, uint64_t site, uint64_t started);
/* The process has become this program. */
void sb_trace_exec(struct sb_call *call, const char *guest, const char *host);
void sb_trace_note(struct sb_call *call, const char *what);
/* A call of a 32-bit program that has no like among those of 64-bit ones. */
void sb_trace_refused(struct sb_call *call, const char *name, long result);

#endif
