/* SPDX-License-Identifier: MIT */
/*
 * auxv.c - /proc/PID/auxv: the auxiliary vector as the program got it.
 */
#include <errno.h>
#include <linux/auxvec.h>

#include "calls/proc/internal.h"

#define LONGEST 8192 /* how many bytes of a vector are read */

struct vector {
	uint64_t base;
	uint64_t len;
};

static long read_memory(uint32_t pid, uint64_t from, void *to, size_t len)
{
	const struct vector local = {(uint64_t)(uintptr_t)to, len};
	const struct vector remote = {from, len};

	return sb_syscall(__NR_process_vm_readv, pid, SB_P(&local), 1, SB_P(&remote), 1, 0);
}

/* Read field 28 of /proc/PID/stat: the stack pointer with which the program started. */
static uint64_t start_stack(struct sb_proc_fill *f)
{
	struct sb_path *path = &f->call->work->host;
	char *text = f->call->work->buffer;
	uint64_t value = 0;
	unsigned field = 2;
	long at;
	long fd;
	long len;

	if (sb_path_set(path, f->at->host.buf, f->at->host.len) < 0)
		return 0;
	sb_path_pop(path);
	if (sb_path_join(path, "stat", 4) < 0)
		return 0;
	fd = sys_openat(AT_FDCWD, path->buf, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return 0;
	len = sys_read((int)fd, text, SB_PROC_INPUT);
	sys_close((int)fd);
	for (at = len - 1; at >= 0 && text[at] != ')'; at--)
		;
	if (at < 0)
		return 0;
	for (at++; at < len && field < 28; at++)
		field += text[at] == ' ';
	for (; at < len && text[at] >= '0' && text[at] <= '9'; at++)
		value = value * 10 + (uint64_t)(text[at] - '0');
	return value;
}

/* The runtime corrected the vector on the stack, while the kernel's copy is that of the runtime's
 * own start. Above the start of the stack lie argc, the arguments, 0, the environment, 0 and the
 * vector. A 32-bit program's has a type and a value in each word (compat_start.c). */
long sb_proc_fill_auxv(struct sb_proc_fill *f)
{
	uint64_t *words = (uint64_t *)(void *)f->call->work->buffer;
	const unsigned count = SB_PROC_INPUT / 8;
	uint64_t from;
	unsigned zeros = 0;
	bool first = true;
	bool key = true;
	bool is_pairs = false;

	if (f->slot == NULL)
		return -EACCES;
	from = start_stack(f);
	if (from == 0)
		return -EACCES;
	for (;;) {
		const long got = read_memory(f->entry.pid, from, words, count * 8);

		if (got < 8)
			return got < 0 ? got : -EIO;
		for (unsigned i = first ? 1 : 0; i < (unsigned)got / 8; i++) {
			if (zeros < 2) {
				zeros += words[i] == 0;
				continue;
			}
			if (f->out.len == 0)
				is_pairs = words[i] >> 32 != 0;
			sb_proc_put(&f->out, (const char *)&words[i], 8);
			if (zeros == 3 || (is_pairs && words[i] == AT_NULL))
				return 0;
			if (key && !is_pairs && words[i] == AT_NULL)
				zeros = 3;
			key = !key;
		}
		first = false;
		from += (uint64_t)got & ~7ULL;
		if (f->out.len > LONGEST)
			return -EIO;
	}
}
