/* SPDX-License-Identifier: MIT */
/*
 * maps.c - what the kernel says about one address of this process.
 *
 * Newer kernels answer for one address by ioctl (PROCMAP_QUERY). Older ones print all mappings,
 * which are read line by line.
 */
#include "entry/maps.h"

#include <errno.h>

#include "base/mem.h"
#include "base/sys.h"
#include "pure/verdict.h"

#define QUERY_VMA_READABLE 1
#define QUERY_VMA_WRITABLE 2
#define QUERY_VMA_EXECUTABLE 4
#define QUERY_VMA_SHARED 8

struct query {
	uint64_t size;
	uint64_t query_flags;
	uint64_t query_addr;
	uint64_t vma_start;
	uint64_t vma_end;
	uint64_t vma_flags;
	uint64_t vma_page_size;
	uint64_t vma_offset;
	uint64_t inode;
	uint32_t dev_major;
	uint32_t dev_minor;
	uint32_t vma_name_size;
	uint32_t build_id_size;
	uint64_t vma_name_addr;
	uint64_t build_id_addr;
};

static int ask(int fd, uint64_t address, struct sb_mapping *out)
{
	struct query q = {.size = sizeof(q), .query_addr = address};
	long ret = sys_ioctl(fd, SB_IOCTL_PROCMAP_QUERY, SB_P(&q));

	if (ret < 0)
		return (int)ret;
	out->start = q.vma_start;
	out->end = q.vma_end;
	out->offset = q.vma_offset;
	out->inode = q.inode;
	out->is_private_text =
		q.inode != 0 && q.vma_flags == (QUERY_VMA_READABLE | QUERY_VMA_EXECUTABLE);
	return 0;
}

static const char *read_hex(const char *p, uint64_t *value)
{
	*value = 0;
	for (;; p++) {
		unsigned digit;

		if (*p >= '0' && *p <= '9')
			digit = (unsigned)(*p - '0');
		else if (*p >= 'a' && *p <= 'f')
			digit = (unsigned)(*p - 'a') + 10;
		else
			return p;
		*value = *value << 4 | digit;
	}
}

static const char *skip_field(const char *p)
{
	while (*p != ' ' && *p != '\n' && *p != '\0')
		p++;
	while (*p == ' ')
		p++;
	return p;
}

/* "start-end perms offset dev inode name" */
static void parse(const char *line, struct sb_mapping *out)
{
	const char *p = read_hex(line, &out->start);
	const char *perms;

	p = read_hex(p + (*p == '-'), &out->end);
	perms = p + (*p == ' ');
	p = read_hex(skip_field(perms), &out->offset);
	p = skip_field(skip_field(p));
	out->inode = 0;
	for (; *p >= '0' && *p <= '9'; p++)
		out->inode = out->inode * 10 + (uint64_t)(*p - '0');
	out->is_private_text = out->inode != 0 && memcmp(perms, "r-xp", 4) == 0;
}

static int scan(int fd, uint64_t address, char *buf, size_t size, struct sb_mapping *out)
{
	size_t have = 0;

	for (;;) {
		long ret = sys_read(fd, buf + have, size - 1 - have);
		char *line = buf;
		char *end = buf + have + (ret > 0 ? ret : 0);

		if (ret <= 0)
			return ret < 0 ? (int)ret : -ENOENT;
		*end = '\0';
		for (char *p = buf; p < end; p++) {
			if (*p != '\n')
				continue;
			parse(line, out);
			if (address >= out->start && address < out->end)
				return 0;
			line = p + 1;
		}
		have = (size_t)(end - line);
		memmove(buf, line, have);
		if (have >= size - 1)
			return -ENOENT;
	}
}

int sb_maps_find(uint64_t address, char *buf, size_t size, struct sb_mapping *out)
{
	long fd = sys_openat(AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);
	int ret;

	if (fd < 0)
		return (int)fd;
	ret = ask((int)fd, address, out);
	if (ret == -ENOTTY || ret == -EINVAL)
		ret = scan((int)fd, address, buf, size, out);
	sys_close((int)fd);
	return ret;
}
