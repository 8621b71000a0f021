/* SPDX-License-Identifier: MIT */
/*
 * terminals.c - the terminals of a container: ask its opener.
 */
#include "view/terminals.h"

#include <asm/ioctls.h>
#include <errno.h>

#include "view/opener.h"

int sb_terminal_add(const struct sb_fs *fs, int fd)
{
	const struct sb_opener_request request = {.verb = SB_TERMINAL_ADD};
	const long ret = sb_opener_ask(fs, &request, fd, -1);

	return ret < 0 ? (int)ret : 0;
}

bool sb_terminal_is_own(const struct sb_fs *fs, uint32_t number)
{
	const struct sb_opener_request request = {.verb = SB_TERMINAL_NEXT, .number = number};

	return sb_opener_ask(fs, &request, -1, -1) == (long)number;
}

long sb_terminal_open(const struct sb_fs *fs, uint32_t number, int flags)
{
	const struct sb_opener_request request = {
		.verb = SB_TERMINAL_OPEN,
		.number = number,
		.flags = (uint32_t)flags,
	};
	const long fd = sb_opener_open(fs, &request, -1);

	if (fd >= 0 && (flags & O_NOCTTY) == 0) /* the kernel decides, as in open(2) */
		sb_syscall(__NR_ioctl, fd, TIOCSCTTY, 0, 0, 0, 0);
	return fd;
}

bool sb_terminal_number(const char *name, size_t len, uint32_t *out)
{
	*out = 0;
	if (len == 0 || len > 9 || (name[0] == '0' && len > 1))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (name[i] < '0' || name[i] > '9')
			return false;
		*out = *out * 10 + (uint32_t)(name[i] - '0');
	}
	return true;
}
