/* SPDX-License-Identifier: MIT */
/*
 * test_ids_rules.c - compare fake credentials with the man pages and with the running kernel.
 *
 * The tables are transcribed from setuid(2), setreuid(2), setresuid(2), setfsuid(2),
 * setgroups(2), capset(2), capabilities(7) and access(2). When the test runs as root, its
 * children also make random sequences of calls and execve, and every result is compared with the
 * kernel's. test_ids.c replays recorded results, which needs no root.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdint.h>
#include <sys/fsuid.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "check.h"
#include "pure/ids.h"
#include "pure/ids_exec.h"

#define KEEP UINT32_MAX

static struct sb_ids user(uint32_t uid, uint32_t gid)
{
	struct sb_ids ids;

	sb_ids_init(&ids, uid, gid, NULL, 0, SB_CAP_DEFAULT);
	return ids;
}

/* ---- tables ------------------------------------------------------------- */

struct uids {
	uint32_t r, e, s, f;
};

static void set(struct sb_ids *ids, struct uids u)
{
	ids->ruid = ids->rgid = u.r;
	ids->euid = ids->egid = u.e;
	ids->suid = ids->sgid = u.s;
	ids->fsuid = ids->fsgid = u.f;
}

static void check_uids(const struct sb_ids *ids, struct uids u)
{
	CHECK_INT(ids->ruid, u.r);
	CHECK_INT(ids->euid, u.e);
	CHECK_INT(ids->suid, u.s);
	CHECK_INT(ids->fsuid, u.f);
}

static void check_gids(const struct sb_ids *ids, struct uids u)
{
	CHECK_INT(ids->rgid, u.r);
	CHECK_INT(ids->egid, u.e);
	CHECK_INT(ids->sgid, u.s);
	CHECK_INT(ids->fsgid, u.f);
}

enum call { SETID, SETREID, SETRESID };

/* The uid and gid calls follow the same rules. */
static const struct {
	struct uids from;
	bool privileged;
	enum call call;
	uint32_t a, b, c;
	int result;
	struct uids to;
} set_table[] = {
	/* setuid(2): a privileged caller sets all ids, others set effective to real or saved */
	{{0, 0, 0, 0}, true, SETID, 5, 0, 0, 0, {5, 5, 5, 5}},
	{{5, 5, 7, 5}, false, SETID, 7, 0, 0, 0, {5, 7, 7, 7}},
	{{5, 7, 7, 7}, false, SETID, 5, 0, 0, 0, {5, 5, 7, 5}},
	{{5, 7, 6, 7}, false, SETID, 7, 0, 0, -EPERM, {5, 7, 6, 7}},
	{{5, 5, 5, 5}, false, SETID, 6, 0, 0, -EPERM, {5, 5, 5, 5}},
	{{5, 5, 5, 5}, false, SETID, KEEP, 0, 0, -EINVAL, {5, 5, 5, 5}},
	/* setreuid(2): effective becomes real or saved; real becomes effective */
	{{1, 2, 3, 2}, false, SETREID, 2, 1, 0, 0, {2, 1, 1, 1}},
	{{1, 2, 3, 2}, false, SETREID, KEEP, 3, 0, 0, {1, 3, 3, 3}},
	{{1, 2, 3, 2}, false, SETREID, KEEP, 1, 0, 0, {1, 1, 3, 1}},
	{{1, 2, 3, 2}, false, SETREID, 3, KEEP, 0, -EPERM, {1, 2, 3, 2}},
	{{1, 2, 3, 2}, false, SETREID, KEEP, 4, 0, -EPERM, {1, 2, 3, 2}},
	{{1, 2, 3, 2}, true, SETREID, 8, 9, 0, 0, {8, 9, 9, 9}},
	{{1, 2, 3, 4}, true, SETREID, KEEP, KEEP, 0, 0, {1, 2, 3, 2}},
	/* setresuid(2): each id becomes any of the three; the fs id follows the effective one */
	{{1, 2, 3, 2}, false, SETRESID, 3, 1, 2, 0, {3, 1, 2, 1}},
	{{1, 2, 3, 2}, false, SETRESID, KEEP, KEEP, 1, 0, {1, 2, 1, 2}},
	{{1, 2, 3, 2}, false, SETRESID, 4, KEEP, KEEP, -EPERM, {1, 2, 3, 2}},
	{{1, 2, 3, 2}, false, SETRESID, KEEP, 4, KEEP, -EPERM, {1, 2, 3, 2}},
	{{1, 2, 3, 2}, false, SETRESID, KEEP, KEEP, 4, -EPERM, {1, 2, 3, 2}},
	{{1, 2, 3, 2}, true, SETRESID, 4, 5, 6, 0, {4, 5, 6, 5}},
	{{1, 2, 3, 2}, true, SETRESID, KEEP, KEEP, KEEP, 0, {1, 2, 3, 2}},
};

static void ids_change_as_the_man_pages_say(void)
{
	for (size_t i = 0; i < SB_ARRAY_LEN(set_table); i++) {
		struct sb_ids ids = user(77, 77);
		int uid_result = 0;
		int gid_result = 0;
		uint32_t a = set_table[i].a;
		uint32_t b = set_table[i].b;
		uint32_t c = set_table[i].c;

		set(&ids, set_table[i].from);
		ids.securebits = 1 << SECURE_NO_SETUID_FIXUP;
		if (set_table[i].privileged)
			ids.cap_effective = ids.cap_permitted =
				1 << SB_CAP_SETUID | 1 << SB_CAP_SETGID;
		switch (set_table[i].call) {
		case SETID:
			uid_result = sb_ids_setuid(&ids, a);
			gid_result = sb_ids_setgid(&ids, a);
			break;
		case SETREID:
			uid_result = sb_ids_setreuid(&ids, a, b);
			gid_result = sb_ids_setregid(&ids, a, b);
			break;
		case SETRESID:
			uid_result = sb_ids_setresuid(&ids, a, b, c);
			gid_result = sb_ids_setresgid(&ids, a, b, c);
			break;
		}
		CHECK_INT(uid_result, set_table[i].result);
		CHECK_INT(gid_result, set_table[i].result);
		check_uids(&ids, set_table[i].to);
		check_gids(&ids, set_table[i].to);
	}
}

static void setfsuid_returns_the_old_id_also_when_it_fails(void)
{
	struct sb_ids ids = user(0, 0);

	CHECK_INT(sb_ids_setfsuid(&ids, 5), 0);
	CHECK_INT(ids.fsuid, 5);
	CHECK(!sb_ids_has_cap(&ids, SB_CAP_DAC_OVERRIDE));
	CHECK(sb_ids_has_cap(&ids, SB_CAP_SETUID));
	CHECK_INT(sb_ids_setfsuid(&ids, KEEP), 5);
	CHECK_INT(sb_ids_setfsuid(&ids, 0), 5);
	CHECK_INT(ids.cap_effective, SB_CAP_DEFAULT);
	ids = user(5, 5);
	CHECK_INT(sb_ids_setfsuid(&ids, 6), 5);
	CHECK_INT(ids.fsuid, 5);
	CHECK_INT(sb_ids_setfsgid(&ids, 6), 5);
	CHECK_INT(ids.fsgid, 5);
}

static void setgroups_needs_a_capability_and_sorts_the_groups(void)
{
	const uint32_t groups[] = {30, 10, 20};
	const uint32_t invalid[] = {10, KEEP};
	struct sb_ids ids = user(0, 0);

	CHECK_INT(sb_ids_setgroups(&ids, groups, 3), 0);
	CHECK_INT(ids.groups[0], 10);
	CHECK_INT(ids.groups[1], 20);
	CHECK_INT(ids.groups[2], 30);
	CHECK(sb_ids_in_group(&ids, 20) && sb_ids_in_group(&ids, 0) && !sb_ids_in_group(&ids, 40));
	CHECK_INT(sb_ids_setgroups(&ids, invalid, 2), -EINVAL);
	CHECK_INT(sb_ids_setgroups(&ids, groups, SB_MAX_GROUPS + 1), -EINVAL);
	CHECK_INT(ids.group_count, 3);
	ids.cap_effective = 0;
	CHECK_INT(sb_ids_setgroups(&ids, groups, 0), -EPERM);
}

/* ---- capabilities(7) ---------------------------------------------------- */

static void leaving_root_clears_capabilities(void)
{
	struct sb_ids ids = user(0, 0);

	CHECK_INT(sb_ids_setresuid(&ids, KEEP, 5, KEEP), 0); /* effective only */
	CHECK_INT(ids.cap_effective, 0);
	CHECK_INT(ids.cap_permitted, SB_CAP_DEFAULT);
	CHECK_INT(sb_ids_setresuid(&ids, KEEP, 0, KEEP), 0); /* back to root */
	CHECK_INT(ids.cap_effective, SB_CAP_DEFAULT);
	ids.cap_inheritable = ids.cap_ambient = 1 << SB_CAP_CHOWN;
	CHECK_INT(sb_ids_setuid(&ids, 5), 0);
	CHECK_INT(ids.cap_effective, 0);
	CHECK_INT(ids.cap_permitted, 0);
	CHECK_INT(ids.cap_ambient, 0);
	CHECK_INT(sb_ids_setuid(&ids, 0), -EPERM); /* a permanent drop is permanent */
}

static void keep_caps_keeps_the_permitted_set(void)
{
	struct sb_ids ids = user(0, 0);

	CHECK_INT(sb_ids_keep_caps(&ids, 2), -EINVAL);
	CHECK_INT(sb_ids_keep_caps(&ids, 1), 0);
	CHECK_INT(sb_ids_setuid(&ids, 5), 0);
	CHECK_INT(ids.cap_permitted, SB_CAP_DEFAULT);
	CHECK_INT(ids.cap_effective, 0);
	CHECK_INT(sb_ids_capset(&ids, 1 << SB_CAP_CHOWN, ids.cap_permitted, 0), 0);
	CHECK(sb_ids_has_cap(&ids, SB_CAP_CHOWN));
	CHECK_INT(sb_ids_exec(&ids, 0755, 0, 0, NULL, 0, false),
		  0); /* execve drops the capabilities */
	CHECK_INT(ids.cap_permitted, 0);
	CHECK_INT(ids.securebits, 0);
}

static void capset_can_only_drop_permitted_capabilities(void)
{
	struct sb_ids ids = user(0, 0);
	const uint64_t chown = 1 << SB_CAP_CHOWN;
	const uint64_t admin = 1 << SB_CAP_SYS_ADMIN;

	CHECK_INT(sb_ids_capset(&ids, 0, SB_CAP_DEFAULT | admin, 0), -EPERM);
	CHECK_INT(sb_ids_capset(&ids, chown, 0, 0), -EPERM);
	CHECK_INT(sb_ids_capset(&ids, 0, 0, admin), -EPERM); /* beyond the bounding set */
	CHECK_INT(sb_ids_capset(&ids, chown, chown, chown), 0);
	CHECK_INT(sb_ids_raise_ambient(&ids, SB_CAP_CHOWN), 0);
	CHECK_INT(sb_ids_raise_ambient(&ids, SB_CAP_SETUID), -EPERM);
	CHECK_INT(sb_ids_raise_ambient(&ids, SB_CAP_LAST + 1), -EINVAL);
	CHECK_INT(sb_ids_capset(&ids, 0, 0, chown), 0);
	CHECK_INT(ids.cap_ambient, 0);
	CHECK_INT(sb_ids_drop_bounding(&ids, SB_CAP_CHOWN), -EPERM);
	ids = user(0, 0);
	CHECK_INT(sb_ids_drop_bounding(&ids, SB_CAP_LAST + 1), -EINVAL);
	CHECK_INT(sb_ids_drop_bounding(&ids, SB_CAP_CHOWN), 0);
	CHECK_INT(ids.cap_bounding, SB_CAP_DEFAULT & ~chown);
	CHECK_INT(ids.cap_permitted, SB_CAP_DEFAULT);
}

static void locked_securebits_cannot_be_changed(void)
{
	struct sb_ids ids = user(0, 0);
	const uint32_t root_locked = 1 << SECURE_NOROOT_LOCKED;

	CHECK_INT(sb_ids_set_securebits(&ids, 1 << 12), -EPERM);
	CHECK_INT(sb_ids_set_securebits(&ids, root_locked), 0);
	CHECK_INT(sb_ids_set_securebits(&ids, 0), -EPERM);
	CHECK_INT(sb_ids_set_securebits(&ids, root_locked | 1 << SECURE_NOROOT), -EPERM);
	CHECK_INT(sb_ids_set_securebits(&ids, root_locked | 1 << SECURE_KEEP_CAPS_LOCKED), 0);
	CHECK_INT(sb_ids_keep_caps(&ids, 1), -EPERM);
	ids = user(5, 5);
	CHECK_INT(sb_ids_set_securebits(&ids, 0), -EPERM);
}

/* ---- execve ------------------------------------------------------------- */

static void set_id_bits_take_effect(void)
{
	struct sb_ids ids = user(5, 6);

	CHECK_INT(sb_ids_exec(&ids, 04755, 0, 0, NULL, 0, false), 1);
	check_uids(&ids, (struct uids){5, 0, 0, 0});
	CHECK_INT(ids.cap_effective, SB_CAP_DEFAULT);
	CHECK_INT(ids.cap_permitted, SB_CAP_DEFAULT);
	ids = user(5, 6);
	CHECK_INT(sb_ids_exec(&ids, 02755, 0, 7, NULL, 0, false), 1);
	check_gids(&ids, (struct uids){6, 7, 7, 7});
	CHECK_INT(ids.cap_permitted, 0);
	ids = user(5, 6);
	/* Without group x the bit does not mean set-group-ID. */
	CHECK_INT(sb_ids_exec(&ids, 02745, 0, 7, NULL, 0, false), 0);
	check_gids(&ids, (struct uids){6, 6, 6, 6});
	ids = user(5, 6);
	ids.no_new_privs = 1;
	CHECK_INT(sb_ids_exec(&ids, 06755, 0, 0, NULL, 0, false), 0);
	check_uids(&ids, (struct uids){5, 5, 5, 5});
	CHECK_INT(ids.cap_permitted, 0);
}

static void root_keeps_its_bounding_set(void)
{
	struct sb_ids ids = user(0, 0);

	CHECK_INT(sb_ids_capset(&ids, 0, 0, 0), 0);
	CHECK_INT(sb_ids_exec(&ids, 0755, 0, 0, NULL, 0, false), 0);
	CHECK_INT(ids.cap_effective, SB_CAP_DEFAULT);
	ids.securebits = 1 << SECURE_NOROOT;
	CHECK_INT(sb_ids_exec(&ids, 0755, 0, 0, NULL, 0, false), 0);
	CHECK_INT(ids.cap_permitted, 0);
	ids = user(0, 0); /* only the real id is root, so nothing is effective */
	CHECK_INT(sb_ids_setresuid(&ids, KEEP, 5, 5), 0);
	CHECK_INT(sb_ids_exec(&ids, 0755, 0, 0, NULL, 0, false), 1);
	CHECK_INT(ids.cap_permitted, SB_CAP_DEFAULT);
	CHECK_INT(ids.cap_effective, 0);
}

static void le32(unsigned char *to, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		to[i] = (unsigned char)(value >> 8 * i);
}

static uint32_t file_caps(unsigned char bytes[24], uint32_t revision, uint64_t permitted,
			  uint64_t inheritable, bool effective, uint32_t root)
{
	le32(bytes, revision | (effective ? VFS_CAP_FLAGS_EFFECTIVE : 0));
	le32(bytes + 4, (uint32_t)permitted);
	le32(bytes + 8, (uint32_t)inheritable);
	le32(bytes + 12, (uint32_t)(permitted >> 32));
	le32(bytes + 16, (uint32_t)(inheritable >> 32));
	le32(bytes + 20, root);
	return revision == VFS_CAP_REVISION_1 ? 12 : revision == VFS_CAP_REVISION_2 ? 20 : 24;
}

static void file_capabilities_take_effect(void)
{
	const uint64_t raw = 1 << CAP_NET_RAW;
	const uint64_t admin = 1 << SB_CAP_SYS_ADMIN;
	unsigned char caps[24];
	struct sb_ids ids = user(5, 5);
	uint32_t len = file_caps(caps, VFS_CAP_REVISION_2, raw, 0, true, 0);

	CHECK_INT(sb_ids_exec(&ids, 0755, 0, 0, caps, len, false), 1);
	CHECK_INT(ids.cap_effective, raw);
	CHECK_INT(ids.cap_permitted, raw);
	ids = user(5, 5);
	CHECK_INT(sb_ids_exec(&ids, 0755, 0, 0, caps, len - 1, false), 0); /* malformed */
	CHECK_INT(ids.cap_permitted, 0);
	len = file_caps(caps, VFS_CAP_REVISION_3, raw, 0, false, 0);
	CHECK_INT(sb_ids_exec(&ids, 0755, 0, 0, caps, len, false), 1);
	CHECK_INT(ids.cap_effective, 0);
	CHECK_INT(ids.cap_permitted, raw);
	ids = user(5, 5);
	len = file_caps(caps, VFS_CAP_REVISION_3, raw, 0, true, 1000); /* of another namespace */
	CHECK_INT(sb_ids_exec(&ids, 0755, 0, 0, caps, len, false), 0);
	CHECK_INT(ids.cap_permitted, 0);
	/* execve fails if the capability is not in the bounding set */
	len = file_caps(caps, VFS_CAP_REVISION_2, admin, 0, true, 0);
	CHECK_INT(sb_ids_exec(&ids, 0755, 0, 0, caps, len, false), -EPERM);
	check_uids(&ids, (struct uids){5, 5, 5, 5});
	len = file_caps(caps, VFS_CAP_REVISION_2, 0, raw, true, 0);
	ids.cap_inheritable = raw;
	CHECK_INT(sb_ids_exec(&ids, 0755, 0, 0, caps, len, false), 1);
	CHECK_INT(ids.cap_effective, raw);
	ids = user(5, 5); /* file capabilities win over set-user-ID root */
	len = file_caps(caps, VFS_CAP_REVISION_2, raw, 0, true, 0);
	CHECK_INT(sb_ids_exec(&ids, 04755, 0, 0, caps, len, false), 1);
	CHECK_INT(ids.euid, 0);
	CHECK_INT(ids.cap_permitted, raw);
	ids = user(5, 5);
	ids.no_new_privs = 1;
	CHECK_INT(sb_ids_exec(&ids, 0755, 0, 0, caps, len, false), 1);
	CHECK_INT(ids.cap_permitted, 0);
}

static void ambient_capabilities_survive_a_plain_program(void)
{
	const uint64_t chown = 1 << SB_CAP_CHOWN;
	struct sb_ids ids = user(5, 5);
	unsigned char caps[24];
	uint32_t len = file_caps(caps, VFS_CAP_REVISION_2, 0, 0, false, 0);

	ids.cap_permitted = ids.cap_inheritable = ids.cap_ambient = chown;
	CHECK_INT(sb_ids_exec(&ids, 0755, 0, 0, NULL, 0, false), 0);
	CHECK_INT(ids.cap_effective, chown);
	CHECK_INT(ids.cap_permitted, chown);
	CHECK_INT(sb_ids_exec(&ids, 0755, 0, 0, caps, len, false), 0);
	CHECK_INT(ids.cap_permitted, 0);
	CHECK_INT(ids.cap_ambient, 0);
}

/* ---- permission checks -------------------------------------------------- */

static const struct {
	uint32_t uid;
	uint32_t mode;
	uint32_t file_uid, file_gid;
	unsigned want;
	int result;
} permit_table[] = {
	{5, S_IFREG | 0400, 5, 9, 4, 0},
	{5, S_IFREG | 0044, 5, 9, 4, -EACCES}, /* only the owner's bits apply */
	{5, S_IFREG | 0040, 9, 5, 4, 0},
	{5, S_IFREG | 0404, 9, 5, 4, -EACCES},
	{5, S_IFREG | 0004, 9, 9, 4, 0},
	{5, S_IFREG | 0004, 9, 9, 6, -EACCES},
	{5, S_IFREG | 0770, 9, 50, 7, 0}, /* a supplementary group */
	{0, S_IFREG | 0000, 9, 9, 6, 0},
	{0, S_IFREG | 0000, 9, 9, 1, -EACCES},
	{0, S_IFREG | 0001, 9, 9, 1, 0},
	{0, S_IFDIR | 0000, 9, 9, 7, 0},
};

static void permission_bits_are_checked(void)
{
	const uint32_t groups[] = {50};

	for (size_t i = 0; i < SB_ARRAY_LEN(permit_table); i++) {
		struct sb_ids ids;

		sb_ids_init(&ids, permit_table[i].uid, permit_table[i].uid, groups, 1,
			    SB_CAP_DEFAULT);
		CHECK_INT(sb_ids_permit(&ids, permit_table[i].mode, permit_table[i].file_uid,
					permit_table[i].file_gid, permit_table[i].want),
			  permit_table[i].result);
		CHECK_INT(sb_ids_permit_real(&ids, permit_table[i].mode, permit_table[i].file_uid,
					     permit_table[i].file_gid, permit_table[i].want),
			  permit_table[i].result);
	}
}

static void access_checks_the_real_user(void)
{
	struct sb_ids ids = user(0, 0);

	CHECK_INT(sb_ids_setresuid(&ids, 5, 0, KEEP), 0);
	CHECK_INT(sb_ids_permit(&ids, S_IFREG | 0600, 9, 9, 4), 0);
	CHECK_INT(sb_ids_permit_real(&ids, S_IFREG | 0600, 9, 9, 4), -EACCES);
	CHECK_INT(sb_ids_setresuid(&ids, 0, 5, KEEP), 0);
	CHECK_INT(sb_ids_permit(&ids, S_IFREG | 0600, 9, 9, 4), -EACCES);
	CHECK_INT(sb_ids_permit_real(&ids, S_IFREG | 0600, 9, 9, 4), 0);
}

static void owners_and_sticky_directories_are_checked(void)
{
	const uint32_t groups[] = {50};
	struct sb_ids ids;

	sb_ids_init(&ids, 5, 6, groups, 1, SB_CAP_DEFAULT);
	CHECK(sb_ids_owns(&ids, 5) && !sb_ids_owns(&ids, 0));
	CHECK_INT(sb_ids_may_chown(&ids, 5, 6, KEEP, 50), 0);
	CHECK_INT(sb_ids_may_chown(&ids, 5, 6, 5, 6), 0);
	CHECK_INT(sb_ids_may_chown(&ids, 5, 6, KEEP, 51), -EPERM);
	CHECK_INT(sb_ids_may_chown(&ids, 5, 6, 9, KEEP), -EPERM);
	CHECK_INT(sb_ids_may_chown(&ids, 9, 6, KEEP, 6), -EPERM);
	CHECK_INT(sb_ids_may_chown(&ids, 9, 6, KEEP, KEEP), 0);
	CHECK_INT(sb_ids_may_delete(&ids, S_IFDIR | 0777, 0, 9), 0);
	CHECK_INT(sb_ids_may_delete(&ids, S_IFDIR | 01777, 0, 9), -EPERM);
	CHECK_INT(sb_ids_may_delete(&ids, S_IFDIR | 01777, 0, 5), 0);
	CHECK_INT(sb_ids_may_delete(&ids, S_IFDIR | 01777, 5, 9), 0);
	ids = user(0, 0);
	CHECK(sb_ids_owns(&ids, 9));
	CHECK_INT(sb_ids_may_chown(&ids, 9, 9, 1, 1), 0);
	CHECK_INT(sb_ids_may_delete(&ids, S_IFDIR | 01777, 9, 9), 0);
}

/* ---- against the kernel ------------------------------------------------- */

enum step_call {
	DO_SETUID,
	DO_SETGID,
	DO_SETREUID,
	DO_SETREGID,
	DO_SETRESUID,
	DO_SETRESGID,
	DO_SETFSUID,
	DO_SETFSGID,
	DO_KEEPCAPS,
	DO_SECUREBITS,
	DO_CAPSET,
	DO_AMBIENT,
	DO_BOUNDING,
	DO_SETGROUPS,
	STEP_CALLS,
};

struct step {
	uint32_t call;
	uint32_t a, b, c;
};

/* The results and credentials that both sides must agree on. */
struct outcome {
	int result;
	uint32_t ids[8];
	uint64_t caps[5];
	uint32_t securebits;
	uint32_t group_count;
	uint32_t groups[4];
};

static uint64_t mask_of(uint32_t bits)
{
	/* Few capabilities, so that random sets often overlap; with SETPCAP and SETUID. */
	static const unsigned caps[] = {SB_CAP_SETUID, SB_CAP_SETGID,       SB_CAP_SETPCAP,
					SB_CAP_CHOWN,  SB_CAP_DAC_OVERRIDE, SB_CAP_MKNOD};
	uint64_t mask = 0;

	for (unsigned i = 0; i < SB_ARRAY_LEN(caps); i++)
		if (bits >> i & 1)
			mask |= 1ULL << caps[i];
	return mask;
}

static int ours(struct sb_ids *ids, const struct step *s)
{
	const uint32_t groups[] = {s->b, s->a};

	switch (s->call) {
	case DO_SETUID:
		return sb_ids_setuid(ids, s->a);
	case DO_SETGID:
		return sb_ids_setgid(ids, s->a);
	case DO_SETREUID:
		return sb_ids_setreuid(ids, s->a, s->b);
	case DO_SETREGID:
		return sb_ids_setregid(ids, s->a, s->b);
	case DO_SETRESUID:
		return sb_ids_setresuid(ids, s->a, s->b, s->c);
	case DO_SETRESGID:
		return sb_ids_setresgid(ids, s->a, s->b, s->c);
	case DO_SETFSUID:
		return (int)sb_ids_setfsuid(ids, s->a);
	case DO_SETFSGID:
		return (int)sb_ids_setfsgid(ids, s->a);
	case DO_KEEPCAPS:
		return sb_ids_keep_caps(ids, s->a & 1);
	case DO_SECUREBITS:
		return sb_ids_set_securebits(ids, s->a & 0x55);
	case DO_CAPSET:
		return sb_ids_capset(ids, mask_of(s->a), mask_of(s->b), mask_of(s->c));
	case DO_AMBIENT:
		return sb_ids_raise_ambient(ids, s->a % 8);
	case DO_BOUNDING:
		return sb_ids_drop_bounding(ids, s->a % 8);
	case DO_SETGROUPS:
		return sb_ids_setgroups(ids, groups, s->c % 3);
	default:
		return 0;
	}
}

static long kernel_capset(const struct step *s)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {
		{(uint32_t)mask_of(s->a), (uint32_t)mask_of(s->b), (uint32_t)mask_of(s->c)}, {0}};

	return syscall(SYS_capset, &header, data);
}

static int kernels(const struct step *s)
{
	const gid_t groups[] = {s->b, s->a};
	long ret;

	switch (s->call) {
	case DO_SETUID:
		ret = syscall(SYS_setuid, s->a);
		break;
	case DO_SETGID:
		ret = syscall(SYS_setgid, s->a);
		break;
	case DO_SETREUID:
		ret = syscall(SYS_setreuid, s->a, s->b);
		break;
	case DO_SETREGID:
		ret = syscall(SYS_setregid, s->a, s->b);
		break;
	case DO_SETRESUID:
		ret = syscall(SYS_setresuid, s->a, s->b, s->c);
		break;
	case DO_SETRESGID:
		ret = syscall(SYS_setresgid, s->a, s->b, s->c);
		break;
	case DO_SETFSUID:
		return (int)syscall(SYS_setfsuid, s->a);
	case DO_SETFSGID:
		return (int)syscall(SYS_setfsgid, s->a);
	case DO_KEEPCAPS:
		ret = prctl(PR_SET_KEEPCAPS, s->a & 1, 0, 0, 0);
		break;
	case DO_SECUREBITS:
		ret = prctl(PR_SET_SECUREBITS, s->a & 0x55, 0, 0, 0);
		break;
	case DO_CAPSET:
		ret = kernel_capset(s);
		break;
	case DO_AMBIENT:
		ret = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, s->a % 8, 0, 0);
		break;
	case DO_BOUNDING:
		ret = prctl(PR_CAPBSET_DROP, s->a % 8, 0, 0, 0);
		break;
	case DO_SETGROUPS:
		ret = syscall(SYS_setgroups, s->c % 3, groups);
		break;
	default:
		return 0;
	}
	return ret < 0 ? -errno : 0;
}

static void see_ours(const struct sb_ids *ids, struct outcome *o)
{
	const uint32_t all[8] = {ids->ruid, ids->euid, ids->suid, ids->fsuid,
				 ids->rgid, ids->egid, ids->sgid, ids->fsgid};

	memcpy(o->ids, all, sizeof(all));
	o->caps[0] = ids->cap_effective;
	o->caps[1] = ids->cap_permitted;
	o->caps[2] = ids->cap_inheritable;
	o->caps[3] = ids->cap_bounding;
	o->caps[4] = ids->cap_ambient;
	o->securebits = ids->securebits;
	o->group_count = ids->group_count;
	memcpy(o->groups, ids->groups, SB_MIN(ids->group_count, 4u) * sizeof(uint32_t));
}

static void see_kernels(struct outcome *o)
{
	static const char *const keys[] = {"CapEff:", "CapPrm:", "CapInh:", "CapBnd:", "CapAmb:"};
	FILE *status = fopen("/proc/thread-self/status", "r");
	char line[512];

	CHECK(status != NULL);
	while (fgets(line, sizeof(line), status) != NULL) {
		if (strncmp(line, "Uid:", 4) == 0)
			CHECK_INT(sscanf(line + 4, "%u %u %u %u", &o->ids[0], &o->ids[1],
					 &o->ids[2], &o->ids[3]),
				  4);
		if (strncmp(line, "Gid:", 4) == 0)
			CHECK_INT(sscanf(line + 4, "%u %u %u %u", &o->ids[4], &o->ids[5],
					 &o->ids[6], &o->ids[7]),
				  4);
		for (size_t i = 0; i < SB_ARRAY_LEN(keys); i++)
			if (strncmp(line, keys[i], 7) == 0)
				o->caps[i] = strtoull(line + 7, NULL, 16);
	}
	fclose(status);
	o->securebits = (uint32_t)prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
	o->group_count = (uint32_t)syscall(SYS_getgroups, 4, o->groups);
}

static void compare(const struct step *s, const struct outcome *a, const struct outcome *b,
		    unsigned at)
{
	if (memcmp(a, b, sizeof(*a)) == 0)
		return;
	fprintf(stderr, "step %u: call %u(%d, %d, %d)\n", at, s->call, (int)s->a, (int)s->b,
		(int)s->c);
	for (int side = 0; side < 2; side++) {
		const struct outcome *o = side == 0 ? a : b;

		fprintf(stderr,
			"%s: result %d, uids %d %d %d %d gids %d %d %d %d caps %llx %llx %llx %llx "
			"%llx bits %x groups %u\n",
			side == 0 ? "ours" : "kernel", o->result, (int)o->ids[0], (int)o->ids[1],
			(int)o->ids[2], (int)o->ids[3], (int)o->ids[4], (int)o->ids[5],
			(int)o->ids[6], (int)o->ids[7], (unsigned long long)o->caps[0],
			(unsigned long long)o->caps[1], (unsigned long long)o->caps[2],
			(unsigned long long)o->caps[3], (unsigned long long)o->caps[4],
			o->securebits, o->group_count);
	}
	exit(1);
}

static uint32_t random_state = 12345;

static uint32_t next_random(uint32_t below)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % below;
}

static uint32_t random_id(void)
{
	const uint32_t n = next_random(6);

	return n == 5 ? KEEP : n;
}

static void random_step(struct step *s)
{
	s->call = next_random(STEP_CALLS);
	if (s->call >= DO_KEEPCAPS && s->call != DO_SETGROUPS) {
		s->a = next_random(4) == 0 ? 63 : next_random(64);
		s->b = next_random(3) == 0 ? next_random(64) : 63;
		s->c = next_random(3) == 0 ? 63 : next_random(64);
		if (s->call == DO_SECUREBITS && next_random(4) != 0)
			s->a &= 0x10;
		if (s->call == DO_CAPSET)
			s->a &= s->b;
		return;
	}
	/* An id of 0 allows the process to become privileged again. */
	s->a = random_id();
	s->b = next_random(2) == 0 ? 0 : random_id();
	s->c = next_random(2) == 0 ? 0 : random_id();
}

/* Start from root with the kernel's capability sets, and compare after each random step. */
static int run_against_kernel(uint32_t seed)
{
	struct sb_ids ids;
	struct step s;
	struct outcome a;
	struct outcome b;

	random_state = seed;
	sb_ids_init(&ids, 0, 0, NULL, 0, SB_CAP_DEFAULT);
	memset(&b, 0, sizeof(b));
	if (syscall(SYS_setgroups, 0, NULL) != 0 || syscall(SYS_setresgid, 0, 0, 0) != 0)
		return 1;
	see_kernels(&b);
	ids.cap_effective = b.caps[0];
	ids.cap_permitted = b.caps[1];
	ids.cap_inheritable = b.caps[2];
	ids.cap_bounding = b.caps[3];
	ids.cap_ambient = b.caps[4];
	for (unsigned i = 0; i < 30; i++) {
		random_step(&s);
		memset(&a, 0, sizeof(a));
		memset(&b, 0, sizeof(b));
		a.result = ours(&ids, &s);
		b.result = kernels(&s);
		see_ours(&ids, &a);
		see_kernels(&b);
		compare(&s, &a, &b, i);
	}
	return 0;
}

/* ---- execve against the kernel ------------------------------------------ */

static const char program[] = "exec-me";

/* Send the credentials of the executed program to the test, which compares them. */
static int report(void)
{
	struct outcome o = {0};

	see_kernels(&o);
	o.result = (int)getauxval(AT_SECURE);
	return write(3, &o, sizeof(o)) == (ssize_t)sizeof(o) ? 0 : 1;
}

static void copy_self(void)
{
	static char bytes[65536];
	int from = open("/proc/self/exe", O_RDONLY);
	int to = open(program, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	ssize_t len;

	CHECK(from >= 0 && to >= 0);
	while ((len = read(from, bytes, sizeof(bytes))) > 0)
		CHECK_INT(write(to, bytes, (size_t)len), len);
	close(from);
	close(to);
}

/* Give the program a random owner, mode and capabilities; *len is 0 without capabilities. */
static void dress(struct stat *st, unsigned char caps[24], uint32_t *len)
{
	static const uint32_t modes[] = {0755, 04755, 02755, 06755, 02745, 04711};
	const uint64_t permitted = mask_of(next_random(64));
	const uint64_t inheritable = mask_of(next_random(64));

	CHECK_INT(chown(program, next_random(3), next_random(3)), 0);
	CHECK_INT(chmod(program, modes[next_random(SB_ARRAY_LEN(modes))]), 0);
	CHECK_INT(stat(program, st), 0);
	*len = 0;
	removexattr(program, "security.capability");
	if (next_random(2) == 0)
		return;
	*len = file_caps(caps, VFS_CAP_REVISION_2, permitted, inheritable, next_random(2) == 0, 0);
	CHECK_INT(setxattr(program, "security.capability", caps, *len, 0), 0);
}

static int run_exec_against_kernel(uint32_t seed)
{
	unsigned char caps[24];
	char *arguments[] = {(char *)program, (char *)"--report", NULL};
	struct outcome a = {0};
	struct outcome b = {0};
	struct sb_ids ids = user(0, 0);
	struct stat st;
	struct step s = {0};
	uint32_t len;
	int ends[2];
	pid_t child;
	bool no_new_privs;

	random_state = seed;
	dress(&st, caps, &len);
	no_new_privs = next_random(4) == 0;
	CHECK_INT(syscall(SYS_setgroups, 0, NULL), 0);
	for (unsigned i = 0; i < 4; i++) {
		random_step(&s);
		kernels(&s);
	}
	if (no_new_privs)
		CHECK_INT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	see_kernels(&b);
	ids.ruid = b.ids[0], ids.euid = b.ids[1], ids.suid = b.ids[2], ids.fsuid = b.ids[3];
	ids.rgid = b.ids[4], ids.egid = b.ids[5], ids.sgid = b.ids[6], ids.fsgid = b.ids[7];
	ids.cap_effective = b.caps[0];
	ids.cap_permitted = b.caps[1];
	ids.cap_inheritable = b.caps[2];
	ids.cap_bounding = b.caps[3];
	ids.cap_ambient = b.caps[4];
	ids.securebits = b.securebits;
	ids.no_new_privs = no_new_privs;
	ids.group_count = b.group_count;
	memcpy(ids.groups, b.groups, sizeof(b.groups));
	CHECK_INT(pipe(ends), 0);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		CHECK_INT(dup2(ends[1], 3), 3);
		if (ends[0] != 3)
			close(ends[0]);
		execv(program, arguments);
		b.result = -errno;
		_exit(write(3, &b, sizeof(b)) == (ssize_t)sizeof(b) ? 0 : 1);
	}
	close(ends[1]);
	memset(&b, 0, sizeof(b));
	CHECK_INT(read(ends[0], &b, sizeof(b)), sizeof(b));
	CHECK_INT(waitpid(child, NULL, 0), child);
	if (b.result == -EACCES) {
		CHECK_INT(sb_ids_permit(&ids, st.st_mode, st.st_uid, st.st_gid, 1), -EACCES);
		return 0;
	}
	CHECK_INT(sb_ids_permit(&ids, st.st_mode, st.st_uid, st.st_gid, 1), 0);
	a.result =
		sb_ids_exec(&ids, st.st_mode, st.st_uid, st.st_gid, len ? caps : NULL, len, false);
	see_ours(&ids, &a);
	s.a = st.st_mode, s.b = st.st_uid, s.c = st.st_gid;
	compare(&s, &a, &b, seed);
	return 0;
}

static void in_child(int (*run)(uint32_t), uint32_t argument)
{
	int status;
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0)
		_exit(run(argument));
	CHECK_INT(waitpid(child, &status, 0), child);
	CHECK_INT(status, 0);
}

static void compare_with_kernel(void)
{
	struct statvfs fs;

	for (uint32_t seed = 1; seed <= 300; seed++)
		in_child(run_against_kernel, seed);
	CHECK_INT(statvfs(".", &fs), 0);
	if (fs.f_flag & ST_NOSUID) {
		fprintf(stderr, "execve was not compared: this directory is mounted nosuid\n");
		return;
	}
	copy_self();
	for (uint32_t seed = 1; seed <= 100; seed++)
		in_child(run_exec_against_kernel, seed);
	CHECK_INT(unlink(program), 0);
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--report") == 0)
		_exit(report());
	ids_change_as_the_man_pages_say();
	setfsuid_returns_the_old_id_also_when_it_fails();
	setgroups_needs_a_capability_and_sorts_the_groups();
	leaving_root_clears_capabilities();
	keep_caps_keeps_the_permitted_set();
	capset_can_only_drop_permitted_capabilities();
	locked_securebits_cannot_be_changed();
	set_id_bits_take_effect();
	root_keeps_its_bounding_set();
	file_capabilities_take_effect();
	ambient_capabilities_survive_a_plain_program();
	permission_bits_are_checked();
	access_checks_the_real_user();
	owners_and_sticky_directories_are_checked();
	if (geteuid() == 0)
		compare_with_kernel();
	return 0;
}
