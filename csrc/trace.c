/* SPDX-License-Identifier: MIT */
/*
 * trace.c - the lines of --trace.
 *
 * Level 3. Only reached when the container traces; costs three system calls a
 * line then.
 */
#include "trace.h"

#include "log.h"

static const char *const names[] = {
#define ON(name) [__NR_##name] = #name,
#define REFUSE(name, error)
#include "syscalls.def"
#undef ON
#undef REFUSE
};

static void line_start(struct sb_call *call, struct sb_line *line)
{
	uint64_t nr = call->regs->rax;

	sb_line_start(line);
	sb_line_dec(line, sys_getpid());
	sb_line_add(line, " ");
	if (nr < SB_ARRAY_LEN(names) && names[nr])
		sb_line_add(line, names[nr]);
	else
		sb_line_dec(line, (int64_t)nr);
}

static void line_end(struct sb_call *call, struct sb_line *line)
{
	const struct sb_control *control = call->fs->tree->control;
	struct sb_path *file = &call->work->p[5];

	if (sb_path_set(file, sb_text_at(control, control->run), control->run.len) < 0 ||
	    sb_path_join(file, "trace", 5) < 0)
		return;
	sb_line_append(line, file->buf);
}

void sb_trace_call(struct sb_call *call, long result)
{
	struct sb_line line;

	line_start(call, &line);
	sb_line_add(&line, "(");
	if (call->path[0])
		sb_line_path(&line, call->path);
	if (call->path2[0]) {
		sb_line_add(&line, ", ");
		sb_line_path(&line, call->path2);
	}
	sb_line_add(&line, ") = ");
	sb_line_result(&line, result);
	line_end(call, &line);
}

void sb_trace_note(struct sb_call *call, const char *what)
{
	struct sb_line line;

	if (!(call->fs->tree->control->flags & SB_CONTROL_TRACE))
		return;
	line_start(call, &line);
	sb_line_add(&line, ": ");
	sb_line_add(&line, what);
	line_end(call, &line);
}

void sb_guest_trace(struct sb_call *call, const char *what)
{
	sb_trace_note(call, what);
}
