/* SPDX-License-Identifier: MIT */
/*
 * mapped_file.c - map a whole file. Hosted build only.
 */
#include "layers/mapped_file.h"

#include <errno.h>
#include <sys/mman.h>

#include "base/sys.h"

int sb_map_file(const char *host, bool writable, struct sb_map *out)
{
	int fd = (int)sys_open_named(host, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC, 0);
	int prot = writable ? PROT_READ | PROT_WRITE : PROT_READ;
	int64_t size;
	long map;

	if (fd < 0)
		return fd;
	size = sys_lseek(fd, 0, SEEK_END);
	map = size > 0 ? sys_mmap(NULL, (size_t)size, prot, MAP_SHARED, fd, 0) : -EINVAL;
	sys_close(fd);
	if (map < 0 && map > -4096)
		return (int)map;
	out->at = (void *)map;
	out->size = (uint64_t)size;
	return 0;
}

void sb_unmap(struct sb_map *map)
{
	if (map->at != NULL)
		sys_munmap(map->at, map->size);
	map->at = NULL;
}
