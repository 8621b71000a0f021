/* SPDX-License-Identifier: MIT */
/*
 * status.c - what the kernel says of a task in /proc/TID/status, and of a pidfd in its fdinfo.
 */
#include "guest/peers/status.h"

#include "base/mem.h"
#include "procfs/proc_text.h"

static long read_file(const char *before, uint32_t number, const char *behind, char *text,
		      size_t size)
{
	char path[48];
	struct sb_proc_out out = {.buf = path, .max = sizeof(path) - 1};
	long fd;
	long len;

	sb_proc_put_text(&out, before);
	sb_proc_put_number(&out, number, 10, 1);
	sb_proc_put_text(&out, behind);
	path[out.len] = '\0';
	fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	len = sys_read((int)fd, text, size);
	sys_close((int)fd);
	return len;
}

long sb_task_status_read(uint32_t tid, char *text, size_t size)
{
	return read_file("/proc/", tid, "/status", text, size); /* it exists for every thread */
}

long sb_task_fdinfo_read(int fd, char *text, size_t size)
{
	return read_file("/proc/self/fdinfo/", (uint32_t)fd, "", text, size);
}

static unsigned digit_of(char c)
{
	return (unsigned char)c - (c <= '9' ? (unsigned)'0' : (unsigned)'a' - 10U);
}

uint64_t sb_task_status_number(const char *text, long len, const char *key, unsigned base)
{
	const long skip = (long)strlen(key);
	uint64_t value = 0;

	for (long i = 0; i + skip < len; i++) {
		if (memcmp(text + i, key, (size_t)skip) != 0)
			continue;
		for (i += skip; i < len && (text[i] == ' ' || text[i] == '\t');)
			i++;
		for (; i < len && digit_of(text[i]) < base; i++)
			value = value * base + digit_of(text[i]);
		return value;
	}
	return 0;
}
