/* SPDX-License-Identifier: MIT */
/*
 * trace.c - the lines of --trace.
 *
 * A line costs five system calls. sandbox/trace reads the lines.
 */
#include "guest/trace.h"

#include <linux/time.h>

#include "guest/handlers.h"
#include "guest/thread.h"
#include "pure/log.h"

static const char *const names[] = {
#define ON(name) [__NR_##name] = #name,
#define REFUSE(name, error)
#include "syscalls.def"
#undef ON
#undef REFUSE
	/* of 32-bit programs only */
	[__NR_brk] = "brk",
	[__NR_rt_sigreturn] = "rt_sigreturn",
};

static void put_name(struct sb_line *line, uint64_t nr)
{
	if (nr < SB_ARRAY_LEN(names) && names[nr])
		sb_line_add(line, names[nr]);
	else
		sb_line_dec(line, (int64_t)nr);
}

static void line_end(struct sb_call *call, struct sb_line *line)
{
	const struct sb_control *control = call->fs->tree->control;
	struct sb_path *file = &call->work->host;

	sb_commit_begin(call->fs); /* a file is open from here on */
	if (sb_path_set(file, sb_text_at(control, control->run), control->run.len) < 0 ||
	    sb_path_join(file, "trace", 5) < 0)
		return;
	sb_line_append(line, file->buf);
}

static uint64_t now(void)
{
	struct sb_timespec time = {0, 0};

	sys_clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.sec * 1000000000ULL + (uint64_t)time.nsec;
}

uint64_t sb_trace_begin(struct sb_call *call)
{
	call->work->a.host.len = 0;
	call->work->b.host.len = 0;
	return now();
}

static char way_in(const struct sb_call *call, uint64_t site)
{
	if (!site)
		return 'r';
	return call->fs->tree->control->flags & SB_CONTROL_TRACED ? 'p' : 't';
}

static void start(struct sb_line *line, char way, uint64_t ns)
{
	const char text[4] = {' ', way, ' ', '\0'};

	sb_line_start(line);
	sb_line_dec(line, sys_getpid());
	sb_line_add(line, text);
	sb_line_dec(line, (int64_t)ns);
	sb_line_add(line, " ");
}

static void head(struct sb_call *call, struct sb_line *line, char way, uint64_t ns)
{
	start(line, way, ns);
	put_name(line, call->thread->number);
}

static void put_string(struct sb_line *line, const char *string)
{
	if (string[0] == '\0')
		return;
	sb_line_add(line, " ");
	sb_line_path(line, string);
}

/* Write the host paths, if the files have any. */
static void put_hosts(struct sb_line *line, const char *first, const char *second)
{
	if (first[0] == '\0' && second[0] == '\0')
		return;
	sb_line_add(line, " >");
	put_string(line, first);
	put_string(line, second);
}

static const char *host_of(struct sb_at *at)
{
	return at->host.len ? at->host.buf : "";
}

void sb_trace_call(struct sb_call *call, long result, uint64_t site, uint64_t started)
{
	struct sb_line line;

	head(call, &line, way_in(call, site), now() - started);
	for (unsigned i = 0; i < 6; i++) {
		sb_line_add(&line, i == 0 ? "(" : ",");
		sb_line_hex(&line, sb_arg(call, i));
	}
	sb_line_add(&line, ") = ");
	sb_line_result(&line, result);
	put_string(&line, call->path);
	put_string(&line, call->path2);
	put_hosts(&line, host_of(&call->work->a), host_of(&call->work->b));
	line_end(call, &line);
}

void sb_trace_exec(struct sb_call *call, const char *guest, const char *host)
{
	struct sb_line line;

	if (!sb_trace_is_on(call))
		return;
	call->thread->number = __NR_execve;
	head(call, &line, 'x', 0);
	sb_line_add(&line, "() = 0");
	put_string(&line, guest);
	put_hosts(&line, host, "");
	line_end(call, &line);
}

void sb_trace_note(struct sb_call *call, const char *what)
{
	struct sb_line line;

	if (!sb_trace_is_on(call))
		return;
	head(call, &line, 'n', 0);
	sb_line_add(&line, ": ");
	sb_line_add(&line, what);
	line_end(call, &line);
}

void sb_trace_refused(struct sb_call *call, const char *name, long result)
{
	struct sb_line line;

	if (!sb_trace_is_on(call))
		return;
	start(&line, 'n', 0);
	sb_line_add(&line, name);
	sb_line_add(&line, ": refused to a 32-bit program: ");
	sb_line_result(&line, result);
	line_end(call, &line);
}
