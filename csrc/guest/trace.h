/* SPDX-License-Identifier: MIT */
/*
 * trace.h - one line per intercepted call, into <run>/trace (--trace).
 *
 * "<pid> <way> <ns> name(six arguments) = result "path" "path" > "host" "host"": what does not
 * exist is left out. way: t trapped, r rewritten, p by the tracer, x a new program. A note is
 * "<pid> n 0 name: what was refused, or only seems to be done".
 */
#ifndef SB_TRACE_H
#define SB_TRACE_H

#include "guest/guest.h"

/* Is --trace on? Then the line of a call names the files that it found. */
static inline bool sb_trace_is_on(const struct sb_call *call)
{
	return (call->fs->tree->control->flags & SB_CONTROL_TRACE) != 0;
}

/* Before the call; returns the time. */
uint64_t sb_trace_begin(struct sb_call *call);
/* site: where the call trapped; 0: its site is rewritten. */
void sb_trace_call(struct sb_call *call, long result, uint64_t site, uint64_t started);
/* The process runs this program now. */
void sb_trace_exec(struct sb_call *call, const char *guest, const char *host);
void sb_trace_note(struct sb_call *call, const char *what);
/* A 32-bit program made a call that 64-bit programs do not have. */
void sb_trace_refused(struct sb_call *call, const char *name, long result);

#endif
