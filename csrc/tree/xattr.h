/* SPDX-License-Identifier: MIT */
/*
 * xattr.h - packed extended attributes, as struct sb_node and struct sb_owner hold them.
 *
 * The packing: u16 name length, u32 value length, name, value; no padding, in no order.
 */
#ifndef SB_XATTR_H
#define SB_XATTR_H

#include "tree/owner.h"

/* The limit of all attributes of a file together when one is added, as on ext4. */
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
/* A list of packed bytes in the making. */
struct sb_xattr_draft {
	char *bytes;
	uint32_t len;
	uint32_t room;
};
/* Make the draft of packed without name and, unless value is NULL, with name = value. */
int sb_xattr_rewrite(struct sb_xattr_draft *draft, const char *packed, uint32_t len,
		     const char *name, const char *value, uint32_t value_len) SB_MUST_CHECK;

/* Publish next with the attributes of the current record, changed in that way. Uses
 * work->buffer. */
int sb_xattr_put(const struct sb_fs *fs, const struct sb_owner_key *key,
		 const struct sb_owner *next, const char *name, const char *value,
		 uint32_t value_len) SB_MUST_CHECK;
/* Read all extended attributes of a host file into room of the owner table. The draft is all
 * zeros before. */
int sb_xattr_import(const struct sb_fs *fs, const char *host,
		    struct sb_xattr_draft *draft) SB_MUST_CHECK;

#endif
