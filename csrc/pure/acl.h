/* SPDX-License-Identifier: MIT */
/*
 * acl.h - POSIX access control lists, as the extended attributes that hold them.
 *
 * Level 1. Pure. A value is that of linux/posix_acl_xattr.h: a head of four bytes, then
 * entries of a tag, permissions and an id.
 * Rules
 *   The owner's entry, the mask (the group's where there is none) and the others' are the
 *   mode's bits: what a value says of them was true when it was set.
 */
#ifndef SB_ACL_H
#define SB_ACL_H

#include "pure/ids.h"

#define SB_ACL_ACCESS_NAME "system.posix_acl_access"
#define SB_ACL_DEFAULT_NAME "system.posix_acl_default"

/* What a file's lists mean for the one who asks: made with its stat. */
struct sb_acl {
	uint8_t access;   /* non-zero: an access list decides for who is not the owner */
	uint8_t defaults; /* non-zero: a directory with a default list */
	uint8_t may;   /* bit N: effective ids may do N, a mask of 4 read, 2 write, 1 execute */
	uint8_t may_real; /* the same for the real ids */
};

/* The mode bits a list means; minimal when it says nothing else.
 * -EINVAL when it is none. */
int sb_acl_mode(const char *value, size_t len, uint32_t *bits, bool *minimal) SB_MUST_CHECK;
/* Put the mode's bits into an access list. */
void sb_acl_show(char *value, size_t len, uint32_t mode);
/* Fill acl but for defaults, of an access list and a file with that mode and group. */
void sb_acl_judge(const char *value, size_t len, const struct sb_ids *ids, uint32_t mode,
		  uint32_t gid, struct sb_acl *acl);
/* sb_ids_permit(), or sb_ids_permit_real() where real, of a file that may have an access list. */
int sb_acl_permit(const struct sb_acl *acl, const struct sb_ids *ids, bool real, uint32_t mode,
		  uint32_t uid, uint32_t gid, unsigned want) SB_MUST_CHECK;

#endif
