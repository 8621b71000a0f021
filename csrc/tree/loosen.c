/* SPDX-License-Identifier: MIT */
/*
 * loosen.c - override of permissions on the user's own files in mounts.
 */
#include "tree/loosen.h"

#include <errno.h>

#include "base/stat.h"

#define SET_ID 06000U

static bool is_ours(const struct sb_fs *fs, uint32_t mount, const struct statx *sx)
{
	const struct sb_control *control = fs->tree->control;
	const struct sb_mount *m;

	if (mount >= control->mount_count)
		return false;
	m = &control->mounts[mount];
	return (m->kind == SB_MOUNT_BIND || m->kind == SB_MOUNT_TMPFS) &&
	       (m->flags & SB_MOUNT_READ_ONLY) == 0 && sx->stx_uid == control->host_uid &&
	       (sx->stx_mode & S_IFMT) != S_IFLNK && (sx->stx_mode & SET_ID) == 0;
}

bool sb_may_loosen(const struct sb_fs *fs, uint32_t mount, const char *host)
{
	struct statx sx;

	return sb_host_stat(host, &sx) == 0 && is_ours(fs, mount, &sx);
}

int sb_loosen(const struct sb_fs *fs, uint32_t mount, const char *host, uint32_t bits,
	      struct sb_loosened *done)
{
	struct sb_loosened own;
	struct sb_loosened *d = done != NULL ? done : &own;
	struct statx sx;
	int err = sb_host_stat(host, &sx);

	if (err < 0)
		return err;
	if (!is_ours(fs, mount, &sx))
		return -EACCES;
	sb_owner_load(fs->tree, &sx, &d->key, &d->record);
	d->had_mode = (d->record.flags & SB_OWNER_MODE) != 0;
	d->before = sx.stx_mode & 07777;
	d->now = d->before | bits;
	if (d->now == d->before)
		return 0;
	sb_commit_begin(fs);
	if (!d->had_mode) {
		d->record.flags |= SB_OWNER_MODE;
		d->record.mode = sx.stx_mode;
		d->record.rdev = 0;
		err = sb_owner_put(fs->tree, &d->key, &d->record);
	}
	return err < 0 ? err : (int)sys_fchmodat(AT_FDCWD, host, d->now);
}

/* Cut host, which lies in the mount, to its first len bytes. */
static const char *cut(const struct sb_fs *fs, const struct sb_path *host, uint32_t len)
{
	struct sb_path *dir = &fs->work->loosened;

	return sb_path_set(dir, host->buf, len) < 0 ? NULL : dir->buf;
}

/* How long the host path of the mount's root is, or UINT32_MAX. */
static uint32_t root_len(const struct sb_fs *fs, uint32_t mount)
{
	const struct sb_control *control = fs->tree->control;

	return mount < control->mount_count ? control->mounts[mount].host.len : UINT32_MAX;
}

int sb_loosen_dir_of(const struct sb_fs *fs, uint32_t mount, const struct sb_path *host,
		     uint32_t bits)
{
	const uint32_t name = sb_path_name(host);
	const uint32_t len = name > 1 ? name - 1 : 1;
	const char *dir;

	if (len < root_len(fs, mount))
		return -EACCES;
	dir = cut(fs, host, len);
	return dir == NULL ? -EACCES : sb_loosen(fs, mount, dir, bits, NULL);
}

int sb_loosen_above(const struct sb_fs *fs, uint32_t mount, const struct sb_path *host)
{
	int err = -EACCES;

	/* From the root down: a directory cannot be seen before those above it can be searched. */
	for (uint32_t len = root_len(fs, mount); len < host->len;) {
		const char *dir = cut(fs, host, len);
		struct statx sx;

		if (dir != NULL && sb_host_stat(dir, &sx) == 0 && (sx.stx_mode & 0100) == 0) {
			err = sb_loosen(fs, mount, dir, 0100, NULL);
			if (err < 0)
				return err;
		}
		do
			len++;
		while (len < host->len && host->buf[len] != '/');
	}
	return err;
}

void sb_loosen_ahead(const struct sb_fs *fs, const struct sb_at *at, unsigned want)
{
	if (at->spot.place == SB_PLACE_MOUNT &&
	    sys_faccessat2(AT_FDCWD, at->host.buf, (int)want, 0) == -EACCES)
		(void)!sb_loosen(fs, at->spot.mount, at->host.buf, want << 6, NULL);
}

void sb_tighten(const struct sb_fs *fs, const char *host, const struct sb_loosened *done)
{
	struct sb_owner_key key;
	struct sb_owner record;
	struct statx sx;

	if (done->now == done->before || sb_host_stat(host, &sx) < 0 ||
	    (sx.stx_mode & 07777) != done->now || !sb_owner_load(fs->tree, &sx, &key, &record) ||
	    key.ino != done->key.ino || record.mode != done->record.mode)
		return;
	if (sys_fchmodat(AT_FDCWD, host, done->before) < 0 || done->had_mode)
		return;
	record.flags &= ~(uint32_t)SB_OWNER_MODE;
	if (record.flags == 0)
		sb_owner_drop(fs->tree, &key);
	else
		(void)!sb_owner_put(fs->tree, &key, &record);
}
