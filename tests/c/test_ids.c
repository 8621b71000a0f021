/* SPDX-License-Identifier: MIT */
/*
 * test_ids.c - fake credentials change exactly like the kernel's.
 *
 * Replays oracle/ids.txt, which oracle/record_ids.c recorded on Linux 6.18 as real root. Permission
 * checks for files are not in the recording; their table comes from the man pages.
 */
#include "pure/ids.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "check.h"
#include "pure/ids_exec.h"

/* In the order of record_ids.c. */
enum call {
	START,
	SETUID,
	SETGID,
	SETREUID,
	SETREGID,
	SETRESUID,
	SETRESGID,
	SETFSUID,
	SETFSGID,
	SETGROUPS,
	CAPSET,
	DROP_BOUNDING,
	RAISE_AMBIENT,
	LOWER_AMBIENT,
	KEEP_CAPS,
	SECUREBITS,
	EXEC,
	NO_NEW_PRIVS,
};

static void put_le32(unsigned char *bytes, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		bytes[i] = (unsigned char)(value >> (8 * i));
}

static long exec_program(struct sb_ids *ids, const uint64_t *a, uint64_t *secure)
{
	unsigned char caps[20] = {0};
	int result;

	result = sb_ids_permit(ids, (uint32_t)a[0] | S_IFREG, (uint32_t)a[1], (uint32_t)a[2], 1);
	if (result < 0)
		return result;
	put_le32(caps, 0x02000000u | (uint32_t)(a[3] >> 32 & 1));
	put_le32(caps + 4, (uint32_t)a[3]);
	put_le32(caps + 8, (uint32_t)a[3]);
	result = sb_ids_exec(ids, (uint32_t)a[0] | S_IFREG, (uint32_t)a[1], (uint32_t)a[2],
			     a[3] ? caps : NULL, a[3] ? sizeof(caps) : 0, false);
	if (result < 0)
		return result;
	*secure = (uint64_t)result;
	return 0;
}

static long perform(struct sb_ids *ids, enum call call, const uint64_t *a, uint64_t *secure)
{
	const uint32_t r = (uint32_t)a[0];
	const uint32_t e = (uint32_t)a[1];
	const uint32_t s = (uint32_t)a[2];
	const uint32_t groups[3] = {e, s, (uint32_t)a[3]};

	switch (call) {
	case START:
		sb_ids_init(ids, 0, 0, NULL, 0, SB_CAP_DEFAULT);
		*secure = 0;
		return 0;
	case SETUID:
		return sb_ids_setuid(ids, r);
	case SETGID:
		return sb_ids_setgid(ids, r);
	case SETREUID:
		return sb_ids_setreuid(ids, r, e);
	case SETREGID:
		return sb_ids_setregid(ids, r, e);
	case SETRESUID:
		return sb_ids_setresuid(ids, r, e, s);
	case SETRESGID:
		return sb_ids_setresgid(ids, r, e, s);
	case SETFSUID:
		return sb_ids_setfsuid(ids, r);
	case SETFSGID:
		return sb_ids_setfsgid(ids, r);
	case SETGROUPS:
		return sb_ids_setgroups(ids, groups, r);
	case CAPSET:
		return sb_ids_capset(ids, a[0], a[1], a[2]);
	case DROP_BOUNDING:
		return sb_ids_drop_bounding(ids, a[0]);
	case RAISE_AMBIENT:
		return sb_ids_raise_ambient(ids, a[0]);
	case LOWER_AMBIENT:
		return sb_ids_lower_ambient(ids, a[0]);
	case KEEP_CAPS:
		return sb_ids_keep_caps(ids, a[0]);
	case SECUREBITS:
		return sb_ids_set_securebits(ids, a[0]);
	case EXEC:
		return exec_program(ids, a, secure);
	case NO_NEW_PRIVS:
		ids->no_new_privs = 1;
		return 0;
	}
	return -ENOSYS;
}

static int print_state(char *text, size_t size, const struct sb_ids *ids, long result,
		       uint64_t secure)
{
	int at = snprintf(text, size,
			  "%lx %x %x %x %x %x %x %x %x %" PRIx64 " %" PRIx64 " %" PRIx64 " %" PRIx64
			  " %" PRIx64 " %x %x %" PRIx64 " %x",
			  (unsigned long)result, ids->ruid, ids->euid, ids->suid, ids->fsuid,
			  ids->rgid, ids->egid, ids->sgid, ids->fsgid, ids->cap_effective,
			  ids->cap_permitted, ids->cap_inheritable, ids->cap_bounding,
			  ids->cap_ambient, ids->securebits, ids->no_new_privs, secure,
			  ids->group_count);

	for (uint32_t i = 0; i < ids->group_count; i++)
		at += snprintf(text + at, size - (size_t)at, " %x", ids->groups[i]);
	return at;
}

static void test_every_recorded_call_gives_the_kernels_result(const char *folder)
{
	char line[1024];
	char path[4096];
	char ours[1024];
	struct sb_ids ids;
	uint64_t secure = 0;
	FILE *file;
	int number = 0;
	int wrong = 0;

	snprintf(path, sizeof(path), "%s/oracle/ids.txt", folder);
	file = fopen(path, "r");
	CHECK(file != NULL);
	while (fgets(line, sizeof(line), file) != NULL) {
		uint64_t call;
		uint64_t a[4];
		long result;
		int at;

		number++;
		line[strcspn(line, "\n")] = '\0';
		CHECK_INT(sscanf(line,
				 "%" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %n",
				 &call, &a[0], &a[1], &a[2], &a[3], &at),
			  5);
		result = perform(&ids, (enum call)call, a, &secure);
		print_state(ours, sizeof(ours), &ids, result, secure);
		if (strcmp(ours, line + at) != 0) {
			fprintf(stderr, "ids.txt:%d: call %d: %.*s\nours   %s\nkernel %s\n", number,
				(int)call, at, line, ours, line + at);
			wrong++;
			/* Go on at the next start, so that a difference is reported only once. */
			while (fgets(line, sizeof(line), file) != NULL) {
				number++;
				if (strncmp(line, "0 ", 2) == 0)
					break;
			}
			perform(&ids, START, a, &secure);
		}
	}
	fclose(file);
	CHECK(number > 500);
	CHECK_INT(wrong, 0);
}

struct permit_case {
	uint32_t uid;
	uint32_t mode;
	uint32_t file_uid;
	uint32_t file_gid;
	unsigned want;
	int result;
};

/* path_resolution(7), access(2); gid 100, supplementary group 7. */
static const struct permit_case permit_cases[] = {
	{1000, S_IFREG | 0640, 1000, 0, 4, 0},
	{1000, S_IFREG | 0640, 1000, 0, 2, 0},
	{1000, S_IFREG | 0640, 1000, 0, 1, -EACCES},
	{1000, S_IFREG | 0640, 0, 100, 4, 0},
	{1000, S_IFREG | 0640, 0, 7, 4, 0},
	{1000, S_IFREG | 0640, 0, 7, 6, -EACCES},
	{1000, S_IFREG | 0640, 0, 8, 4, -EACCES},
	{1000, S_IFREG | 0004, 1000, 100, 4,
	 -EACCES}, /* the group class applies, so the others' bits do not */
	{1000, S_IFREG | 0604, 0, 100, 4, -EACCES},
	{0, S_IFREG | 0000, 1000, 1000, 6, 0},
	{0, S_IFREG | 0644, 0, 0, 1, -EACCES}, /* root needs one x bit */
	{0, S_IFREG | 0001, 1000, 1000, 1, 0},
	{0, S_IFDIR | 0000, 1000, 1000, 7, 0},
};

static void test_permissions_follow_path_resolution_7(void)
{
	const uint32_t groups[1] = {7};

	for (size_t i = 0; i < SB_ARRAY_LEN(permit_cases); i++) {
		const struct permit_case *c = &permit_cases[i];
		struct sb_ids ids;

		sb_ids_init(&ids, c->uid, c->uid ? 100 : 0, groups, 1, SB_CAP_DEFAULT);
		CHECK_INT(sb_ids_permit(&ids, c->mode, c->file_uid, c->file_gid, c->want),
			  c->result);
		CHECK_INT(sb_ids_permit_real(&ids, c->mode, c->file_uid, c->file_gid, c->want),
			  c->result);
	}
}

static void test_access_checks_the_real_user(void)
{
	struct sb_ids ids;

	sb_ids_init(&ids, 0, 0, NULL, 0, SB_CAP_DEFAULT);
	CHECK_INT(sb_ids_setresuid(&ids, 1000, UINT32_MAX, UINT32_MAX), 0);
	CHECK_INT(sb_ids_permit(&ids, S_IFREG | 0600, 0, 0, 4), 0);
	CHECK_INT(sb_ids_permit_real(&ids, S_IFREG | 0600, 0, 0, 4), -EACCES);
}

static void test_sticky_directories_protect_other_peoples_files(void)
{
	struct sb_ids user;
	struct sb_ids root;

	sb_ids_init(&user, 1000, 1000, NULL, 0, SB_CAP_DEFAULT);
	sb_ids_init(&root, 0, 0, NULL, 0, SB_CAP_DEFAULT);
	CHECK_INT(sb_ids_may_delete(&user, 01777, 0, 1000), 0);
	CHECK_INT(sb_ids_may_delete(&user, 01777, 1000, 0), 0);
	CHECK_INT(sb_ids_may_delete(&user, 01777, 0, 1001), -EPERM);
	CHECK_INT(sb_ids_may_delete(&user, 00777, 0, 1001), 0);
	CHECK_INT(sb_ids_may_delete(&root, 01777, 1000, 1001), 0);
}

static void test_only_root_may_give_files_away(void)
{
	const uint32_t groups[1] = {7};
	struct sb_ids user;
	struct sb_ids root;

	sb_ids_init(&user, 1000, 100, groups, 1, SB_CAP_DEFAULT);
	sb_ids_init(&root, 0, 0, NULL, 0, SB_CAP_DEFAULT);
	CHECK_INT(sb_ids_may_chown(&root, 1, 1, 2, 2), 0);
	CHECK_INT(sb_ids_may_chown(&user, 1000, 100, 1001, UINT32_MAX), -EPERM);
	CHECK_INT(sb_ids_may_chown(&user, 1000, 100, 1000, 7), 0);
	CHECK_INT(sb_ids_may_chown(&user, 1000, 100, UINT32_MAX, 8), -EPERM);
	CHECK_INT(sb_ids_may_chown(&user, 1001, 100, UINT32_MAX, 7), -EPERM);
	CHECK_INT(sb_ids_may_chown(&user, 1001, 100, UINT32_MAX, UINT32_MAX), 0);
}

int main(int argc, char **argv)
{
	CHECK_INT(argc, 2);
	test_every_recorded_call_gives_the_kernels_result(argv[1]);
	test_permissions_follow_path_resolution_7();
	test_access_checks_the_real_user();
	test_sticky_directories_protect_other_peoples_files();
	test_only_root_may_give_files_away();
	return 0;
}
