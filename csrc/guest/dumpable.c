/* SPDX-License-Identifier: MIT */
/*
 * dumpable.c - what PR_GET_DUMPABLE says of a process whose ids changed.
 */
#include "guest/dumpable.h"

uint32_t sb_suid_dumpable(void)
{
	char text[4] = "";
	long fd = sys_openat(AT_FDCWD, "/proc/sys/fs/suid_dumpable", O_RDONLY | O_CLOEXEC, 0);
	long len = fd < 0 ? fd : sys_read((int)fd, text, sizeof(text) - 1);

	if (fd >= 0)
		sys_close((int)fd);
	return len > 0 && text[0] >= '0' && text[0] <= '2' ? (uint32_t)(text[0] - '0') : 0;
}
