/* SPDX-License-Identifier: MIT */
/*
 * acl.h - POSIX access control lists, as the extended attributes that hold them.
 *
 * A value has the format of linux/posix_acl_xattr.h: a head of four bytes, then entries of a tag,
 * permissions and an id.
 * Rules
 *   Pure. The mode's bits replace three entries of a value: the owner's, the others', and the mask
 *   (without a mask: the group's). What a value says of them was true when it was set.
 */
#ifndef SB_ACL_H
#define SB_ACL_H

#include "pure/ids.h"

#define SB_ACL_ACCESS_NAME "system.posix_acl_access"
#define SB_ACL_DEFAULT_NAME "system.posix_acl_default"

/* What the lists of a file grant to the ids that ask. It is made together with the file's stat. */
struct sb_acl {
	uint8_t access;   /* non-zero: an access list decides for ids other than the owner */
	uint8_t defaults; /* non-zero: the directory has a default list */
	uint8_t may; /* bit N: the effective ids may do N, a mask of 4 read, 2 write, 1 execute */
	uint8_t may_real; /* the same for the real ids */
};

/* The mode bits that a list means; minimal: it says nothing else. -EINVAL when the value is no
 * list. */
int sb_acl_mode(const char *value, size_t len, uint32_t *bits, bool *minimal) SB_MUST_CHECK;
/* Put the mode's bits into an access list. */
void sb_acl_show(char *value, size_t len, uint32_t mode);
/* Fill acl except for defaults, from an access list and the mode and group of its file. */
void sb_acl_judge(const char *value, size_t len, const struct sb_ids *ids, uint32_t mode,
		  uint32_t gid, struct sb_acl *acl);
/* sb_ids_permit(), or with real sb_ids_permit_real(), for a file that may have an access list. */
int sb_acl_permit(const struct sb_acl *acl, const struct sb_ids *ids, bool real, uint32_t mode,
		  uint32_t uid, uint32_t gid, unsigned want) SB_MUST_CHECK;

#endif
