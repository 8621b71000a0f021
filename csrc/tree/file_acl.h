/* SPDX-License-Identifier: MIT */
/*
 * file_acl.h - POSIX access control lists of the tree's files.
 *
 * How it works
 *   A stat says what a file's access list grants to fs->ids (sb_stat.acl), so
 *   sb_file_acl_permit() needs the stat alone. A directory with a default list is never
 *   remembered (dircache.h): what is made in it gets its list.
 * Does not know
 *   What a mount's own file system does with lists: the kernel does it.
 */
#ifndef SB_FILE_ACL_H
#define SB_FILE_ACL_H

#include "tree/owner.h"
#include "tree/tree.h"

/* Fill st->acl from a node, or from the current record of a file. st has the mode and the group. */
void sb_file_acl_of_node(const struct sb_fs *fs, const struct sb_node *node, struct sb_stat *st);
void sb_file_acl_of_record(const struct sb_fs *fs, const struct sb_owner_key *key,
			   const struct sb_owner *record, struct sb_stat *st);

/* May fs->ids (with fs->real_ids: the real ones) do want with a file of this stat? 0 or -EACCES. */
int sb_file_acl_permit(const struct sb_fs *fs, const struct sb_stat *st,
		       unsigned want) SB_MUST_CHECK;

/* Read the default list of a directory of the upper or of a mount; its bytes are list->buf and
 * list->len. -ENODATA when it has none. */
int sb_file_acl_default(const struct sb_fs *fs, const char *host,
			struct sb_path *list) SB_MUST_CHECK;
/* The mode of a new file in a directory with that default list: the umask does not count. */
uint32_t sb_file_acl_mode(const struct sb_path *list, uint32_t mode);
/* Give the host file with this stat, which was just made, its lists. Uses work->buffer. */
int sb_file_acl_inherit(const struct sb_fs *fs, const struct statx *sx,
			const struct sb_path *list) SB_MUST_CHECK;

#endif
