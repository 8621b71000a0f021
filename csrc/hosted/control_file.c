/* SPDX-License-Identifier: MIT */
/*
 * control_file.c - the control file of a container, as the host side opens it.
 *
 * Hosted build only.
 */
#include "hosted/control_file.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/sys.h"

static int check(int fd)
{
	struct statx sx;
	int err = (int)sys_statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &sx);

	if (err < 0)
		return err;
	if ((sx.stx_mode & S_IFMT) != S_IFREG || sx.stx_uid != geteuid())
		return -EPERM;
	return sx.stx_size == sizeof(struct sb_control) ? 0 : -EINVAL;
}

int sb_control_map(const char *path, bool writable, struct sb_map *out)
{
	const int flags = (writable ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_CLOEXEC;
	const int prot = PROT_READ | (writable ? PROT_WRITE : 0);
	const int fd = (int)sys_open_named(path, flags, 0);
	long at = fd < 0 ? fd : check(fd);

	if (at == 0)
		at = sys_mmap(NULL, sizeof(struct sb_control), prot, MAP_SHARED, fd, 0);
	if (fd >= 0)
		sys_close(fd);
	if (at < 0 && at > -4096)
		return (int)at;
	out->at = (void *)at;
	out->size = sizeof(struct sb_control);
	return 0;
}

bool sb_control_is_valid(const struct sb_control *control)
{
	return memcmp(control->magic, "SBCTL", 6) == 0 && control->version == SB_ABI_VERSION;
}
