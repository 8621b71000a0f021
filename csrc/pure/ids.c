/* SPDX-License-Identifier: MIT */
/*
 * ids.c - the set*id state machines, capability sets and permission checks.
 *
 * How it works
 *   Each function follows the kernel's rule of the same name (kernel/sys.c, kernel/groups.c,
 *   security/commoncap.c, fs/namei.c, fs/attr.c) on struct sb_ids. It checks the new ids, then
 *   changes the capability sets as the change of user ids demands.
 * Rules
 *   Pure: no I/O, no globals, safe in a signal handler.
 * Does not know
 *   Processes, threads, files: callers pass mode and owner.
 */
#include "pure/ids.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>

#include "base/mem.h"

#define UNCHANGED UINT32_MAX

/* Capabilities that follow fsuid, CAP_FS_SET of linux/capability.h. */
#define FS_CAPS                                                                  \
	(1ULL << CAP_CHOWN | 1ULL << CAP_MKNOD | 1ULL << CAP_DAC_OVERRIDE |      \
	 1ULL << CAP_DAC_READ_SEARCH | 1ULL << CAP_FOWNER | 1ULL << CAP_FSETID | \
	 1ULL << CAP_MAC_OVERRIDE | 1ULL << CAP_LINUX_IMMUTABLE)

/* The bits and locks of capabilities(7). */
#define SECURE_BITS                                                                    \
	(1u << SECURE_NOROOT | 1u << SECURE_NO_SETUID_FIXUP | 1u << SECURE_KEEP_CAPS | \
	 1u << SECURE_NO_CAP_AMBIENT_RAISE)
#define SECURE_LOCKS (SECURE_BITS << 1)

void sb_ids_init(struct sb_ids *ids, uint32_t uid, uint32_t gid, const uint32_t *groups,
		 uint32_t count, uint64_t caps)
{
	memset(ids, 0, sizeof(*ids));
	ids->ruid = ids->euid = ids->suid = ids->fsuid = uid;
	ids->rgid = ids->egid = ids->sgid = ids->fsgid = gid;
	ids->cap_bounding = caps & SB_CAP_FULL;
	if (uid == 0)
		ids->cap_effective = ids->cap_permitted = ids->cap_bounding;
	ids->group_count = SB_MIN(count, (uint32_t)SB_MAX_GROUPS);
	for (uint32_t i = 0; i < ids->group_count; i++)
		ids->groups[i] = groups[i];
}

/* ---- user ids ----------------------------------------------------------- */

static bool has_root_id(const struct sb_ids *ids)
{
	return ids->ruid == 0 || ids->euid == 0 || ids->suid == 0;
}

/* cap_emulate_setxuid: "Effect of user ID changes on capabilities". */
static void fix_caps(struct sb_ids *next, const struct sb_ids *old)
{
	if (sb_ids_is_secure(old, SECURE_NO_SETUID_FIXUP))
		return;
	if (has_root_id(old) && !has_root_id(next)) {
		if (!sb_ids_is_secure(old, SECURE_KEEP_CAPS))
			next->cap_permitted = next->cap_effective = 0;
		next->cap_ambient = 0;
	}
	if (old->euid == 0 && next->euid != 0)
		next->cap_effective = 0;
	if (old->euid != 0 && next->euid == 0)
		next->cap_effective = next->cap_permitted;
}

/* Change the user ids, and the capability sets with them. */
static void take_uids(struct sb_ids *ids, uint32_t r, uint32_t e, uint32_t s)
{
	struct sb_ids old;

	memcpy(&old, ids, sizeof(old));
	ids->ruid = r;
	ids->euid = e;
	ids->suid = s;
	ids->fsuid = e;
	fix_caps(ids, &old);
}

static bool is_own_uid(const struct sb_ids *ids, uint32_t uid)
{
	return uid == ids->ruid || uid == ids->euid || uid == ids->suid;
}

static bool is_own_gid(const struct sb_ids *ids, uint32_t gid)
{
	return gid == ids->rgid || gid == ids->egid || gid == ids->sgid;
}

int sb_ids_setuid(struct sb_ids *ids, uint32_t uid)
{
	if (uid == UNCHANGED)
		return -EINVAL;
	if (sb_ids_has_cap(ids, SB_CAP_SETUID)) {
		take_uids(ids, uid, uid, uid);
		return 0;
	}
	if (uid != ids->ruid && uid != ids->suid)
		return -EPERM;
	take_uids(ids, ids->ruid, uid, ids->suid);
	return 0;
}

int sb_ids_setreuid(struct sb_ids *ids, uint32_t ruid, uint32_t euid)
{
	const bool may = sb_ids_has_cap(ids, SB_CAP_SETUID);
	uint32_t r = ids->ruid;
	uint32_t e = ids->euid;
	uint32_t s = ids->suid;

	if (ruid != UNCHANGED) {
		if (ruid != ids->ruid && ruid != ids->euid && !may)
			return -EPERM;
		r = ruid;
	}
	if (euid != UNCHANGED) {
		if (!is_own_uid(ids, euid) && !may)
			return -EPERM;
		e = euid;
	}
	if (ruid != UNCHANGED || (euid != UNCHANGED && euid != ids->ruid))
		s = e;
	take_uids(ids, r, e, s);
	return 0;
}

int sb_ids_setresuid(struct sb_ids *ids, uint32_t r, uint32_t e, uint32_t s)
{
	const bool may = sb_ids_has_cap(ids, SB_CAP_SETUID);

	/* A call that changes nothing leaves even a different fsuid alone. */
	if ((r == UNCHANGED || r == ids->ruid) && (s == UNCHANGED || s == ids->suid) &&
	    (e == UNCHANGED || (e == ids->euid && e == ids->fsuid)))
		return 0;
	if (!may &&
	    ((r != UNCHANGED && !is_own_uid(ids, r)) || (e != UNCHANGED && !is_own_uid(ids, e)) ||
	     (s != UNCHANGED && !is_own_uid(ids, s))))
		return -EPERM;
	take_uids(ids, r == UNCHANGED ? ids->ruid : r, e == UNCHANGED ? ids->euid : e,
		  s == UNCHANGED ? ids->suid : s);
	return 0;
}

uint32_t sb_ids_setfsuid(struct sb_ids *ids, uint32_t uid)
{
	const uint32_t old = ids->fsuid;

	if (uid == UNCHANGED || uid == old)
		return old;
	if (!is_own_uid(ids, uid) && !sb_ids_has_cap(ids, SB_CAP_SETUID))
		return old;
	ids->fsuid = uid;
	if (sb_ids_is_secure(ids, SECURE_NO_SETUID_FIXUP))
		return old;
	if (old == 0)
		ids->cap_effective &= ~FS_CAPS;
	if (uid == 0)
		ids->cap_effective |= FS_CAPS & ids->cap_permitted;
	return old;
}

/* ---- group ids ---------------------------------------------------------- */

int sb_ids_setgid(struct sb_ids *ids, uint32_t gid)
{
	if (gid == UNCHANGED)
		return -EINVAL;
	if (sb_ids_has_cap(ids, SB_CAP_SETGID))
		ids->rgid = ids->sgid = gid;
	else if (gid != ids->rgid && gid != ids->sgid)
		return -EPERM;
	ids->egid = ids->fsgid = gid;
	return 0;
}

int sb_ids_setregid(struct sb_ids *ids, uint32_t rgid, uint32_t egid)
{
	const bool may = sb_ids_has_cap(ids, SB_CAP_SETGID);
	uint32_t r = ids->rgid;
	uint32_t e = ids->egid;

	if (rgid != UNCHANGED) {
		if (rgid != ids->rgid && rgid != ids->egid && !may)
			return -EPERM;
		r = rgid;
	}
	if (egid != UNCHANGED) {
		if (!is_own_gid(ids, egid) && !may)
			return -EPERM;
		e = egid;
	}
	if (rgid != UNCHANGED || (egid != UNCHANGED && egid != ids->rgid))
		ids->sgid = e;
	ids->rgid = r;
	ids->egid = ids->fsgid = e;
	return 0;
}

int sb_ids_setresgid(struct sb_ids *ids, uint32_t r, uint32_t e, uint32_t s)
{
	const bool may = sb_ids_has_cap(ids, SB_CAP_SETGID);

	if ((r == UNCHANGED || r == ids->rgid) && (s == UNCHANGED || s == ids->sgid) &&
	    (e == UNCHANGED || (e == ids->egid && e == ids->fsgid)))
		return 0;
	if (!may &&
	    ((r != UNCHANGED && !is_own_gid(ids, r)) || (e != UNCHANGED && !is_own_gid(ids, e)) ||
	     (s != UNCHANGED && !is_own_gid(ids, s))))
		return -EPERM;
	if (r != UNCHANGED)
		ids->rgid = r;
	if (e != UNCHANGED)
		ids->egid = e;
	if (s != UNCHANGED)
		ids->sgid = s;
	ids->fsgid = ids->egid;
	return 0;
}

uint32_t sb_ids_setfsgid(struct sb_ids *ids, uint32_t gid)
{
	const uint32_t old = ids->fsgid;

	if (gid == UNCHANGED)
		return old;
	if (is_own_gid(ids, gid) || sb_ids_has_cap(ids, SB_CAP_SETGID))
		ids->fsgid = gid;
	return old;
}

int sb_ids_setgroups(struct sb_ids *ids, const uint32_t *groups, uint32_t count)
{
	if (!sb_ids_has_cap(ids, SB_CAP_SETGID))
		return -EPERM;
	if (count > SB_MAX_GROUPS)
		return -EINVAL;
	for (uint32_t i = 0; i < count; i++)
		if (groups[i] == UNCHANGED)
			return -EINVAL;
	/* The kernel keeps the list sorted and getgroups(2) shows it so. */
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t gid = groups[i];
		uint32_t at = i;

		for (; at > 0 && ids->groups[at - 1] > gid; at--)
			ids->groups[at] = ids->groups[at - 1];
		ids->groups[at] = gid;
	}
	ids->group_count = count;
	ids->many_groups = 0;
	return 0;
}

/* Let the entry at sink in the heap of count entries. */
static void sift(uint32_t *groups, uint32_t at, uint32_t count)
{
	const uint32_t gid = groups[at];

	for (uint32_t child = 2 * at + 1; child < count; child = 2 * at + 1) {
		if (child + 1 < count && groups[child + 1] > groups[child])
			child++;
		if (groups[child] <= gid)
			break;
		groups[at] = groups[child];
		at = child;
	}
	groups[at] = gid;
}

static void sort(uint32_t *groups, uint32_t count)
{
	for (uint32_t at = count / 2; at-- > 0;)
		sift(groups, at, count);
	while (count > 1) {
		const uint32_t last = groups[--count];

		groups[count] = groups[0];
		groups[0] = last;
		sift(groups, 0, count);
	}
}

int sb_ids_set_many_groups(struct sb_ids *ids, uint32_t *groups, uint32_t count)
{
	if (!sb_ids_has_cap(ids, SB_CAP_SETGID))
		return -EPERM;
	for (uint32_t i = 0; i < count; i++)
		if (groups[i] == UNCHANGED)
			return -EINVAL;
	sort(groups, count);
	ids->many_groups = (uintptr_t)groups;
	ids->group_count = count;
	return 0;
}

const uint32_t *sb_ids_groups(const struct sb_ids *ids, uint32_t *count)
{
	*count = ids->group_count;
	if (ids->many_groups != 0)
		return (const uint32_t *)(uintptr_t)ids->many_groups;
	*count = SB_MIN(*count, (uint32_t)SB_MAX_GROUPS);
	return ids->groups;
}

static bool in_list(const struct sb_ids *ids, uint32_t gid)
{
	uint32_t count;
	const uint32_t *groups = sb_ids_groups(ids, &count);

	while (count > SB_MAX_GROUPS) { /* sorted: halve a long list */
		const uint32_t half = count / 2;

		if (groups[half] <= gid) {
			groups += half;
			count -= half;
		} else {
			count = half;
		}
	}
	for (uint32_t i = 0; i < count; i++)
		if (groups[i] == gid)
			return true;
	return false;
}

bool sb_ids_in_group(const struct sb_ids *ids, uint32_t gid)
{
	return gid == ids->fsgid || in_list(ids, gid);
}

bool sb_ids_in_real_group(const struct sb_ids *ids, uint32_t gid)
{
	return gid == ids->rgid || in_list(ids, gid);
}

/* ---- capabilities ------------------------------------------------------- */

int sb_ids_capset(struct sb_ids *ids, uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	effective &= SB_CAP_FULL;
	permitted &= SB_CAP_FULL;
	inheritable &= SB_CAP_FULL;
	if (!sb_ids_has_cap(ids, SB_CAP_SETPCAP) &&
	    !sb_ids_is_subset(inheritable, ids->cap_inheritable | ids->cap_permitted))
		return -EPERM;
	if (!sb_ids_is_subset(inheritable, ids->cap_inheritable | ids->cap_bounding) ||
	    !sb_ids_is_subset(permitted, ids->cap_permitted) ||
	    !sb_ids_is_subset(effective, permitted))
		return -EPERM;
	ids->cap_effective = effective;
	ids->cap_permitted = permitted;
	ids->cap_inheritable = inheritable;
	ids->cap_ambient &= permitted & inheritable;
	return 0;
}

int sb_ids_drop_bounding(struct sb_ids *ids, uint64_t cap)
{
	if (!sb_ids_has_cap(ids, SB_CAP_SETPCAP))
		return -EPERM;
	if (cap > SB_CAP_LAST)
		return -EINVAL;
	ids->cap_bounding &= ~(1ULL << cap);
	return 0;
}

int sb_ids_raise_ambient(struct sb_ids *ids, uint64_t cap)
{
	if (cap > SB_CAP_LAST)
		return -EINVAL;
	if ((ids->cap_permitted & ids->cap_inheritable & 1ULL << cap) == 0 ||
	    sb_ids_is_secure(ids, SECURE_NO_CAP_AMBIENT_RAISE))
		return -EPERM;
	ids->cap_ambient |= 1ULL << cap;
	return 0;
}

int sb_ids_lower_ambient(struct sb_ids *ids, uint64_t cap)
{
	if (cap > SB_CAP_LAST)
		return -EINVAL;
	ids->cap_ambient &= ~(1ULL << cap);
	return 0;
}

int sb_ids_keep_caps(struct sb_ids *ids, uint64_t keep)
{
	if (keep > 1)
		return -EINVAL;
	if (sb_ids_is_secure(ids, SECURE_KEEP_CAPS_LOCKED))
		return -EPERM;
	ids->securebits &= ~(1u << SECURE_KEEP_CAPS);
	ids->securebits |= (uint32_t)keep << SECURE_KEEP_CAPS;
	return 0;
}

int sb_ids_set_securebits(struct sb_ids *ids, uint64_t bits)
{
	const uint32_t locked = ids->securebits & SECURE_LOCKS;

	if ((bits & ~(uint64_t)(SECURE_BITS | SECURE_LOCKS)) != 0 ||
	    (locked & ~(uint32_t)bits) != 0 ||
	    ((locked >> 1) & (ids->securebits ^ (uint32_t)bits)) != 0 ||
	    !sb_ids_has_cap(ids, SB_CAP_SETPCAP))
		return -EPERM;
	ids->securebits = (uint32_t)bits;
	return 0;
}

/* ---- permission checks -------------------------------------------------- */

/* generic_permission(): the mode bits of the one class that applies, then the DAC capabilities
 * in caps. */
static int permit(const struct sb_ids *ids, uint32_t fsuid, uint32_t fsgid, uint64_t caps,
		  uint32_t mode, uint32_t uid, uint32_t gid, unsigned want)
{
	const bool override = (caps >> SB_CAP_DAC_OVERRIDE & 1) != 0;
	const bool search = (caps >> SB_CAP_DAC_READ_SEARCH & 1) != 0;
	unsigned bits = mode;

	if (fsuid == uid)
		bits >>= 6;
	else if (fsgid == gid || in_list(ids, gid))
		bits >>= 3;
	if ((want & ~bits & 7) == 0)
		return 0;
	if ((mode & S_IFMT) == S_IFDIR) {
		if (override || (search && (want & 2) == 0))
			return 0;
		return -EACCES;
	}
	if (search && want == 4)
		return 0;
	if (override && ((want & 1) == 0 || (mode & 0111) != 0))
		return 0;
	return -EACCES;
}

int sb_ids_permit(const struct sb_ids *ids, uint32_t mode, uint32_t uid, uint32_t gid,
		  unsigned want)
{
	return permit(ids, ids->fsuid, ids->fsgid, ids->cap_effective, mode, uid, gid, want);
}

int sb_ids_permit_real(const struct sb_ids *ids, uint32_t mode, uint32_t uid, uint32_t gid,
		       unsigned want)
{
	uint64_t caps = ids->cap_effective;

	if (!sb_ids_is_secure(ids, SECURE_NO_SETUID_FIXUP))
		caps = ids->ruid == 0 ? ids->cap_permitted : 0;
	return permit(ids, ids->ruid, ids->rgid, caps, mode, uid, gid, want);
}

bool sb_ids_owns(const struct sb_ids *ids, uint32_t uid)
{
	return ids->fsuid == uid || sb_ids_has_cap(ids, SB_CAP_FOWNER);
}

bool sb_ids_looks_changed(const struct sb_ids *old, const struct sb_ids *new)
{
	return old->euid != new->euid || old->egid != new->egid || old->fsuid != new->fsuid ||
	       old->fsgid != new->fsgid ||
	       !sb_ids_is_subset(new->cap_permitted, old->cap_permitted);
}

int sb_ids_may_chown(const struct sb_ids *ids, uint32_t uid, uint32_t gid, uint32_t new_uid,
		     uint32_t new_gid)
{
	const bool owner = ids->fsuid == uid;

	if (sb_ids_has_cap(ids, SB_CAP_CHOWN))
		return 0;
	if (new_uid != UNCHANGED && !(owner && new_uid == uid))
		return -EPERM;
	if (new_gid != UNCHANGED && !(owner && (new_gid == gid || sb_ids_in_group(ids, new_gid))))
		return -EPERM;
	return 0;
}

int sb_ids_may_delete(const struct sb_ids *ids, uint32_t dir_mode, uint32_t dir_uid,
		      uint32_t file_uid)
{
	if ((dir_mode & S_ISVTX) == 0 || ids->fsuid == file_uid || ids->fsuid == dir_uid ||
	    sb_ids_has_cap(ids, SB_CAP_FOWNER))
		return 0;
	return -EPERM;
}
