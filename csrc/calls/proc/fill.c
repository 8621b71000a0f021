/* SPDX-License-Identifier: MIT */
/*
 * fill.c - write the content of a file of /proc, and read the kernel's line by line.
 */

#include <errno.h>

#include "base/filesize.h"
#include "calls/proc/internal.h"

#define OUTPUT_FLUSH 8192

long sb_proc_flush(struct sb_proc_fill *f)
{
	const long at = sys_lseek(f->fd, 0, SEEK_CUR);
	uint32_t done = 0;

	if (at < 0)
		return at;
	if (sb_is_above_file_limit((uint64_t)at + f->out.len))
		return -EFBIG;
	while (done < f->out.len) {
		const long ret = sys_write(f->fd, f->out.buf + done, f->out.len - done);

		if (ret < 0)
			return ret;
		done += (uint32_t)ret;
	}
	f->out.len = 0;
	return 0;
}

long sb_proc_flush_some(struct sb_proc_fill *f)
{
	return f->out.len > OUTPUT_FLUSH ? sb_proc_flush(f) : 0;
}

/* Hand each whole line of the input to line; returns how many bytes are left over. */
static long take_lines(struct sb_proc_fill *f, char *input, uint32_t have, sb_proc_liner *line)
{
	uint32_t start = 0;

	for (uint32_t i = 0; i < have; i++) {
		long ret;

		if (input[i] != '\n')
			continue;
		line(f, input + start, i + 1 - start);
		start = i + 1;
		ret = sb_proc_flush_some(f);
		if (ret < 0)
			return ret;
	}
	memmove(input, input + start, have - start);
	return have - start;
}

static long read_lines(struct sb_proc_fill *f, int source, sb_proc_liner *line)
{
	char *input = f->call->work->buffer;
	uint32_t have = 0;

	for (;;) {
		long ret = sys_read(source, input + have, SB_PROC_INPUT - have);

		if (ret < 0)
			return ret;
		if (ret == 0)
			break;
		ret = take_lines(f, input, have + (uint32_t)ret, line);
		if (ret < 0)
			return ret;
		have = (uint32_t)ret;
		if (have == SB_PROC_INPUT) /* /proc has no line this long */
			have = 0;
	}
	if (have > 0)
		line(f, input, have);
	return 0;
}

long sb_proc_read_whole(struct sb_proc_fill *f)
{
	const long source = sys_openat(AT_FDCWD, f->at->host.buf, O_RDONLY | O_CLOEXEC, 0);
	long len = source;

	if (source >= 0) {
		len = sys_read((int)source, f->call->work->buffer, SB_PROC_INPUT);
		sys_close((int)source);
	}
	return len;
}

long sb_proc_rewrite(struct sb_proc_fill *f, sb_proc_liner *line)
{
	const long source = sys_openat(AT_FDCWD, f->at->host.buf, O_RDONLY | O_CLOEXEC, 0);
	long ret;

	if (source < 0)
		return source;
	ret = read_lines(f, (int)source, line);
	sys_close((int)source);
	return ret;
}
