/* SPDX-License-Identifier: MIT */
/*
 * xattr.h - packed extended attributes, as sb_node and struct sb_owner hold them.
 *
 * Level 2. The packing: u16 name length, u32 value length, name, value; no
 * padding, in no order.
 */
#ifndef SB_XATTR_H
#define SB_XATTR_H

#include "owner.h"

/* What all attributes of a file may take when one is added: as on ext4. Each change writes the
 * list anew, so long ones would use up the table. */
#define SB_XATTR_ROOM 4096

/* One attribute inside packed bytes. */
struct sb_xattr {
	const char *name;
	const char *value;
	uint32_t name_len;
	uint32_t value_len;
};

/* The attribute at *pos (advanced past it); false at the end. */
bool sb_xattr_next(const char *packed, uint32_t len, uint32_t *pos, struct sb_xattr *out);
bool sb_xattr_find(const char *packed, uint32_t len, const char *name, struct sb_xattr *out);
/* The list of a record; NULL and 0 when it has none. */
const char *sb_xattr_of(const struct sb_tree *tree, const struct sb_owner *record, uint32_t *len);
/* The record's list becomes packed without name and, unless value is NULL,
 * with name = value. */
int sb_xattr_rewrite(const struct sb_tree *tree, struct sb_owner *record, const char *packed,
		     uint32_t len, const char *name, const char *value,
		     uint32_t value_len) SB_MUST_CHECK;
/* Take a name out of the record's attributes (0 also when it has none). */
int sb_xattr_forget(const struct sb_tree *tree, struct sb_owner *record,
		    const char *name) SB_MUST_CHECK;

#endif
