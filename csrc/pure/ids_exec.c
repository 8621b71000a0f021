/* SPDX-License-Identifier: MIT */
/*
 * ids_exec.c - what execve(2) makes of ids and capabilities.
 *
 * How it works
 *   The rules are those of security/commoncap.c and fs/exec.c; the format of security.capability
 *   is that of linux/capability.h.
 * Rules
 *   Pure: no I/O, no globals, safe in a signal handler. A file's bytes are not trusted.
 */
#include "pure/ids_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>

#include "base/mem.h"

struct file_caps {
	uint64_t permitted;
	uint64_t inheritable;
	bool effective;
	bool present;
};

static uint32_t le32(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

/* Decode a security.capability value; a malformed one counts as none. */
static void read_file_caps(const unsigned char *bytes, uint32_t len, struct file_caps *out)
{
	uint32_t magic;
	uint32_t revision;

	memset(out, 0, sizeof(*out));
	if (bytes == NULL || len < 4)
		return;
	magic = le32(bytes);
	revision = magic & VFS_CAP_REVISION_MASK;
	if (revision == VFS_CAP_REVISION_1 && len == XATTR_CAPS_SZ_1) {
		out->permitted = le32(bytes + 4);
		out->inheritable = le32(bytes + 8);
	} else if ((revision == VFS_CAP_REVISION_2 && len == XATTR_CAPS_SZ_2) ||
		   (revision == VFS_CAP_REVISION_3 && len == XATTR_CAPS_SZ_3 &&
		    le32(bytes + 20) == 0)) {
		out->permitted = le32(bytes + 4) | (uint64_t)le32(bytes + 12) << 32;
		out->inheritable = le32(bytes + 8) | (uint64_t)le32(bytes + 16) << 32;
	} else {
		return;
	}
	out->permitted &= SB_CAP_FULL;
	out->inheritable &= SB_CAP_FULL;
	out->effective = (magic & VFS_CAP_FLAGS_EFFECTIVE) != 0;
	out->present = true;
}

/* P'(permitted) without the ambient set, and whether the effective bit is set. */
static uint64_t exec_permitted(const struct sb_ids *ids, const struct file_caps *file,
			       uint32_t euid, bool *effective)
{
	uint64_t permitted = 0;

	*effective = file->effective;
	if (file->present)
		permitted = (ids->cap_bounding & file->permitted) |
			    (ids->cap_inheritable & file->inheritable);
	if (sb_ids_is_secure(ids, SECURE_NOROOT))
		return permitted;
	/* A set-user-ID-root program with file capabilities gets only those. */
	if (file->present && euid == 0 && ids->ruid != 0)
		return permitted;
	if (euid == 0 || ids->ruid == 0)
		permitted = ids->cap_bounding | ids->cap_inheritable;
	if (euid == 0)
		*effective = true;
	return permitted;
}

int sb_ids_exec(struct sb_ids *ids, uint32_t mode, uint32_t uid, uint32_t gid,
		const unsigned char *file_caps, uint32_t file_caps_len, bool shares_fs)
{
	struct file_caps file;
	uint32_t euid = ids->euid;
	uint32_t egid = ids->egid;
	uint64_t permitted;
	bool effective;
	bool changed;
	bool grew;

	if (ids->no_new_privs == 0) {
		if (mode & S_ISUID)
			euid = uid;
		if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
			egid = gid;
	}
	read_file_caps(file_caps, file_caps_len, &file);
	if (file.effective &&
	    !sb_ids_is_subset(file.permitted, (ids->cap_bounding & file.permitted) |
						      (ids->cap_inheritable & file.inheritable)))
		return -EPERM;
	permitted = exec_permitted(ids, &file, euid, &effective);

	changed = euid != ids->euid || !sb_ids_in_group(ids, egid);
	if ((changed || !sb_ids_is_subset(permitted, ids->cap_permitted)) &&
	    (ids->no_new_privs != 0 || shares_fs)) {
		if (ids->no_new_privs != 0 || !sb_ids_has_cap(ids, SB_CAP_SETUID)) {
			euid = ids->ruid;
			egid = ids->rgid;
		}
		permitted &= ids->cap_permitted;
	}
	if (file.present || changed)
		ids->cap_ambient = 0;
	permitted |= ids->cap_ambient;
	grew = !sb_ids_is_subset(permitted, ids->cap_ambient);

	changed = changed || euid != ids->ruid || egid != ids->rgid ||
		  (ids->ruid != 0 && (effective || grew));
	ids->euid = ids->suid = ids->fsuid = euid;
	ids->egid = ids->sgid = ids->fsgid = egid;
	ids->cap_permitted = permitted;
	ids->cap_effective = effective ? permitted : ids->cap_ambient;
	ids->securebits &= ~(1u << SECURE_KEEP_CAPS);
	return changed ? 1 : 0;
}
