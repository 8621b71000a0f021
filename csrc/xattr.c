/* SPDX-License-Identifier: MIT */
/*
 * xattr.c - packed extended attributes, and those of a host file as such.
 *
 * Rules
 *   Packed bytes never change: a change writes a whole new list into the owner
 *   table, and publishing the record that points at it is left to the caller.
 */
#include "xattr.h"

#include <errno.h>

#include "mem.h"
#include "upper.h"

#define HEAD 6 /* bytes of the two lengths */

bool sb_xattr_next(const char *packed, uint32_t len, uint32_t *pos, struct sb_xattr *out)
{
	uint16_t name_len;
	uint32_t value_len;

	if (*pos + HEAD > len)
		return false;
	memcpy(&name_len, packed + *pos, sizeof(name_len));
	memcpy(&value_len, packed + *pos + 2, sizeof(value_len));
	if (value_len > len || *pos + HEAD + name_len + value_len > len)
		return false;
	out->name = packed + *pos + HEAD;
	out->name_len = name_len;
	out->value = out->name + name_len;
	out->value_len = value_len;
	*pos += HEAD + name_len + value_len;
	return true;
}

bool sb_xattr_find(const char *packed, uint32_t len, const char *name, struct sb_xattr *out)
{
	size_t name_len = strlen(name);
	uint32_t pos = 0;

	while (sb_xattr_next(packed, len, &pos, out)) {
		if (sb_same(out->name, out->name_len, name, name_len))
			return true;
	}
	return false;
}

static char *append(char *to, const char *name, uint32_t name_len, const char *value,
		    uint32_t value_len)
{
	uint16_t short_len = (uint16_t)name_len;

	memcpy(to, &short_len, sizeof(short_len));
	memcpy(to + 2, &value_len, sizeof(value_len));
	memcpy(to + HEAD, name, name_len);
	if (value_len > 0)
		memcpy(to + HEAD + name_len, value, value_len);
	return to + HEAD + name_len + value_len;
}

int sb_xattr_rewrite(const struct sb_tree *tree, struct sb_owner *record, const char *packed,
		     uint32_t len, const char *name, const char *value, uint32_t value_len)
{
	uint32_t name_len = (uint32_t)strlen(name);
	struct sb_xattr one;
	uint32_t total = 0;
	uint32_t pos = 0;
	char *to = NULL;
	int err = 0;

	while (sb_xattr_next(packed, len, &pos, &one)) {
		if (!sb_same(one.name, one.name_len, name, name_len))
			total += HEAD + one.name_len + one.value_len;
	}
	if (value)
		total += HEAD + name_len + value_len;
	if (value && total > SB_XATTR_ROOM && total > len)
		return -ENOSPC;
	if (total > 0)
		err = sb_owner_alloc_blob(tree, total, &record->blob_off, &to);
	if (err < 0)
		return err;
	pos = 0;
	while (sb_xattr_next(packed, len, &pos, &one)) {
		if (!sb_same(one.name, one.name_len, name, name_len))
			to = append(to, one.name, one.name_len, one.value, one.value_len);
	}
	if (value)
		append(to, name, name_len, value, value_len);
	record->blob_len = total;
	record->flags |= SB_OWNER_XATTRS;
	return 0;
}

const char *sb_xattr_of(const struct sb_tree *tree, const struct sb_owner *record, uint32_t *len)
{
	*len = (record->flags & SB_OWNER_XATTRS) != 0 ? record->blob_len : 0;
	return *len > 0 ? sb_owner_blob(tree, record) : NULL;
}

int sb_xattr_forget(const struct sb_tree *tree, struct sb_owner *record, const char *name)
{
	struct sb_xattr one;
	uint32_t len;
	const char *packed = sb_xattr_of(tree, record, &len);

	if (!sb_xattr_find(packed, len, name, &one))
		return 0;
	return sb_xattr_rewrite(tree, record, packed, len, name, NULL, 0);
}

static long list(const char *host, char *buf, size_t len)
{
	return sb_syscall(__NR_llistxattr, SB_P(host), SB_P(buf), (long)len, 0, 0, 0);
}

static long get(const char *host, const char *name, char *buf, size_t len)
{
	return sb_syscall(__NR_lgetxattr, SB_P(host), SB_P(name), SB_P(buf), (long)len, 0, 0);
}

/* A label of the host's security module says nothing about the copy. */
static bool is_label(const char *name)
{
	return sb_same(name, strlen(name), "security.selinux", 16) ||
	       sb_same(name, strlen(name), "security.ima", 12) ||
	       sb_same(name, strlen(name), "security.evm", 12);
}

int sb_xattr_import(const struct sb_fs *fs, const char *host, struct sb_owner *record)
{
	char *names = fs->work->buffer + sizeof(fs->work->buffer) / 2;
	long count = list(host, names, sizeof(fs->work->buffer) / 2);
	uint32_t total = 0;
	char *to;
	int err;

	for (long at = 0; at < count; at += (long)strlen(names + at) + 1) {
		long len = is_label(names + at) ? -1 : get(host, names + at, NULL, 0);

		if (len >= 0)
			total += HEAD + (uint32_t)strlen(names + at) + (uint32_t)len;
	}
	if (total == 0)
		return 0;
	err = sb_owner_alloc_blob(fs->tree, total, &record->blob_off, &to);
	if (err < 0)
		return err;
	record->blob_len = 0;
	record->flags |= SB_OWNER_XATTRS;
	for (long at = 0; at < count; at += (long)strlen(names + at) + 1) {
		uint32_t name_len = (uint32_t)strlen(names + at);
		uint32_t used = record->blob_len + HEAD + name_len;
		long len;

		if (is_label(names + at) || used > total)
			continue;
		len = get(host, names + at, to + used, total - used);
		if (len < 0 || (len == 0 && total == used))
			continue;
		append(to + record->blob_len, names + at, name_len, NULL, 0);
		memcpy(to + record->blob_len + 2, &(uint32_t){(uint32_t)len}, sizeof(uint32_t));
		record->blob_len = used + (uint32_t)len;
	}
	return 0;
}
