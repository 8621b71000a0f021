/* SPDX-License-Identifier: MIT */
/*
 * file_acl.h - POSIX access control lists of the tree's files.
 *
 * Level 2.
 * How it works
 *   A stat says what a file's access list grants to fs->ids (sb_stat.acl), so whoever has
 *   a stat can ask sb_file_acl_permit(). A directory with a default list is never remembered
 *   (dircache.h): what is made in it gets its list.
 * Does not know
 *   What a mount's own file system does with lists: the kernel does it.
 */
#ifndef SB_LISTS_H
#define SB_LISTS_H

#include "tree/owner.h"
#include "tree/tree.h"

/* Fill st->acl, of a node or of the current record of a file whose mode and group st has. */
void sb_file_acl_of_node(const struct sb_fs *fs, const struct sb_node *node, struct sb_stat *st);
void sb_file_acl_of_record(const struct sb_fs *fs, const struct sb_owner_key *key,
			   const struct sb_owner *record, struct sb_stat *st);

/* May fs->ids (the real ones while fs->real_ids) do want to a file with this stat? 0 or -EACCES. */
int sb_file_acl_permit(const struct sb_fs *fs, const struct sb_stat *st,
		       unsigned want) SB_MUST_CHECK;

/* The default list of the directory of the upper or of a mount with this host path, in list->buf;
 * its length is list->len. -ENODATA when it has none. */
int sb_file_acl_default(const struct sb_fs *fs, const char *host,
			struct sb_path *list) SB_MUST_CHECK;
/* What a new file with that default list above it gets: its mode, without the umask. */
uint32_t sb_file_acl_mode(const struct sb_path *list, uint32_t mode);
/* The host file of this stat, just made, gets its lists. Uses work->buffer. */
int sb_file_acl_inherit(const struct sb_fs *fs, const struct statx *sx,
			const struct sb_path *list) SB_MUST_CHECK;

#endif
