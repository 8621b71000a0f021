/* SPDX-License-Identifier: MIT */
/*
 * ids.h - the credentials a guest thread believes it has (struct sb_ids).
 *
 * Level 1. Pure: one struct in, one struct out; no I/O. The rules are those
 * of credentials(7), capabilities(7) and the man page of each call; a call
 * that the kernel would refuse returns -EPERM or -EINVAL and changes nothing.
 * An id argument of UINT32_MAX (-1) means "leave unchanged" where the man
 * page says so.
 */
#ifndef SB_IDS_H
#define SB_IDS_H

#include "base/abi.h"
#include "base/base.h"

/* linux/capability.h numbers used by name */
#define SB_CAP_CHOWN 0
#define SB_CAP_DAC_OVERRIDE 1
#define SB_CAP_DAC_READ_SEARCH 2
#define SB_CAP_FOWNER 3
#define SB_CAP_FSETID 4
#define SB_CAP_SETGID 6
#define SB_CAP_SETUID 7
#define SB_CAP_SETPCAP 8
#define SB_CAP_NET_RAW 13
#define SB_CAP_SYS_CHROOT 18
#define SB_CAP_SYS_ADMIN 21
#define SB_CAP_MKNOD 27
#define SB_CAP_SETFCAP 31
#define SB_CAP_LAST 40
#define SB_CAP_FULL ((1ULL << (SB_CAP_LAST + 1)) - 1)
/* Docker's default set for uid 0. */
#define SB_CAP_DEFAULT 0xa80425fbULL

/* Fill ids for a process that starts as uid:gid with count extra groups:
 * uid 0 has SB_CAP_DEFAULT effective, permitted and bounding; others have an
 * empty effective and permitted set and the same bounding set. */
void sb_ids_init(struct sb_ids *ids, uint32_t uid, uint32_t gid, const uint32_t *groups,
		 uint32_t count);

static inline bool sb_ids_has_cap(const struct sb_ids *ids, unsigned cap)
{
	return (ids->cap_effective >> cap & 1) != 0;
}

int sb_ids_setuid(struct sb_ids *ids, uint32_t uid) SB_MUST_CHECK;
int sb_ids_setgid(struct sb_ids *ids, uint32_t gid) SB_MUST_CHECK;
int sb_ids_setreuid(struct sb_ids *ids, uint32_t ruid, uint32_t euid) SB_MUST_CHECK;
int sb_ids_setregid(struct sb_ids *ids, uint32_t rgid, uint32_t egid) SB_MUST_CHECK;
int sb_ids_setresuid(struct sb_ids *ids, uint32_t r, uint32_t e, uint32_t s) SB_MUST_CHECK;
int sb_ids_setresgid(struct sb_ids *ids, uint32_t r, uint32_t e, uint32_t s) SB_MUST_CHECK;
/* These two return the previous fsuid / fsgid whether or not they changed it. */
uint32_t sb_ids_setfsuid(struct sb_ids *ids, uint32_t uid);
uint32_t sb_ids_setfsgid(struct sb_ids *ids, uint32_t gid);
int sb_ids_setgroups(struct sb_ids *ids, const uint32_t *groups, uint32_t count) SB_MUST_CHECK;
int sb_ids_capset(struct sb_ids *ids, uint64_t effective, uint64_t permitted,
		  uint64_t inheritable) SB_MUST_CHECK;
/* prctl(2): PR_CAPBSET_DROP, PR_CAP_AMBIENT_RAISE and _LOWER, PR_SET_KEEPCAPS,
 * PR_SET_SECUREBITS (the bits of capabilities(7); the exec bits of Linux 6.14
 * are refused as older kernels do). */
int sb_ids_drop_bounding(struct sb_ids *ids, uint64_t cap) SB_MUST_CHECK;
int sb_ids_raise_ambient(struct sb_ids *ids, uint64_t cap) SB_MUST_CHECK;
int sb_ids_lower_ambient(struct sb_ids *ids, uint64_t cap) SB_MUST_CHECK;
int sb_ids_keep_caps(struct sb_ids *ids, uint64_t keep) SB_MUST_CHECK;
int sb_ids_set_securebits(struct sb_ids *ids, uint64_t bits) SB_MUST_CHECK;

/* Is gid the fsgid or in the list of supplementary groups? */
bool sb_ids_in_group(const struct sb_ids *ids, uint32_t gid);
bool sb_ids_in_real_group(const struct sb_ids *ids, uint32_t gid); /* the rgid instead */

/* May ids (fsuid, fsgid, groups, DAC capabilities) do want (a mask of 4 read,
 * 2 write, 1 execute) to a file of that mode and owner? 0 or -EACCES. Root
 * rules as the kernel's: execute of a non-directory needs one x bit. */
int sb_ids_permit(const struct sb_ids *ids, uint32_t mode, uint32_t uid, uint32_t gid,
		  unsigned want) SB_MUST_CHECK;
/* The same with the real ids (access(2)). */
int sb_ids_permit_real(const struct sb_ids *ids, uint32_t mode, uint32_t uid, uint32_t gid,
		       unsigned want) SB_MUST_CHECK;
/* Is ids the owner of the file or privileged over it (CAP_FOWNER)? */
bool sb_ids_owns(const struct sb_ids *ids, uint32_t uid);
/* May chown(2) give a file owned by uid:gid to new_uid:new_gid? 0 or -EPERM. */
int sb_ids_may_chown(const struct sb_ids *ids, uint32_t uid, uint32_t gid, uint32_t new_uid,
		     uint32_t new_gid) SB_MUST_CHECK;
/* May a name be removed from or replaced in a sticky directory? 0 or -EPERM. */
int sb_ids_may_delete(const struct sb_ids *ids, uint32_t dir_mode, uint32_t dir_uid,
		      uint32_t file_uid) SB_MUST_CHECK;

/* ---- for ids.c and ids_exec.c ---- */

static inline bool sb_ids_is_secure(const struct sb_ids *ids, unsigned bit)
{
	return (ids->securebits >> bit & 1) != 0;
}

static inline bool sb_ids_is_subset(uint64_t inner, uint64_t outer)
{
	return (inner & ~outer) == 0;
}

#endif
