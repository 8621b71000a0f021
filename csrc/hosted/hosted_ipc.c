/* SPDX-License-Identifier: MIT */
/*
 * hosted_ipc.c - the System V objects of a container, by their keys.
 *
 * How it works
 *   The kernel is asked for every object of the machine. The filter of a container lets it make no
 *   object without the prefix of its keys, and no other container has the same. So the key proves
 *   whose an object is, whatever the container has written into its table.
 * Rules
 *   Hosted build only. Only objects of the calling user are removed, and only those that this user
 *   made. An id is used once in a long time: between the look and the removal it stays the same
 *   object's.
 */
#include <errno.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>

#include "base/ipc_abi.h"
#include "base/sys.h"
#include "hosted/hosted.h"

struct kind {
	long call;
	int info;
	int stat;
};

static const struct kind kinds[] = {
	{__NR_shmctl, SHM_INFO, SHM_STAT},
	{__NR_semctl, SEM_INFO, SEM_STAT},
	{__NR_msgctl, MSG_INFO, MSG_STAT},
};

/* The kernel's structures begin with the same members, and none is longer than this. */
union status {
	struct {
		int32_t key;
		uint32_t uid;
		uint32_t gid;
		uint32_t cuid;
	};
	char room[256];
};

static long ask(const struct kind *kind, long id, long cmd, union status *status)
{
	const bool is_sem = kind->call == __NR_semctl;

	return sb_syscall(kind->call, id, is_sem ? 0 : cmd, is_sem ? cmd : SB_P(status),
			  SB_P(status), 0, 0);
}

static bool has_prefix(const union status *status, uint32_t prefix)
{
	return (uint32_t)status->key >> SB_IPC_SLOT_BITS == prefix;
}

static bool is_own(const union status *status)
{
	return status->uid == geteuid() && status->cuid == geteuid();
}

static int walk(uint32_t prefix, bool removes)
{
	int count = 0;

	for (size_t i = 0; i < SB_ARRAY_LEN(kinds); i++) {
		const struct kind *kind = &kinds[i];
		union status status;
		const long highest = ask(kind, 0, kind->info, &status);

		/* -ENOSYS: a kernel without these objects */
		for (long index = 0; index <= highest; index++) {
			const long id = ask(kind, index, kind->stat, &status);

			if (id < 0 || !has_prefix(&status, prefix))
				continue;
			if (!removes || (is_own(&status) && ask(kind, id, IPC_RMID, &status) == 0))
				count++;
		}
	}
	return count;
}

int sb_hosted_ipc_count(uint32_t prefix)
{
	return walk(prefix, false);
}

int sb_hosted_ipc_remove(uint32_t prefix)
{
	return walk(prefix, true);
}

int sb_hosted_ipc_make(const char *table)
{
	const int fd = (int)sys_openat(AT_FDCWD, table,
				       O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	long ret;

	if (fd < 0)
		return fd;
	ret = sys_ftruncate(fd, (int64_t)sizeof(struct sb_ipc_table));
	sys_close(fd);
	return (int)ret;
}
