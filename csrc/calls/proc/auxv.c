/* SPDX-License-Identifier: MIT */
/*
 * auxv.c - /proc/PID/auxv: the auxiliary vector as the program got it.
 */
#include <errno.h>
#include <linux/auxvec.h>

#include "calls/proc/internal.h"

#define PAIRS 48      /* more than a vector has */
#define MISSING 4     /* how many types a 32-bit program may lack */
#define ROUNDS 4096   /* pieces of the stack: arguments and environment have at most 6 MiB */

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

/* Read the kernel's copy of the vector, which is that of the runtime's own start. Returns the
 * number of its pairs, with AT_NULL. */
static long read_types(struct sb_proc_fill *f, uint64_t pairs[2 * PAIRS])
{
	long fd = sys_openat(AT_FDCWD, f->at->host.buf, O_RDONLY | O_CLOEXEC, 0);
	long len = fd < 0 ? fd : sys_read((int)fd, pairs, 2 * PAIRS * 8);

	if (fd >= 0)
		sys_close((int)fd);
	for (long n = 0; n < len / 16; n++) {
		if (pairs[2 * n] == AT_NULL)
			return n + 1;
	}
	return len < 0 ? len : -EIO;
}

/* Do these words begin with the vector of these types? Returns its length in words, or 0. */
static unsigned match(const uint64_t *words, unsigned count, const uint64_t *pairs, long n)
{
	if (count < 2 * (unsigned long)n)
		return 0;
	for (long i = 0; i < n; i++) {
		if (words[2 * i] != pairs[2 * i])
			return 0;
	}
	return 2 * (unsigned)n;
}

/* The same for a 32-bit program: a type and a value in each word, and some types are missing. */
static unsigned match_32(const uint64_t *words, unsigned count, const uint64_t *pairs, long n)
{
	unsigned at = 0;
	unsigned missing = 0;

	for (long i = 0; i < n && at < count; i++) {
		if ((uint32_t)words[at] == pairs[2 * i])
			at++;
		else if (++missing > MISSING)
			return 0;
	}
	return at > 0 && words[at - 1] == AT_NULL && at + MISSING >= (unsigned long)n ? at : 0;
}

/* The runtime corrected the vector on the stack, behind the arguments and the environment. The
 * program may have changed the pointers to those, so the vector is found by its own types. */
long sb_proc_fill_auxv(struct sb_proc_fill *f)
{
	uint64_t *words = (uint64_t *)(void *)f->call->work->buffer;
	uint64_t pairs[2 * PAIRS];
	uint64_t from;
	long n;

	if (f->slot == NULL)
		return -EACCES;
	from = start_stack(f);
	n = read_types(f, pairs);
	if (from == 0 || n < 0)
		return -EACCES;
	for (unsigned rounds = 0; rounds < ROUNDS; rounds++) {
		const long got = read_memory(f->entry.pid, from, words, SB_PROC_INPUT);
		const unsigned count = got < 0 ? 0 : (unsigned)got / 8;

		for (unsigned i = 1; i < count; i++) {
			unsigned len = match(words + i, count - i, pairs, n);

			if (len == 0)
				len = match_32(words + i, count - i, pairs, n);
			if (len > 0) {
				sb_proc_put(&f->out, (const char *)&words[i], len * 8ULL);
				return 0;
			}
		}
		if (count <= 2 * PAIRS)
			return got < 0 ? got : -EIO;
		from += 8ULL * (count - 2 * PAIRS);
	}
	return -EIO;
}
