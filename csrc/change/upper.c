/* SPDX-License-Identifier: MIT */
/*
 * upper.c - how entries get into the upper directory and out of it.
 *
 * How it works
 *   A new entry is made in control->work and renamed into place, so that no process sees it half
 *   made.
 * Rules
 *   Signal-safe. The callers hold a commit section where one is needed.
 */
#include <errno.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/stat.h>

#include "base/dirent.h"
#include "base/shared_abi.h"
#include "base/stat.h"
#include "change/internal.h"
#include "tree/host_path.h"
#include "tree/whiteout.h"

#define MARK_SIZE 64
#define LOCK_PATIENCE 3000 /* milliseconds */
#define LOCK_EX 2 /* sys/file.h */
#define LOCK_NB 4
#define LOCK_UN 8
#define MAX_DEPTH 2048

void sb_upper_touch(const struct sb_tree *tree, uint32_t node, unsigned char value)
{
	struct sb_shared *shared = tree->shared;
	unsigned char now;

	if (__atomic_load_n(&shared->upper_used, __ATOMIC_RELAXED) == 0)
		__atomic_store_n(&shared->upper_used, 1, __ATOMIC_SEQ_CST);
	if (node == SB_NO_NODE || tree->index == NULL)
		return;
	now = __atomic_load_n(&tree->state[node], __ATOMIC_ACQUIRE);
	while (now < value && !__atomic_compare_exchange_n(&tree->state[node], &now, value, false,
							   __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE))
		;
}

int sb_upper_temp(const struct sb_fs *fs, struct sb_path *out)
{
	const struct sb_control *control = fs->tree->control;
	uint64_t number = (uint64_t)sys_getpid() << 32 |
			  __atomic_fetch_add(&fs->tree->shared->next_temp, 1, __ATOMIC_RELAXED);
	char name[16];
	int err;

	for (unsigned i = 0; i < sizeof(name); i++) {
		name[i] = "0123456789abcdef"[number & 15];
		number >>= 4;
	}
	err = sb_path_set(out, sb_text_at(control, control->work), control->work.len);
	return err < 0 ? err : sb_path_join(out, name, sizeof(name));
}

bool sb_upper_hides(const struct sb_fs *fs, const struct sb_at *at)
{
	struct statx sx;

	if (!at->dir.lower_below || at->spot.mount != SB_NO_MOUNT)
		return false;
	if (fs->tree->index)
		return at->spot.node != SB_NO_NODE;
	return sb_host_stat(at->guest.buf, &sx) == 0;
}

bool sb_upper_needs_record(const struct sb_looks *looks)
{
	uint32_t type = looks->mode & S_IFMT;

	if (looks->uid != 0 || looks->gid != 0 || type == S_IFCHR || type == S_IFBLK)
		return true;
	return type != S_IFLNK && (looks->mode & 07777) != sb_upper_host_mode(type, looks->mode);
}

int sb_upper_dress(const struct sb_fs *fs, const char *host, const struct sb_looks *looks)
{
	uint32_t type = looks->mode & S_IFMT;
	struct sb_owner record = {.uid = looks->uid, .gid = looks->gid};
	struct sb_owner_key key;
	struct statx sx;
	uint32_t mode = sb_upper_host_mode(type, looks->mode);
	int err = 0;

	if (!sb_upper_needs_record(looks) && !sb_owner_may_be_stale(fs->tree) && fs->umask != 0)
		return 0;
	err = sb_host_stat(host, &sx);
	if (err < 0)
		return err;
	if (type != S_IFLNK && (sx.stx_mode & 07777) != mode)
		err = (int)sys_fchmodat(AT_FDCWD, host, mode);
	if (err < 0)
		return err;
	sb_owner_key(fs->tree, &sx, &key);
	if (!sb_upper_needs_record(looks)) {
		sb_owner_drop(fs->tree, &key);
		return 0;
	}
	if (looks->uid != 0 || looks->gid != 0)
		record.flags |= SB_OWNER_IDS;
	if (type == S_IFCHR || type == S_IFBLK ||
	    (type != S_IFLNK && (looks->mode & 07777) != mode)) {
		record.flags |= SB_OWNER_MODE;
		record.mode = looks->mode;
		record.rdev = looks->rdev;
	}
	return sb_owner_put(fs->tree, &key, &record);
}

/* The host has no rename with flags: check that the way is free, and rename without. */
static int place_plainly(const struct sb_fs *fs, const char *temp, const char *dst)
{
	struct statx sx;
	int err = sb_host_stat(dst, &sx);

	if (err == 0) {
		if (!sb_is_whiteout(fs->tree, AT_FDCWD, dst))
			return -EEXIST;
		err = (int)sys_unlinkat(AT_FDCWD, dst, 0);
	}
	if (err < 0 && err != -ENOENT)
		return err;
	return (int)sys_renameat2(AT_FDCWD, temp, AT_FDCWD, dst, 0);
}

/* On the host side: a guest could hold the lock for ever, to the harm of its own container only. */
static void wait_shortly(int lock)
{
	const struct sb_timespec pause = {0, 1000000};
	const uint32_t word = 0;
	int left = LOCK_PATIENCE;

	while (sb_syscall(__NR_flock, lock, LOCK_EX | LOCK_NB, 0, 0, 0, 0) < 0 && left-- > 0)
		sb_syscall(__NR_futex, SB_P(&word), FUTEX_WAIT, 0, SB_P(&pause), 0, 0);
}

int sb_upper_lock(const struct sb_fs *fs)
{
	const struct sb_control *control = fs->tree->control;
	struct sb_path *path = &fs->work->host;
	long err = sb_path_set(path, sb_text_at(control, control->run), control->run.len);
	int lock;

	if (err == 0)
		err = sb_path_join(path, "shared", 6);
	if (err < 0)
		return (int)err;
	lock = (int)sys_openat(AT_FDCWD, path->buf, O_RDONLY | O_CLOEXEC, 0);
	if (lock >= 0 && fs->commit == NULL) {
		wait_shortly(lock);
		return lock;
	}
	do {
		err = lock < 0 ? lock : sb_syscall(__NR_flock, lock, LOCK_EX, 0, 0, 0, 0);
	} while (err == -EINTR);
	return lock;
}

void sb_upper_unlock(int lock)
{
	if (lock < 0)
		return;
	sb_syscall(__NR_flock, lock, LOCK_UN, 0, 0, 0, 0); /* a forked child may have it, too */
	sys_close(lock);
}

/* Exchange temp with the whiteout dst, and remove that. */
static int place_over_whiteout(const struct sb_fs *fs, const char *temp, const char *dst)
{
	int err;

	if (!sb_is_whiteout(fs->tree, AT_FDCWD, dst)) /* another process removed or replaced it */
		return (int)sys_renameat2(AT_FDCWD, temp, AT_FDCWD, dst, RENAME_NOREPLACE);
	err = (int)sys_renameat2(AT_FDCWD, temp, AT_FDCWD, dst, RENAME_EXCHANGE);
	if (err == -EINVAL || err == -ENOSYS)
		return place_plainly(fs, temp, dst);
	if (err < 0)
		return err;
	if (sb_is_whiteout(fs->tree, AT_FDCWD, temp)) {
		sys_unlinkat(AT_FDCWD, temp, 0);
		return 0;
	}
	sys_renameat2(AT_FDCWD, temp, AT_FDCWD, dst, RENAME_EXCHANGE);
	return -EEXIST;
}

int sb_upper_place(const struct sb_fs *fs, const char *temp, const char *dst)
{
	int err = (int)sys_renameat2(AT_FDCWD, temp, AT_FDCWD, dst, RENAME_NOREPLACE);
	int lock;

	if (err == -EINVAL || err == -ENOSYS)
		return place_plainly(fs, temp, dst);
	if (err != -EEXIST || !sb_is_whiteout(fs->tree, AT_FDCWD, dst))
		return err;
	lock = sb_upper_lock(fs);
	err = place_over_whiteout(fs, temp, dst);
	sb_upper_unlock(lock);
	return err;
}

int sb_upper_swap_out(const struct sb_fs *fs, const char *dst, const char *temp)
{
	int err = sb_make_whiteout(fs->tree, temp);

	if (err < 0)
		return err;
	err = (int)sys_renameat2(AT_FDCWD, temp, AT_FDCWD, dst, RENAME_EXCHANGE);
	if (err == 0)
		return 0;
	sys_unlinkat(AT_FDCWD, temp, 0);
	if (err != -EINVAL && err != -ENOSYS)
		return err;
	err = (int)sys_renameat2(AT_FDCWD, dst, AT_FDCWD, temp, 0);
	return err < 0 ? err : sb_make_whiteout(fs->tree, dst);
}

/* Remove marks; -ENOTEMPTY at the first other entry. */
static int remove_marks(const struct sb_fs *fs, int dir)
{
	const char *opaque = fs->tree->control->opaque;
	_Alignas(8) char buf[1024];
	long len;

	while ((len = sys_getdents64(dir, buf, sizeof(buf))) > 0) {
		for (long at = 0; at < len;) {
			const struct sb_dirent *entry = (const void *)(buf + at);
			const char *name = entry->name;

			at += entry->reclen;
			if (sb_is_dots(name))
				continue;
			if (!sb_same(name, strlen(name), opaque, strlen(opaque)) &&
			    !sb_is_whiteout(fs->tree, dir, name))
				return -ENOTEMPTY;
			sys_unlinkat(dir, name, 0);
		}
	}
	return (int)len;
}

int sb_upper_remove_dir(const struct sb_fs *fs, const char *host)
{
	int err = (int)sys_unlinkat(AT_FDCWD, host, AT_REMOVEDIR);
	int dir;

	if (err != -ENOTEMPTY && err != -EEXIST)
		return err;
	dir = (int)sys_openat(AT_FDCWD, host, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	if (dir < 0)
		return dir;
	err = remove_marks(fs, dir);
	sys_close(dir);
	return err < 0 ? err : (int)sys_unlinkat(AT_FDCWD, host, AT_REMOVEDIR);
}

int sb_upper_settle(const struct sb_fs *fs, struct sb_at *at, uint32_t type, bool lower_below)
{
	at->has_stat = false;
	at->has_look = false;
	at->spot.type = type;
	at->spot.whiteout = false;
	if (at->dir.mount != SB_NO_MOUNT) {
		at->spot.place = SB_PLACE_MOUNT;
		at->spot.mount = at->dir.mount;
		return 0;
	}
	at->spot.place = SB_PLACE_UPPER;
	at->spot.in_upper = type == S_IFDIR;
	at->spot.lower_below = lower_below;
	return sb_tree_upper_path(fs, at->guest.buf, at->guest.len, &at->host);
}

int sb_upper_settle_absent(const struct sb_fs *fs, struct sb_at *at, bool whiteout)
{
	at->has_stat = false;
	at->has_look = false;
	at->spot.place = SB_PLACE_ABSENT;
	at->spot.type = 0;
	at->spot.in_upper = false;
	at->spot.lower_below = false;
	at->spot.whiteout = whiteout;
	if (at->dir.mount != SB_NO_MOUNT)
		return 0;
	return sb_tree_upper_path(fs, at->guest.buf, at->guest.len, &at->host);
}

int sb_upper_cover(const struct sb_fs *fs, const char *host)
{
	struct sb_path *temp = &fs->work->temp;
	int err = sb_upper_temp(fs, temp);

	if (err == 0)
		err = sb_upper_swap_out(fs, host, temp->buf);
	if (err < 0)
		return err;
	if (sb_is_whiteout(fs->tree, AT_FDCWD, temp->buf))
		err = -ENOENT; /* another process came first */
	sys_unlinkat(AT_FDCWD, temp->buf, 0);
	return err;
}

int sb_upper_replace_dir(const struct sb_fs *fs, const char *host)
{
	struct sb_path *temp = &fs->work->temp;
	int err = sb_upper_temp(fs, temp);

	if (err == 0)
		err = sb_upper_swap_out(fs, host, temp->buf);
	if (err < 0)
		return err;
	if (sb_is_whiteout(fs->tree, AT_FDCWD, temp->buf)) {
		sys_unlinkat(AT_FDCWD, temp->buf, 0);
		return -ENOENT; /* another process came first */
	}
	err = sb_upper_remove_dir(fs, temp->buf);
	if (err < 0) { /* another process made something in it */
		sys_renameat2(AT_FDCWD, temp->buf, AT_FDCWD, host, RENAME_EXCHANGE);
		sys_unlinkat(AT_FDCWD, temp->buf, 0);
	}
	return err;
}

int sb_upper_drop_dir(const struct sb_fs *fs, const char *host)
{
	struct sb_path *temp = &fs->work->temp;
	int err = (int)sys_unlinkat(AT_FDCWD, host, AT_REMOVEDIR);

	if (err != -ENOTEMPTY && err != -EEXIST)
		return err;
	err = sb_upper_temp(fs, temp);
	if (err == 0)
		err = (int)sys_renameat2(AT_FDCWD, host, AT_FDCWD, temp->buf, 0);
	if (err < 0)
		return err;
	err = sb_upper_remove_dir(fs, temp->buf);
	if (err < 0)
		(void)!sb_upper_place(fs, temp->buf, host);
	return err;
}

/* ---- a walk --------------------------------------------------------------- */

/* Visit the entries of the open directory dir from *pos on. 1: path is now a directory to go into;
 * 0: the end. */
static int visit_entries(struct sb_fs *fs, int dir, struct sb_path *path, sb_upper_visit *visit,
			 int64_t *pos)
{
	_Alignas(8) char buf[2048];
	long len = sys_lseek(dir, *pos, SEEK_SET);

	if (len < 0)
		return (int)len;
	while ((len = sys_getdents64(dir, buf, sizeof(buf))) > 0) {
		for (long at = 0; at < len;) {
			const struct sb_dirent *entry = (const void *)(buf + at);
			int err;

			at += entry->reclen;
			*pos = entry->off;
			if (sb_is_dots(entry->name))
				continue;
			err = sb_path_join(path, entry->name, strlen(entry->name));
			if (err == 0)
				err = visit(fs, path);
			if (err != 0)
				return err;
			sb_path_pop(path);
		}
	}
	return (int)len;
}

int sb_upper_walk(struct sb_fs *fs, struct sb_path *path, sb_upper_visit *visit)
{
	int64_t *pos = (int64_t *)(void *)fs->work->buffer; /* in each directory on the way */
	uint32_t depth = 0;

	pos[0] = 0;
	for (;;) {
		int dir = (int)sys_openat(AT_FDCWD, path->buf,
					  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
		int more;

		if (dir < 0)
			return dir;
		more = visit_entries(fs, dir, path, visit, &pos[depth]);
		sys_close(dir);
		if (more < 0)
			return more;
		if (more == 1) {
			if (++depth == MAX_DEPTH)
				return -ENAMETOOLONG;
			pos[depth] = 0;
			continue;
		}
		if (depth-- == 0)
			return 0;
		sb_path_pop(path);
	}
}
