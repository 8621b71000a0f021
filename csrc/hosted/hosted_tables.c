/* SPDX-License-Identifier: MIT */
/*
 * hosted_tables.c - the tables of a container: mounts, entries of new processes, processes.
 *
 * Rules
 *   Hosted build only. Mounts are added while the container has no process.
 * Does not know
 *   How the file is made and laid out (hosted_control.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/stat.h"
#include "hosted/control_file.h"
#include "hosted/internal.h"
#include "hosted/shared_file.h"
#include "tree/index.h"

/* ---- mounts ------------------------------------------------------------------ */

static void insert_mount(struct sb_control *control, const struct sb_mount *mount)
{
	const unsigned char first = (unsigned char)sb_text_at(control, mount->guest)[1];
	uint32_t at = 0;

	control->mount_firsts[first / 64] |= 1ULL << first % 64;
	while (at < control->mount_count && control->mounts[at].guest.len > mount->guest.len)
		at++;
	memmove(&control->mounts[at + 1], &control->mounts[at],
		(control->mount_count - at) * sizeof(control->mounts[0]));
	control->mounts[at] = *mount;
	control->mount_count++;
}

static void drop_mount(struct sb_control *control, const char *guest, size_t len)
{
	for (uint32_t i = 0; i < control->mount_count; i++) {
		const struct sb_mount *m = &control->mounts[i];

		if (!sb_same(sb_text_at(control, m->guest), m->guest.len, guest, len))
			continue;
		control->mount_count--;
		memmove(&control->mounts[i], &control->mounts[i + 1],
			(control->mount_count - i) * sizeof(control->mounts[0]));
		return;
	}
}

/* The mount hides the node at its path: make look-ups ask the mount table. */
static void shadow_nodes(struct sb_hosted *h, const char *guest, size_t len, struct sb_mount *mount)
{
	size_t parent_len = len;
	uint32_t node;

	mount->parent = SB_NO_NODE;
	if (h->tree.index == NULL)
		return;
	node = sb_index_find_path(&h->tree, guest, len);
	if (node != SB_NO_NODE)
		h->tree.state[node] = SB_STATE_ASK;
	while (guest[parent_len - 1] != '/')
		parent_len--;
	mount->parent = sb_index_find_path(&h->tree, guest, parent_len > 1 ? parent_len - 1 : 1);
}

int sb_hosted_add_mount(struct sb_hosted *h, uint32_t kind, uint32_t flags, const char *guest,
			const char *host, uint32_t uid, uint32_t gid)
{
	struct sb_control *control = h->draft;
	struct sb_mount mount = {.kind = kind, .flags = flags, .uid = uid, .gid = gid};
	size_t len = strlen(guest);
	struct statx sx = {0};
	int err = 0;

	if (control == NULL || len < 2 || len >= SB_PATH_MAX || guest[0] != '/')
		return -EINVAL;
	if (kind != SB_MOUNT_LINK)
		err = (int)sys_statx(AT_FDCWD, host, 0, STATX_BASIC_STATS, &sx);
	if (err < 0)
		return err;
	drop_mount(control, guest, len);
	if (control->mount_count == SB_MAX_MOUNTS)
		return -ENOSPC;
	mount.hash = sb_hash(guest, len);
	mount.dev = sb_make_dev(sx.stx_dev_major, sx.stx_dev_minor);
	mount.is_dir = (sx.stx_mode & S_IFMT) == S_IFDIR;
	err = sb_hosted_put_text(control, guest, &mount.guest);
	if (err == 0)
		err = sb_hosted_put_text(control, host, &mount.host);
	if (err < 0)
		return err;
	shadow_nodes(h, guest, len, &mount);
	insert_mount(control, &mount);
	if (uid != 0 || gid != 0)
		control->flags |= SB_CONTROL_OWNED_MOUNTS;
	return 0;
}

/* ---- processes ---------------------------------------------------------------- */

/* Take a free entry, or one whose process has begun already; NULL when all are waiting. */
static struct sb_entry *take_entry(struct sb_control *control, uint32_t *number)
{
	struct sb_entry *entries = control->entries;

	for (uint32_t wanted = 0; wanted <= 2; wanted += 2) {
		for (uint32_t i = 0; i < SB_MAX_ENTRIES; i++) {
			uint32_t state = wanted;

			if (!__atomic_compare_exchange_n(&entries[i].state, &state, 3, false,
							 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
				continue;
			*number = i;
			return &entries[i];
		}
	}
	return NULL;
}

int sb_hosted_post_entry(struct sb_hosted *h, const char *path, const char *cwd, uint32_t umask,
			 uint32_t uid, uint32_t gid, const uint32_t *groups, uint32_t group_count,
			 uint32_t has_all_caps)
{
	const struct sb_control *control = h->tree.control;
	struct sb_map map = {0};
	struct sb_entry *entry;
	uint32_t number;
	int err;

	if (strlen(path) >= SB_PATH_MAX || strlen(cwd) >= SB_PATH_MAX)
		return -ENAMETOOLONG;
	if (group_count > SB_MAX_GROUPS)
		return -EINVAL;
	err = sb_control_map(h->path, true, &map);
	if (err < 0)
		return err;
	entry = take_entry(map.at, &number);
	if (entry == NULL) {
		sb_unmap(&map);
		return -EBUSY;
	}
	entry->umask = umask;
	memset(&entry->ids, 0, sizeof(entry->ids));
	sb_ids_init(&entry->ids, uid, gid, groups, group_count,
		    has_all_caps ? SB_CAP_FULL : control->caps);
	entry->ids.no_new_privs = (control->flags & SB_CONTROL_NO_NEW_PRIVS) != 0;
	memcpy(entry->path, path, strlen(path) + 1);
	memcpy(entry->cwd, cwd, strlen(cwd) + 1);
	__atomic_store_n(&entry->state, 1, __ATOMIC_RELEASE);
	sb_unmap(&map);
	return (int)number;
}

int sb_hosted_processes(const char *path, uint32_t *pids, uint64_t *started, uint32_t room)
{
	const int fd = sb_shared_open(path);
	const int ret = fd < 0 ? fd : sb_shared_processes(fd, pids, started, room);

	if (fd >= 0)
		sys_close(fd);
	return ret;
}
