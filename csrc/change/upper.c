/* SPDX-License-Identifier: MIT */
/*
 * upper.c - marks of the upper directory, and how entries get into it.
 *
 * How it works
 *   A whiteout is a symlink with the target control->whiteout; a directory is
 *   opaque when it holds an entry named control->opaque. New entries come from
 *   control->work by rename, so that nobody sees one half made.
 * Rules
 *   Signal-safe; the callers hold a commit section where that matters.
 */
#include "change/upper.h"

#include <errno.h>
#include <linux/fs.h>
#include <linux/stat.h>

#include "tree/dircache.h"
#include "base/mem.h"
#include "view/spot.h"

#define MARK_SIZE 64
#define LOCK_EX 2 /* sys/file.h */
#define LOCK_UN 8

static bool links_to_mark(const struct sb_tree *tree, int dirfd, const char *name)
{
	const char *mark = tree->control->whiteout;
	char target[MARK_SIZE];
	long len = sys_readlinkat(dirfd, name, target, sizeof(target));

	return len > 0 && sb_same(target, (size_t)len, mark, strlen(mark));
}

bool sb_upper_is_whiteout(const struct sb_tree *tree, int dirfd, const char *name)
{
	return links_to_mark(tree, dirfd, name);
}

bool sb_upper_is_opaque(const struct sb_fs *fs, const char *host_dir, uint32_t len)
{
	const struct sb_tree *tree = fs->tree;
	const char *opaque = tree->control->opaque;
	size_t mark_len = strlen(opaque);
	char path[3072];

	if (len + mark_len + 2 > sizeof(path)) {
		bool is;
		int dir;

		sb_commit_begin(fs);
		dir = (int)sys_openat(AT_FDCWD, host_dir,
				      O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
		if (dir < 0)
			return false;
		is = links_to_mark(tree, dir, opaque);
		sys_close(dir);
		return is;
	}
	memcpy(path, host_dir, len);
	path[len] = '/';
	memcpy(path + len + 1, opaque, mark_len + 1);
	return links_to_mark(tree, AT_FDCWD, path);
}

/* Is mark, which ends with a NUL, the name? Mostly the first byte tells. */
static bool is_named(const char *name, size_t len, const char *mark)
{
	for (size_t i = 0; i < len; i++) {
		if (mark[i] == '\0' || mark[i] != name[i])
			return false;
	}
	return mark[len] == '\0';
}

bool sb_upper_is_mark(const struct sb_tree *tree, const char *name, size_t len)
{
	const struct sb_control *control = tree->control;

	return is_named(name, len, control->opaque) || is_named(name, len, control->whiteout);
}

void sb_upper_touch(const struct sb_tree *tree, uint32_t node, unsigned char value)
{
	struct sb_control *control = tree->control;
	unsigned char now;

	if (__atomic_load_n(&control->upper_used, __ATOMIC_RELAXED) == 0)
		__atomic_store_n(&control->upper_used, 1, __ATOMIC_SEQ_CST);
	if (node == SB_NO_NODE || tree->index == NULL)
		return;
	now = __atomic_load_n(&tree->state[node], __ATOMIC_ACQUIRE);
	while (now < value && !__atomic_compare_exchange_n(&tree->state[node], &now, value, false,
							   __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE))
		;
}

int sb_upper_may_write(const struct sb_fs *fs, const struct sb_spot *spot)
{
	const struct sb_control *control = fs->tree->control;

	if (spot->mount != SB_NO_MOUNT)
		return (control->mounts[spot->mount].flags & SB_MOUNT_READ_ONLY) != 0 ? -EROFS : 0;
	return (control->flags & SB_CONTROL_READ_ONLY) != 0 ? -EROFS : 0;
}

int sb_upper_temp(const struct sb_fs *fs, struct sb_path *out)
{
	struct sb_control *control = fs->tree->control;
	uint64_t number = (uint64_t)sys_getpid() << 32 |
			  __atomic_fetch_add(&control->next_temp, 1, __ATOMIC_RELAXED);
	char name[16];
	int err;

	for (unsigned i = 0; i < sizeof(name); i++) {
		name[i] = "0123456789abcdef"[number & 15];
		number >>= 4;
	}
	err = sb_path_set(out, sb_text_at(control, control->work), control->work.len);
	return err < 0 ? err : sb_path_join(out, name, sizeof(name));
}

/* The same for a directory of the upper; what it looks like is remembered. */
static int stat_parent(const struct sb_fs *fs, const struct sb_at *at, uint32_t len,
		       const struct sb_path *host, struct sb_stat *out)
{
	uint32_t generation = sb_dircache_generation(fs->tree);
	struct sb_dir_looks looks = {.known = 1, .made = sb_dircache_count(fs->tree)};
	bool quiet = sb_dircache_is_quiet(fs->tree, looks.made);
	struct statx sx;
	bool is_there = sb_host_stat(host->buf, &sx) == 0;
	int err = sb_spot_stat(fs, &at->dir, host, is_there ? &sx : NULL, out);

	if (err < 0 || !is_there)
		return err;
	if (out->acl.access != 0 || out->acl.defaults != 0)
		return 0; /* lists say more than looks */
	looks.mode = out->mode;
	looks.uid = out->uid;
	looks.gid = out->gid;
	looks.mounts = sb_upper_has_mounts(fs->tree, at->guest.buf, len);
	looks.flat = quiet && sx.stx_nlink == 2 &&
		     (fs->tree->control->flags & SB_CONTROL_COUNTS_DIRS) != 0;
	sb_dircache_learn(fs, at->guest.buf, len, &at->dir, &looks, generation);
	return 0;
}

int sb_upper_parent(const struct sb_fs *fs, const struct sb_at *at, struct sb_stat *out)
{
	struct sb_path *host = &fs->work->p[2];
	uint32_t len = at->guest.len == 1 || at->name == 1 ? 1 : at->name - 1;
	int err = sb_spot_host(fs, &at->dir, at->guest.buf, len, host);

	if (err < 0)
		return err;
	if (!at->has_dir_stat && at->dir.place == SB_PLACE_UPPER)
		return stat_parent(fs, at, len, host, out);
	return sb_spot_stat(fs, &at->dir, host, at->has_dir_stat ? &at->dir_stat : NULL, out);
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

bool sb_upper_is_mount_point(const struct sb_fs *fs, const struct sb_at *at)
{
	const struct sb_control *control = fs->tree->control;

	return at->spot.mount != SB_NO_MOUNT &&
	       control->mounts[at->spot.mount].guest.len == at->guest.len;
}

bool sb_upper_has_mounts(const struct sb_tree *tree, const char *guest, uint32_t len)
{
	const struct sb_control *control = tree->control;

	if (!sb_spot_near_mounts(control, guest, len))
		return false;
	for (uint32_t i = 0; i < control->mount_count; i++) {
		const struct sb_mount *mount = &control->mounts[i];

		if (sb_path_within(sb_text_at(control, mount->guest), mount->guest.len, guest, len))
			return true;
	}
	return false;
}

int sb_upper_make_whiteout(const struct sb_tree *tree, const char *host)
{
	return (int)sys_symlinkat(tree->control->whiteout, AT_FDCWD, host);
}

int sb_upper_make_opaque(const struct sb_fs *fs, const struct sb_path *host)
{
	const char *opaque = fs->tree->control->opaque;
	struct sb_path *mark = &fs->work->p[3];
	struct sb_timespec times[2];
	struct statx sx;
	int err = sb_host_stat(host->buf, &sx);

	if (err == 0)
		err = sb_path_set(mark, host->buf, host->len);
	if (err == 0)
		err = sb_path_join(mark, opaque, strlen(opaque));
	if (err == 0)
		err = sb_upper_make_whiteout(fs->tree, mark->buf);
	if (err < 0)
		return err == -EEXIST ? 0 : err;
	times[0] = (struct sb_timespec){sx.stx_atime.tv_sec, sx.stx_atime.tv_nsec};
	times[1] = (struct sb_timespec){sx.stx_mtime.tv_sec, sx.stx_mtime.tv_nsec};
	sys_utimensat(AT_FDCWD, host->buf, times, AT_SYMLINK_NOFOLLOW);
	return 0;
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

/* The host cannot rename with flags: is the way free, without them? */
static int place_plainly(const struct sb_fs *fs, const char *temp, const char *dst)
{
	struct statx sx;
	int err = sb_host_stat(dst, &sx);

	if (err == 0) {
		if (!links_to_mark(fs->tree, AT_FDCWD, dst))
			return -EEXIST;
		err = (int)sys_unlinkat(AT_FDCWD, dst, 0);
	}
	if (err < 0 && err != -ENOENT)
		return err;
	return (int)sys_renameat2(AT_FDCWD, temp, AT_FDCWD, dst, 0);
}

int sb_upper_lock(const struct sb_fs *fs)
{
	const struct sb_control *control = fs->tree->control;
	struct sb_path *path = &fs->work->p[4];
	long err = sb_path_set(path, sb_text_at(control, control->run), control->run.len);
	int lock;

	if (err == 0)
		err = sb_path_join(path, "control", 7);
	if (err < 0)
		return (int)err;
	lock = (int)sys_openat(AT_FDCWD, path->buf, O_RDONLY | O_CLOEXEC, 0);
	do {
		err = lock < 0 ? lock : sb_syscall(__NR_flock, lock, LOCK_EX, 0, 0, 0, 0);
	} while (err == -EINTR);
	return lock;
}

void sb_upper_unlock(int lock)
{
	if (lock < 0)
		return;
	sb_syscall(__NR_flock, lock, LOCK_UN, 0, 0, 0, 0); /* a forked child may hold it too */
	sys_close(lock);
}

/* Exchange temp with the whiteout dst, which goes. */
static int place_over_whiteout(const struct sb_fs *fs, const char *temp, const char *dst)
{
	int err;

	if (!links_to_mark(fs->tree, AT_FDCWD, dst)) /* gone or taken meanwhile */
		return (int)sys_renameat2(AT_FDCWD, temp, AT_FDCWD, dst, RENAME_NOREPLACE);
	err = (int)sys_renameat2(AT_FDCWD, temp, AT_FDCWD, dst, RENAME_EXCHANGE);
	if (err == -EINVAL || err == -ENOSYS)
		return place_plainly(fs, temp, dst);
	if (err < 0)
		return err;
	if (links_to_mark(fs->tree, AT_FDCWD, temp)) {
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
	if (err != -EEXIST || !links_to_mark(fs->tree, AT_FDCWD, dst))
		return err;
	lock = sb_upper_lock(fs);
	err = place_over_whiteout(fs, temp, dst);
	sb_upper_unlock(lock);
	return err;
}

int sb_upper_swap_out(const struct sb_fs *fs, const char *dst, const char *temp)
{
	int err = sb_upper_make_whiteout(fs->tree, temp);

	if (err < 0)
		return err;
	err = (int)sys_renameat2(AT_FDCWD, temp, AT_FDCWD, dst, RENAME_EXCHANGE);
	if (err == 0)
		return 0;
	sys_unlinkat(AT_FDCWD, temp, 0);
	if (err != -EINVAL && err != -ENOSYS)
		return err;
	err = (int)sys_renameat2(AT_FDCWD, dst, AT_FDCWD, temp, 0);
	return err < 0 ? err : sb_upper_make_whiteout(fs->tree, dst);
}

/* Remove marks; -ENOTEMPTY at the first entry that is none. */
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
			if (name[0] == '.' &&
			    (name[1] == '\0' || (name[1] == '.' && name[2] == '\0')))
				continue;
			if (!sb_same(name, strlen(name), opaque, strlen(opaque)) &&
			    !links_to_mark(fs->tree, dir, name))
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

void sb_upper_fd_name(int fd, char out[32])
{
	static const char prefix[] = "/proc/self/fd/";
	size_t at = sizeof(prefix) - 1;
	unsigned number = (unsigned)fd;
	unsigned unit = 1;

	memcpy(out, prefix, sizeof(prefix));
	while (number / unit >= 10)
		unit *= 10;
	for (; unit != 0; unit /= 10)
		out[at++] = (char)('0' + number / unit % 10);
	out[at] = '\0';
}

int sb_upper_fd_path(int fd, struct sb_path *out)
{
	char name[32];
	long len;

	sb_upper_fd_name(fd, name);
	len = sys_readlinkat(AT_FDCWD, name, out->buf, sizeof(out->buf) - 1);
	if (len < 0)
		return (int)len;
	out->len = (uint32_t)len;
	out->buf[len] = '\0';
	return 0;
}
