/* SPDX-License-Identifier: MIT */
/*
 * stat.h - what the kernel says of a file of the host.
 */
#ifndef SB_STAT_H
#define SB_STAT_H

#include "base/sys.h"

/* What every statx(2) of the runtime asks for. */
#define SB_STATX_MASK (STATX_BASIC_STATS | STATX_BTIME)

/* A device number as struct stat holds it. */
static inline uint64_t sb_make_dev(uint32_t major, uint32_t minor)
{
	return (uint64_t)(minor & 0xff) | (uint64_t)(major & 0xfff) << 8 |
	       (uint64_t)(minor & ~0xffU) << 12 | (uint64_t)(major & ~0xfffU) << 32;
}

static inline struct sb_timespec sb_time_of(struct statx_timestamp time)
{
	return (struct sb_timespec){.sec = time.tv_sec, .nsec = time.tv_nsec};
}

/* 0 or -errno; a symlink is not followed. */
static inline int sb_host_stat(const char *host, struct statx *sx)
{
	return (int)sys_statx(AT_FDCWD, host, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, SB_STATX_MASK,
			      sx);
}

/* Give a file the times that it had when sx was asked for. */
static inline void sb_host_restore_times(const char *host, const struct statx *sx)
{
	const struct sb_timespec times[2] = {sb_time_of(sx->stx_atime), sb_time_of(sx->stx_mtime)};

	sys_utimensat(AT_FDCWD, host, times, AT_SYMLINK_NOFOLLOW);
}

#endif
