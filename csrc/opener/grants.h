/* SPDX-License-Identifier: MIT */
/*
 * grants.h - the places of the machine that the fence grants to a container.
 *
 * How it works
 *   A container may read all that it shows: the layers, or the whole host for a live lower. It may
 *   write the upper, the work directory and the binds that are not read-only; of the run directory
 *   the shared file, the files laid over /etc, and what else give_run() names. It may write no
 *   name there: the host side believes what it finds in the run directory.
 */
#ifndef SB_GRANTS_H
#define SB_GRANTS_H

#include "tree/tree.h"

/* linux/landlock.h of the newest ABI known here; older kernels get a subset. */
#define SB_FS_EXECUTE (1ULL << 0)
#define SB_FS_WRITE_FILE (1ULL << 1)
#define SB_FS_READ_FILE (1ULL << 2)
#define SB_FS_READ_DIR (1ULL << 3)
#define SB_FS_MAKE_SYM (1ULL << 12)
#define SB_FS_REFER (1ULL << 13)
#define SB_FS_TRUNCATE (1ULL << 14)
#define SB_FS_IOCTL_DEV (1ULL << 15)
#define SB_FS_RESOLVE_UNIX (1ULL << 16) /* connect and send to a socket that has a path */
#define SB_FS_ABI_1 ((1ULL << 13) - 1)

#define SB_FS_READ (SB_FS_READ_FILE | SB_FS_READ_DIR)
#define SB_FS_FILE                                                                               \
	(SB_FS_EXECUTE | SB_FS_WRITE_FILE | SB_FS_READ_FILE | SB_FS_TRUNCATE | SB_FS_IOCTL_DEV | \
	 SB_FS_RESOLVE_UNIX)

struct sb_grant {
	const char *path;
	uint64_t access;
	/* The host side has resolved the path. What became a symlink since then may lead anywhere.
	 */
	bool is_resolved;
};

typedef int sb_grant_visit(void *data, const struct sb_grant *grant);

/* Call visit for each place; its first error is the result. handled: the kinds of access that the
 * kernel knows. */
int sb_grants_visit(const struct sb_tree *tree, uint64_t handled, sb_grant_visit *visit,
		    void *data) SB_MUST_CHECK;
/* Name the place with a descriptor (O_PATH). */
long sb_grant_open(const struct sb_grant *grant) SB_MUST_CHECK;

#endif
