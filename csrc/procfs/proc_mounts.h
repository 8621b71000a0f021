/* SPDX-License-Identifier: MIT */
/*
 * proc_mounts.h - the mount tables of /proc.
 */
#ifndef SB_PROC_MOUNTS_H
#define SB_PROC_MOUNTS_H

#include "procfs/proc_text.h"

#define SB_CGROUP_PLACE "/sys/fs/cgroup"

enum sb_proc_mounts {
	SB_PROC_MOUNTINFO,
	SB_PROC_MOUNTS,
	SB_PROC_MOUNTSTATS,
};
/* The number of the root's mount (index -1), or of mount number index. */
uint32_t sb_proc_mount_id(int index);
/* Append the row of the root (index -1) or of mount number index. Nothing for a mount that
 * guests do not see as one (a synthetic link), or that lies outside fs->root. */
void sb_proc_mount_row(const struct sb_fs *fs, enum sb_proc_mounts format, int index,
		       struct sb_proc_out *out);

#endif
