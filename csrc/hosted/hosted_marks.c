/* SPDX-License-Identifier: MIT */
/*
 * hosted_marks.c - the processes of a container, by a mark that they cannot drop.
 *
 * How it works
 *   The mark is the hard limit SB_MARK_RESOURCE. Children inherit it, the kernel lets nobody
 *   without privileges raise it, and the filter of a container refuses to change it. So the
 *   kernel says which processes belong to a container, whatever they write into shared memory.
 * Rules
 *   Hosted build only. A signal goes to a descriptor of the process (pidfd) whose mark was read
 *   after that was opened, so never to another process that has the pid meanwhile.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "base/dirent.h"
#include "base/mark.h"
#include "base/sys.h"
#include "hosted/hosted.h"

#define LISTED 32768

struct limits {
	uint64_t soft;
	uint64_t hard;
};

int sb_hosted_take_mark(uint64_t mark)
{
	struct limits limits = {0, 0};
	int err = (int)sb_syscall(__NR_prlimit64, 0, SB_MARK_RESOURCE, 0, SB_P(&limits), 0, 0);

	if (err < 0)
		return err;
	limits.soft = SB_MIN(limits.soft, mark);
	limits.hard = mark;
	return (int)sb_syscall(__NR_prlimit64, 0, SB_MARK_RESOURCE, SB_P(&limits), 0, 0, 0);
}

int sb_hosted_mark_of(uint32_t pid, uint64_t *mark)
{
	return sb_mark_of(pid, mark);
}

static bool has_mark(uint32_t pid, uint64_t mark)
{
	uint64_t found;

	return sb_mark_of(pid, &found) == 0 && found == mark;
}

/* Return the pid that a name in /proc stands for, or 0. */
static uint32_t pid_of(const char *name)
{
	uint32_t pid = 0;

	for (; *name >= '0' && *name <= '9' && pid < UINT32_MAX / 10 - 9; name++)
		pid = pid * 10 + (uint32_t)(*name - '0');
	return *name == '\0' ? pid : 0;
}

int sb_hosted_marked(uint64_t mark, uint32_t *pids, uint32_t room)
{
	const int fd = (int)sys_openat(AT_FDCWD, "/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	char *buffer = malloc(LISTED);
	uint32_t count = 0;
	long len = fd < 0 ? fd : -ENOMEM;

	while (fd >= 0 && buffer != NULL) {
		len = sb_syscall(__NR_getdents64, fd, SB_P(buffer), LISTED, 0, 0, 0);
		if (len <= 0)
			break;
		for (long at = 0; at < len;) {
			const struct sb_dirent *entry =
				(const struct sb_dirent *)(const void *)(buffer + at);
			const uint32_t pid = pid_of(entry->name);

			at += entry->reclen;
			if (pid == 0 || !has_mark(pid, mark))
				continue;
			if (count < room)
				pids[count] = pid;
			count++;
		}
	}
	free(buffer);
	if (fd >= 0)
		sys_close(fd);
	return len < 0 ? (int)len : (int)count;
}

int sb_hosted_signal_marked(uint32_t pid, uint64_t mark, int number)
{
	const int fd = (int)sb_syscall(__NR_pidfd_open, (long)pid, 0, 0, 0, 0, 0);
	int err = fd;

	/* Before Linux 5.3 a pid must do. It may belong to another process by now, as with kill(1).
	 */
	if (fd == -ENOSYS)
		return has_mark(pid, mark) ? (int)sys_kill((int)pid, number) : -ESRCH;
	if (fd >= 0) {
		err = -ESRCH;
		if (has_mark(pid, mark))
			err = (int)sb_syscall(__NR_pidfd_send_signal, fd, number, 0, 0, 0, 0);
		sys_close(fd);
	}
	return err;
}
