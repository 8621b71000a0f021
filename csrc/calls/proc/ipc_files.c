/* SPDX-License-Identifier: MIT */
/*
 * ipc_files.c - /proc/sysvipc of a container with System V objects of its own.
 *
 * Does not know
 *   What the lines mean (proc_ipc.c).
 */
#include <errno.h>

#include "base/mem.h"
#include "calls/proc/internal.h"
#include "guest/ipc/ipc.h"
#include "procfs/proc_ipc.h"

static void put_line(struct sb_proc_fill *f, enum sb_ipc_kind kind, const char *line, size_t len)
{
	sb_proc_ipc_line(&f->call->proc->tree, kind, line, len, &f->out);
}

static void shm_line(struct sb_proc_fill *f, const char *line, size_t len)
{
	put_line(f, SB_IPC_SHM, line, len);
}

static void sem_line(struct sb_proc_fill *f, const char *line, size_t len)
{
	put_line(f, SB_IPC_SEM, line, len);
}

static void msg_line(struct sb_proc_fill *f, const char *line, size_t len)
{
	put_line(f, SB_IPC_MSG, line, len);
}

static long fill(struct sb_proc_fill *f, sb_proc_liner *line)
{
	return sb_ipc_get_table(f->call) == NULL ? -ENOMEM : sb_proc_rewrite(f, line);
}

static long fill_shm(struct sb_proc_fill *f)
{
	return fill(f, shm_line);
}

static long fill_sem(struct sb_proc_fill *f)
{
	return fill(f, sem_line);
}

static long fill_msg(struct sb_proc_fill *f)
{
	return fill(f, msg_line);
}

sb_proc_filler *sb_proc_ipc_filler(const struct sb_call *call, const char *name, size_t len)
{
	static const struct {
		const char *name;
		sb_proc_filler *fill;
	} files[] = {
		{"sysvipc/shm", fill_shm},
		{"sysvipc/sem", fill_sem},
		{"sysvipc/msg", fill_msg},
	};

	for (size_t i = 0; sb_ipc_is_own(call) && i < SB_ARRAY_LEN(files); i++)
		if (sb_same(files[i].name, strlen(files[i].name), name, len))
			return files[i].fill;
	return NULL;
}
