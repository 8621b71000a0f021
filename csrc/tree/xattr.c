/* SPDX-License-Identifier: MIT */
/*
 * xattr.c - packed extended attributes, and those of a host file.
 *
 * Rules
 *   A change makes a whole new list; the caller publishes a record with it. Packed bytes in the
 *   owner table may change while they are read: so no length is read twice, and the reader asks
 *   afterwards whether the bytes were whole (sb_owner_is_current).
 */
#include "tree/xattr.h"

#include <errno.h>

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

static void put_head(char *to, uint32_t name_len, uint32_t value_len)
{
	uint16_t short_len = (uint16_t)name_len;

	memcpy(to, &short_len, sizeof(short_len));
	memcpy(to + 2, &value_len, sizeof(value_len));
}

static int append(struct sb_xattr_draft *draft, const struct sb_xattr *one)
{
	char *to = draft->bytes + draft->len;
	uint32_t size = HEAD + one->name_len + one->value_len;

	if (size > draft->room - draft->len)
		return -ENOSPC;
	put_head(to, one->name_len, one->value_len);
	memcpy(to + HEAD, one->name, one->name_len);
	if (one->value_len > 0)
		memcpy(to + HEAD + one->name_len, one->value, one->value_len);
	draft->len += size;
	return 0;
}

int sb_xattr_rewrite(struct sb_xattr_draft *draft, const char *packed, uint32_t len,
		     const char *name, const char *value, uint32_t value_len)
{
	const struct sb_xattr new = {name, value, (uint32_t)strlen(name), value_len};
	struct sb_xattr one;
	uint32_t pos = 0;
	int err = 0;

	draft->len = 0;
	while (err == 0 && sb_xattr_next(packed, len, &pos, &one)) {
		if (!sb_same(one.name, one.name_len, name, new.name_len))
			err = append(draft, &one);
	}
	if (err == 0 && value)
		err = append(draft, &new);
	if (err == 0 && value && draft->len > SB_XATTR_ROOM && draft->len > len)
		err = -ENOSPC;
	return err;
}

int sb_xattr_put(const struct sb_fs *fs, const struct sb_owner_key *key,
		 const struct sb_owner *next, const char *name, const char *value,
		 uint32_t value_len)
{
	struct sb_xattr_draft draft = {.bytes = fs->work->buffer, .room = sizeof(fs->work->buffer)};
	struct sb_owner record = *next;
	struct sb_owner now;
	uint32_t len = 0;
	int err;

	record.flags |= SB_OWNER_XATTRS;
	do {
		const char *packed = NULL;

		len = 0;
		if (sb_owner_find(fs->tree, key, &now))
			packed = sb_owner_blob(fs->tree, &now, &len);
		err = sb_xattr_rewrite(&draft, packed, packed ? len : 0, name, value, value_len);
	} while (len > 0 && !sb_owner_is_current(fs->tree, key, &now));
	return err < 0 ? err : sb_owner_put_list(fs->tree, key, &record, draft.bytes, draft.len);
}

static long list(const char *host, char *buf, size_t len)
{
	return sys_llistxattr(host, buf, len);
}

static long get(const char *host, const char *name, char *buf, size_t len)
{
	return sys_lgetxattr(host, name, buf, len);
}

/* Is it a label of the host's security module? It means nothing for the copy. */
static bool is_label(const char *name)
{
	return sb_same(name, strlen(name), "security.selinux", 16) ||
	       sb_same(name, strlen(name), "security.ima", 12) ||
	       sb_same(name, strlen(name), "security.evm", 12);
}

int sb_xattr_import(const struct sb_fs *fs, const char *host, struct sb_xattr_draft *draft)
{
	char *names = fs->work->buffer + sizeof(fs->work->buffer) / 2;
	long count = list(host, names, sizeof(fs->work->buffer) / 2);
	uint32_t total = 0;
	uint32_t off;
	int err;

	for (long at = 0; at < count; at += (long)strlen(names + at) + 1) {
		long len = is_label(names + at) ? -1 : get(host, names + at, NULL, 0);

		if (len >= 0)
			total += HEAD + (uint32_t)strlen(names + at) + (uint32_t)len;
	}
	if (total == 0)
		return 0;
	err = sb_owner_alloc_blob(fs->tree, total, &off, &draft->bytes);
	if (err < 0)
		return err;
	for (long at = 0; at < count; at += (long)strlen(names + at) + 1) {
		uint32_t name_len = (uint32_t)strlen(names + at);
		uint32_t used = draft->len + HEAD + name_len;
		long len;

		if (is_label(names + at) || used > total)
			continue;
		len = get(host, names + at, draft->bytes + used, total - used);
		if (len < 0 || (len == 0 && total == used))
			continue;
		put_head(draft->bytes + draft->len, name_len, (uint32_t)len);
		memcpy(draft->bytes + draft->len + HEAD, names + at, name_len);
		draft->len = used + (uint32_t)len;
	}
	return 0;
}
