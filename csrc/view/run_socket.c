/* SPDX-License-Identifier: MIT */
/*
 * run_socket.c - the addresses of sockets in a container's run directory.
 */
#include "view/run_socket.h"

#include <sys/socket.h>

#include "base/mem.h"
#include "base/sys.h"
#include "tree/host_path.h"

int sb_run_address(const char *run, const char *name, struct sb_run_address *out)
{
	const long dir = sys_openat(AT_FDCWD, run, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	size_t len;

	if (dir < 0)
		return (int)dir;
	*out = (struct sb_run_address){.family = AF_UNIX};
	sb_fd_name((int)dir, out->path);
	len = strlen(out->path);
	out->path[len++] = '/';
	memcpy(out->path + len, name, SB_MIN(strlen(name), sizeof(out->path) - 1 - len));
	return (int)dir;
}
