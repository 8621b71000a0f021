/* SPDX-License-Identifier: MIT */
/*
 * whiteout.h - the marks of the upper directory: whiteouts and opaque directories.
 */
#ifndef SB_WHITEOUT_H
#define SB_WHITEOUT_H

#include "tree/tree.h"

/* Is the entry name (relative to dirfd) of the upper a whiteout? */
bool sb_is_whiteout(const struct sb_tree *tree, int dirfd, const char *name);
/* Is the directory with this host path opaque? */
bool sb_is_opaque(const struct sb_fs *fs, const char *host_dir, uint32_t len);
/* Is this the name, or the symlink target, of a mark? A guest must not make one. */
bool sb_is_mark(const struct sb_tree *tree, const char *name, size_t len);

/* Make the whiteout at host. */
int sb_make_whiteout(const struct sb_tree *tree, const char *host) SB_MUST_CHECK;
/* Make the directory host opaque; its times stay. Uses work->host. */
int sb_make_opaque(const struct sb_fs *fs, const struct sb_path *host) SB_MUST_CHECK;

#endif
