/* SPDX-License-Identifier: MIT */
/*
 * acl.c - POSIX access control lists: what they mean.
 */
#include "pure/acl.h"

#include <errno.h>

#include "base/mem.h"

#define HEAD 4
#define VERSION 2
#define SIZE 8

enum tag {
	OWNER = 0x01,
	USER = 0x02,
	GROUP_OF_FILE = 0x04,
	GROUP = 0x08,
	MASK = 0x10,
	OTHERS = 0x20,
};

struct entry {
	uint16_t tag;
	uint16_t perm;
	uint32_t id;
};

static struct entry entry_at(const char *value, size_t at)
{
	struct entry entry;

	memcpy(&entry, value + at, sizeof(entry));
	return entry;
}

int sb_acl_mode(const char *value, size_t len, uint32_t *bits, bool *minimal)
{
	uint32_t group = 0;
	uint32_t mask = 8;
	uint32_t head;

	*bits = 0;
	*minimal = true;
	if (len < HEAD)
		return -EINVAL;
	memcpy(&head, value, sizeof(head));
	if (head != VERSION)
		return -EOPNOTSUPP;
	if ((len - HEAD) % SIZE != 0)
		return -EINVAL;
	for (size_t at = HEAD; at < len; at += SIZE) {
		struct entry entry = entry_at(value, at);

		if (entry.perm > 7)
			return -EINVAL;
		switch (entry.tag) {
		case OWNER:
			*bits |= (uint32_t)entry.perm << 6;
			break;
		case GROUP_OF_FILE:
			group = entry.perm;
			break;
		case MASK:
			mask = entry.perm;
			*minimal = false;
			break;
		case OTHERS:
			*bits |= entry.perm;
			break;
		case USER:
		case GROUP:
			*minimal = false;
			break;
		default:
			return -EINVAL;
		}
	}
	*bits |= (mask == 8 ? group : mask) << 3;
	return 0;
}

static bool has_mask(const char *value, size_t len)
{
	for (size_t at = HEAD; at + SIZE <= len; at += SIZE) {
		if (entry_at(value, at).tag == MASK)
			return true;
	}
	return false;
}

void sb_acl_show(char *value, size_t len, uint32_t mode)
{
	uint16_t group = has_mask(value, len) ? MASK : GROUP_OF_FILE;

	for (size_t at = HEAD; at + SIZE <= len; at += SIZE) {
		struct entry entry = entry_at(value, at);

		if (entry.tag == OWNER)
			entry.perm = mode >> 6 & 7;
		else if (entry.tag == group)
			entry.perm = mode >> 3 & 7;
		else if (entry.tag == OTHERS)
			entry.perm = mode & 7;
		memcpy(value + at, &entry, sizeof(entry));
	}
}

/* ---- who may do what ------------------------------------------------------ */

struct asker {
	const struct sb_ids *ids;
	bool real;
	uint32_t gid; /* of the file */
};

static bool is_user(const struct asker *who, uint32_t uid)
{
	return uid == (who->real ? who->ids->ruid : who->ids->fsuid);
}

static bool is_member(const struct asker *who, const struct entry *entry)
{
	uint32_t gid = entry->tag == GROUP ? entry->id : who->gid;

	return who->real ? sb_ids_in_real_group(who->ids, gid) : sb_ids_in_group(who->ids, gid);
}

/* The kernel's posix_acl_permission() for ids that do not own the file. */
static bool allows(const char *value, size_t len, const struct asker *who, uint32_t mode,
		   unsigned want)
{
	bool masked = has_mask(value, len);
	unsigned mask = mode >> 3 & 7;
	bool member = false;

	for (size_t at = HEAD; at + SIZE <= len; at += SIZE) {
		struct entry entry = entry_at(value, at);

		if (entry.tag == USER && is_user(who, entry.id))
			return (entry.perm & mask & want) == want;
	}
	for (size_t at = HEAD; at + SIZE <= len; at += SIZE) {
		struct entry entry = entry_at(value, at);

		if ((entry.tag != GROUP_OF_FILE && entry.tag != GROUP) || !is_member(who, &entry))
			continue;
		if (!masked && entry.tag == GROUP_OF_FILE)
			return (mask & want) == want;
		member = true;
		if ((entry.perm & want) == want)
			return (mask & want) == want;
	}
	return !member && (mode & want) == want;
}

void sb_acl_judge(const char *value, size_t len, const struct sb_ids *ids, uint32_t mode,
		  uint32_t gid, struct sb_acl *acl)
{
	struct asker who = {.ids = ids, .gid = gid};

	if ((mode & 0070) == 0) /* then the kernel reads no list */
		return;
	acl->access = 1;
	for (unsigned want = 0; want < 8; want++) {
		who.real = false;
		if (allows(value, len, &who, mode, want))
			acl->may |= (uint8_t)(1U << want);
		who.real = true;
		if (allows(value, len, &who, mode, want))
			acl->may_real |= (uint8_t)(1U << want);
	}
}

int sb_acl_permit(const struct sb_acl *acl, const struct sb_ids *ids, bool real, uint32_t mode,
		  uint32_t uid, uint32_t gid, unsigned want)
{
	uint32_t asker = real ? ids->ruid : ids->fsuid;
	uint32_t bits = mode;

	if (acl->access != 0 && asker != uid) {
		if (((real ? acl->may_real : acl->may) >> (want & 7) & 1) != 0)
			return 0;
		bits = (mode & ~0777U) | ((mode & 0111) != 0 ? 0100 : 0); /* for capabilities */
	}
	return real ? sb_ids_permit_real(ids, bits, uid, gid, want)
		    : sb_ids_permit(ids, bits, uid, gid, want);
}
