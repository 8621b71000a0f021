/* SPDX-License-Identifier: MIT */
/*
 * ids.h - the credentials that a guest thread believes it has (struct sb_ids).
 *
 * Rules
 *   Pure. The rules are those of credentials(7), capabilities(7) and the man page of each call. A
 *   call that the kernel would refuse returns -EPERM or -EINVAL and changes nothing. An id of
 *   UINT32_MAX (-1) means "leave it unchanged" where the man page says so.
 */
#ifndef SB_IDS_H
#define SB_IDS_H

#include "base/abi.h"
#include "base/base.h"

/* capabilities(7) by name, with the numbers of linux/capability.h */
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

/* Fill ids for a process that starts as uid:gid with count supplementary groups. Uid 0 has
 * caps effective, permitted and bounding. Other users have the same bounding set, and empty
 * effective and permitted sets. */
void sb_ids_init(struct sb_ids *ids, uint32_t uid, uint32_t gid, const uint32_t *groups,
		 uint32_t count, uint64_t caps);

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
/* These two return the previous fsuid or fsgid, whether or not they changed it. */
uint32_t sb_ids_setfsuid(struct sb_ids *ids, uint32_t uid);
uint32_t sb_ids_setfsgid(struct sb_ids *ids, uint32_t gid);
int sb_ids_setgroups(struct sb_ids *ids, const uint32_t *groups, uint32_t count) SB_MUST_CHECK;
int sb_ids_capset(struct sb_ids *ids, uint64_t effective, uint64_t permitted,
		  uint64_t inheritable) SB_MUST_CHECK;
/* prctl(2): PR_CAPBSET_DROP, PR_CAP_AMBIENT_RAISE and _LOWER, PR_SET_KEEPCAPS,
 * PR_SET_SECUREBITS (the bits of capabilities(7); as older kernels do, it refuses the exec bits
 * of Linux 6.14). */
int sb_ids_drop_bounding(struct sb_ids *ids, uint64_t cap) SB_MUST_CHECK;
int sb_ids_raise_ambient(struct sb_ids *ids, uint64_t cap) SB_MUST_CHECK;
int sb_ids_lower_ambient(struct sb_ids *ids, uint64_t cap) SB_MUST_CHECK;
int sb_ids_keep_caps(struct sb_ids *ids, uint64_t keep) SB_MUST_CHECK;
int sb_ids_set_securebits(struct sb_ids *ids, uint64_t bits) SB_MUST_CHECK;

/* The same for more groups than the list in ids holds. They become sorted, and stay where they are.
 */
int sb_ids_set_many_groups(struct sb_ids *ids, uint32_t *groups, uint32_t count);
/* The supplementary groups, sorted. */
const uint32_t *sb_ids_groups(const struct sb_ids *ids, uint32_t *count);
/* Is gid the fsgid or one of the supplementary groups? */
bool sb_ids_in_group(const struct sb_ids *ids, uint32_t gid);
bool sb_ids_in_real_group(const struct sb_ids *ids, uint32_t gid); /* the same with the rgid */

/* May ids (fsuid, fsgid, groups, DAC capabilities) do want, a mask of 4 read, 2 write, 1
 * execute, with a file of this mode and owner? 0 or -EACCES. As in the kernel, root may execute
 * a file only when one x bit is set. */
int sb_ids_permit(const struct sb_ids *ids, uint32_t mode, uint32_t uid, uint32_t gid,
		  unsigned want) SB_MUST_CHECK;
/* The same with the real ids (access(2)). */
int sb_ids_permit_real(const struct sb_ids *ids, uint32_t mode, uint32_t uid, uint32_t gid,
		       unsigned want) SB_MUST_CHECK;
/* Do ids own the file, or have CAP_FOWNER? */
bool sb_ids_owns(const struct sb_ids *ids, uint32_t uid);
/* Did a change of ids give the process rights or another user's looks? Then its memory is
 * secret, as commit_creds() decides. */
bool sb_ids_looks_changed(const struct sb_ids *old, const struct sb_ids *new);
/* May chown(2) give a file owned by uid:gid to new_uid:new_gid? 0 or -EPERM. */
int sb_ids_may_chown(const struct sb_ids *ids, uint32_t uid, uint32_t gid, uint32_t new_uid,
		     uint32_t new_gid) SB_MUST_CHECK;
/* May ids remove or replace a name in a sticky directory? 0 or -EPERM. */
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
