/* SPDX-License-Identifier: MIT */
/*
 * host_path.h - host paths of the tree's files, and the way back from a host path.
 */
#ifndef SB_HOST_PATH_H
#define SB_HOST_PATH_H

#include "tree/tree.h"

/* Host path that an entry of the upper at this guest path has or would have. */
int sb_tree_upper_path(const struct sb_fs *fs, const char *guest, size_t len,
		       struct sb_path *out) SB_MUST_CHECK;

/* Guest path of a host path, as /proc/self/fd/N or getcwd give it. -ENOENT when the host path
 * is not in the tree. " (deleted)" at the end is kept. The guest path begins at the container's
 * root, not at fs->root. */
int sb_tree_guest_path(const struct sb_fs *fs, const char *host, size_t len,
		       struct sb_path *out) SB_MUST_CHECK;

/* The launcher writes stand-ins, below the run directory, for files of the machine that the user
 * may not read. Is there one for this path, and where? */
bool sb_find_stand_in(const struct sb_tree *tree, const char *guest, struct sb_path *host,
		      struct statx *sx);

/* "/proc/self/fd/N". */
void sb_fd_name(int fd, char out[32]);
/* The host path of a descriptor's file. */
int sb_fd_path(int fd, struct sb_path *out) SB_MUST_CHECK;
/* Is the descriptor's file in the upper, or was it made for the upper? Uses work->host. */
bool sb_upper_owns_fd(const struct sb_fs *fs, int fd);

#endif
