/* SPDX-License-Identifier: MIT */
/*
 * opener_terminals.c - the opener's table of a container's terminals.
 */
#include "opener/opener_terminals.h"

#include <asm/ioctls.h>
#include <errno.h>

#include "base/mem.h"
#include "base/sys.h"
#include "tree/host_path.h"
#include "view/terminals.h"

#define MOST 512
#define MASTER_MAJOR 5
#define MASTER_MINOR 2
#define FLAGS (O_ACCMODE | O_NONBLOCK | O_APPEND | O_SYNC | O_ASYNC)

struct terminal {
	int fd;
	uint32_t number;
	int mode; /* O_RDWR, or what the first user could do */
};

static struct terminal terminals[MOST];
static size_t count;

static bool is_alive(const struct terminal *terminal)
{
	struct statx sx;

	return sys_statx(terminal->fd, "", AT_EMPTY_PATH, STATX_NLINK, &sx) == 0 &&
	       sx.stx_nlink != 0;
}

static void drop_ended(void)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (is_alive(&terminals[i]))
			terminals[kept++] = terminals[i];
		else
			sys_close(terminals[i].fd);
	}
	count = kept;
}

static struct terminal *find(uint32_t number)
{
	for (size_t i = 0; i < count; i++) {
		if (terminals[i].number == number)
			return &terminals[i];
	}
	return NULL;
}

static int keep(int fd, uint32_t number, int mode)
{
	struct terminal *known;

	drop_ended();
	known = find(number);
	if (known != NULL && mode == O_RDWR)
		known->mode = O_RDWR;
	if (known != NULL || count == MOST) {
		sys_close(fd);
		return known != NULL ? 0 : -ENOSPC;
	}
	terminals[count++] = (struct terminal){.fd = fd, .number = number, .mode = mode};
	return 0;
}

/* Write "/dev/pts/N". */
static void name_terminal(uint32_t number, char out[32])
{
	sb_fd_name((int)number, out); /* "/proc/self/fd/N" */
	memmove(out + 9, out + 14, strlen(out + 14) + 1);
	memcpy(out, "/dev/pts/", 9);
}

int sb_opener_add_terminal(int fd)
{
	const long flags = sb_syscall(__NR_fcntl, fd, F_GETFL, 0, 0, 0, 0);
	int mode = (int)flags & O_ACCMODE;
	uint32_t number;
	char name[32];
	struct statx sx;
	long named;

	if (flags < 0 || (flags & O_PATH) != 0 ||
	    sys_statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &sx) < 0 ||
	    (sx.stx_mode & S_IFMT) != S_IFCHR)
		return -ENOTTY;
	number = sx.stx_rdev_minor;
	sb_fd_name(fd, name);
	if (sx.stx_rdev_major == MASTER_MAJOR && sx.stx_rdev_minor == MASTER_MINOR) {
		if (sb_syscall(__NR_ioctl, fd, TIOCGPTN, SB_P(&number), 0, 0, 0) < 0)
			return -ENOTTY;
		name_terminal(number, name);
		mode = O_RDWR;
	} else if (sx.stx_rdev_major != SB_TERMINAL_MAJOR) {
		return -ENOTTY;
	}
	named = sys_openat(AT_FDCWD, name, O_PATH | O_CLOEXEC, 0);
	return named < 0 ? (int)named : keep((int)named, number, mode);
}

long sb_opener_open_terminal(uint32_t number, int flags)
{
	const struct terminal *terminal = find(number);
	char name[32];

	if (terminal == NULL || !is_alive(terminal))
		return -ENOENT;
	if (terminal->mode != O_RDWR && terminal->mode != (flags & O_ACCMODE))
		return -EACCES;
	sb_fd_name(terminal->fd, name);
	return sys_openat(AT_FDCWD, name, (flags & FLAGS) | O_NOCTTY | O_CLOEXEC, 0);
}

long sb_opener_next_terminal(uint32_t from)
{
	long lowest = -ENOENT;

	drop_ended();
	for (size_t i = 0; i < count; i++) {
		if (terminals[i].number >= from &&
		    (lowest < 0 || terminals[i].number < (uint32_t)lowest))
			lowest = (long)terminals[i].number;
	}
	return lowest;
}
