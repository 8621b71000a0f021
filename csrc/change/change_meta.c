/* SPDX-License-Identifier: MIT */
/*
 * change_meta.c - chmod, chown, utimens and truncate.
 *
 * How it works
 *   The caller's rights are checked, a lower file is copied up, and host_file.c does the rest. An
 *   entry of a pure directory is found by its name there.
 */
#include <errno.h>

#include "base/stat.h"
#include "change/host_file.h"
#include "tree/descriptors.h"
#include "tree/dircache.h"
#include "tree/file_acl.h"
#include "tree/loosen.h"
#include "tree/xattr.h"

/* Check what needs no copy-up; at->st is valid after. */
static int begin(struct sb_fs *fs, struct sb_at *at)
{
	int err;

	if (at->spot.place == SB_PLACE_ABSENT)
		return -ENOENT;
	err = sb_tree_may_write(fs, &at->spot);
	if (err < 0)
		return err;
	if (at->spot.place == SB_PLACE_LINK)
		return -EPERM;
	return at->has_stat ? 0 : sb_tree_stat(fs, at);
}

static int bring_up(struct sb_fs *fs, struct sb_at *at, uint64_t keep, struct sb_file *file)
{
	int err = sb_copyup(fs, at, keep);

	at->has_stat = false;
	return err < 0 ? err : sb_file_open_path(fs, at, file);
}

/* Fill file with an entry of a pure directory that is not read-only. */
static int open_pure(struct sb_fs *fs, const struct sb_pure_name *at, unsigned flags,
		     struct sb_file *file)
{
	int err = sb_pure_may_write(fs, at->pure) ? 0 : -SB_ELOOK;

	if (err == 0)
		err = sb_pure_look(fs, at, flags, &file->sx);
	if (err < 0)
		return err;
	file->host = at->name;
	file->fd = at->dirfd;
	file->in_upper = at->pure == SB_PURE_UPPER;
	file->mount = sb_pure_mount(at->pure);
	sb_file_look(fs, file);
	return 0;
}

int sb_change_chmod(struct sb_fs *fs, struct sb_at *at, uint32_t mode)
{
	struct sb_file file;
	int err = begin(fs, at);

	if (err == 0 && at->spot.type == S_IFLNK)
		err = -EOPNOTSUPP;
	if (err == 0 && !sb_ids_owns(fs->ids, at->st.uid))
		err = -EPERM;
	if (err == 0)
		err = bring_up(fs, at, UINT64_MAX, &file);
	return err < 0 ? err : sb_file_set_mode(fs, &file, mode);
}

int sb_pure_chmod(struct sb_fs *fs, const struct sb_pure_name *at, unsigned flags, uint32_t mode)
{
	struct sb_file file;
	int err = open_pure(fs, at, flags, &file);

	if (err == 0 && !sb_ids_owns(fs->ids, file.st.uid))
		err = -EPERM;
	return err < 0 ? err : sb_file_set_mode(fs, &file, mode);
}

/* May root change a file with the kernel's call alone? Yes if it made the file, which has got no
 * record since. */
static bool is_new(const struct sb_fs *fs, int fd)
{
	const uint64_t caps = 1ULL << SB_CAP_FOWNER | 1ULL << SB_CAP_FSETID;

	return sb_fds_is_new(fs, fd) && (fs->ids->cap_effective & caps) == caps &&
	       sb_pure_may_write(fs, SB_PURE_UPPER);
}

int sb_change_fchmod(struct sb_fs *fs, int fd, uint32_t mode)
{
	struct sb_file file;
	int err;

	if (is_new(fs, fd) && (mode & 07777) == sb_upper_host_mode(S_IFREG, mode & 07777))
		return (int)sys_fchmod(fd, mode & 07777);
	err = sb_file_open_fd(fs, fd, &file);
	if (err == 0 && !sb_ids_owns(fs->ids, file.st.uid))
		err = -EPERM;
	return err < 0 ? err : sb_file_set_mode(fs, &file, mode);
}

/* ---- owner -------------------------------------------------------------- */

int sb_change_chown(struct sb_fs *fs, struct sb_at *at, uint32_t uid, uint32_t gid)
{
	struct sb_file file;
	int err = begin(fs, at);

	if (err == 0)
		err = sb_file_may_chown(fs, &at->st, uid, gid);
	if (err == 0)
		err = bring_up(fs, at, UINT64_MAX, &file);
	return err < 0 ? err : sb_file_set_owner(fs, &file, uid, gid);
}

int sb_pure_chown(struct sb_fs *fs, const struct sb_pure_name *at, unsigned flags, uint32_t uid,
		  uint32_t gid)
{
	struct sb_file file;
	int err = open_pure(fs, at, flags, &file);

	if (err == 0)
		err = sb_file_may_chown(fs, &file.st, uid, gid);
	return err < 0 ? err : sb_file_set_owner(fs, &file, uid, gid);
}

static bool is_root_or_none(uint32_t id)
{
	return id == 0 || id == UINT32_MAX;
}

int sb_change_fchown(struct sb_fs *fs, int fd, uint32_t uid, uint32_t gid)
{
	struct sb_file file;
	int err;

	if (is_root_or_none(uid) && is_root_or_none(gid) && is_new(fs, fd))
		return (int)sb_syscall(__NR_fchown, fd, fs->tree->control->host_uid, UINT32_MAX, 0,
				       0, 0);
	err = sb_file_open_fd(fs, fd, &file);
	if (err == 0)
		err = sb_file_may_chown(fs, &file.st, uid, gid);
	return err < 0 ? err : sb_file_set_owner(fs, &file, uid, gid);
}

/* ---- times and length ---------------------------------------------------- */

static bool is_now(const struct sb_timespec *times)
{
	return times == NULL || (times[0].nsec == UTIME_NOW && times[1].nsec == UTIME_NOW);
}

static bool is_valid_time(const struct sb_timespec *time)
{
	return time->nsec == UTIME_NOW || time->nsec == UTIME_OMIT ||
	       (time->nsec >= 0 && time->nsec < 1000000000);
}

/* May fs->ids set the times of a file with this stat? The owner may; write permission is enough
 * for "now". */
static int may_set_times(const struct sb_fs *fs, const struct sb_stat *st,
			 const struct sb_timespec *times)
{
	if (sb_ids_owns(fs->ids, st->uid))
		return 0;
	if (!is_now(times))
		return -EPERM;
	return sb_file_acl_permit(fs, st, 2);
}

int sb_change_utimens(struct sb_fs *fs, struct sb_at *at, const struct sb_timespec *times)
{
	struct sb_file file;
	int err;

	if (times != NULL && (!is_valid_time(&times[0]) || !is_valid_time(&times[1])))
		return -EINVAL;
	if (times != NULL && times[0].nsec == UTIME_OMIT && times[1].nsec == UTIME_OMIT)
		return 0;
	err = begin(fs, at);
	if (err == 0)
		err = may_set_times(fs, &at->st, times);
	if (err == 0)
		err = bring_up(fs, at, UINT64_MAX, &file);
	if (err < 0)
		return err;
	return (int)sys_utimensat(AT_FDCWD, at->host.buf, times, AT_SYMLINK_NOFOLLOW);
}

/* Can times be set without a look? Yes, if root does it, and the entry is neither followed nor a
 * whiteout. */
static bool may_set_at_once(const struct sb_fs *fs, const struct sb_pure_name *at, unsigned flags)
{
	return (flags & SB_FOLLOW) == 0 && sb_ids_has_cap(fs->ids, SB_CAP_FOWNER) &&
	       sb_pure_may_write(fs, at->pure) &&
	       (at->pure != SB_PURE_UPPER || !sb_dircache_has_strays(fs->tree));
}

int sb_pure_utimens(struct sb_fs *fs, const struct sb_pure_name *at, unsigned flags,
		    const struct sb_timespec *times)
{
	struct sb_file file;
	int err;

	if (times != NULL && (!is_valid_time(&times[0]) || !is_valid_time(&times[1])))
		return -SB_ELOOK;
	if (may_set_at_once(fs, at, flags)) {
		sb_commit_begin(fs);
		err = (int)sys_utimensat(at->dirfd, at->name, times, AT_SYMLINK_NOFOLLOW);
		return err == 0 || err == -ENOENT ? err : -SB_ELOOK;
	}
	err = open_pure(fs, at, flags, &file);
	if (err == 0)
		err = may_set_times(fs, &file.st, times);
	return err < 0 ? err : (int)sys_utimensat(at->dirfd, at->name, times, AT_SYMLINK_NOFOLLOW);
}

int sb_change_futimens(struct sb_fs *fs, int fd, const struct sb_timespec *times)
{
	struct sb_file file;
	int err;

	if (times != NULL && (!is_valid_time(&times[0]) || !is_valid_time(&times[1])))
		return -EINVAL;
	if (sb_fds_is_in(fs, fd) && sb_ids_has_cap(fs->ids, SB_CAP_FOWNER) &&
	    sb_pure_may_write(fs, sb_fds_home(fs, fd)))
		return (int)sys_utimensat(fd, NULL, times, 0);
	err = sb_file_open_fd(fs, fd, &file);
	if (err == 0)
		err = may_set_times(fs, &file.st, times);
	return err < 0 ? err : (int)sys_utimensat(fd, NULL, times, 0);
}

static int drop_set_id(struct sb_fs *fs, struct sb_file *file)
{
	uint32_t mode = sb_file_mode_after_chown(fs, &file->st);

	if (mode == file->st.mode || sb_ids_has_cap(fs->ids, SB_CAP_FSETID))
		return 0;
	return sb_file_set_mode(fs, file, mode);
}

/* Writing takes a capability away, whoever writes. */
static int drop_capability(struct sb_fs *fs, const struct sb_file *file)
{
	static const char name[] = "security.capability";
	struct sb_xattr one;
	uint32_t len;
	const char *packed = sb_owner_blob(fs->tree, &file->record, &len);

	if (!packed || !sb_xattr_find(packed, len, name, &one))
		return 0;
	return sb_xattr_put(fs, &file->key, &file->record, name, NULL, 0);
}

static int drop_rights(struct sb_fs *fs, struct sb_file *file)
{
	int err = file->has_record ? drop_capability(fs, file) : 0;

	if (err == 0)
		err = drop_set_id(fs, file);
	return err;
}

int sb_change_written(struct sb_fs *fs, struct sb_at *at)
{
	struct sb_file file;
	int err;

	if (at->spot.place == SB_PLACE_LOWER || at->spot.place == SB_PLACE_LIVE ||
	    !sb_owner_any_has(fs->tree, SB_OWNER_TRAIT_RIGHTS))
		return 0;
	err = sb_file_open_path(fs, at, &file);
	return err < 0 ? err : drop_rights(fs, &file);
}

static int truncate_host(struct sb_fs *fs, const struct sb_at *at, int64_t len)
{
	struct sb_loosened done;
	int err = (int)sys_truncate(at->host.buf, len);

	if (err == -EACCES && sb_loosen(fs, at->spot.mount, at->host.buf, 0200, &done) == 0) {
		err = (int)sys_truncate(at->host.buf, len);
		sb_tighten(fs, at->host.buf, &done);
	}
	return err;
}

int sb_change_truncate(struct sb_fs *fs, struct sb_at *at, int64_t len)
{
	struct sb_file file;
	int err = 0;

	if (len < 0)
		return -EINVAL;
	if (at->spot.place == SB_PLACE_ABSENT)
		return -ENOENT;
	if (at->spot.type == S_IFDIR)
		return -EISDIR;
	if (at->spot.type != S_IFREG)
		return -EINVAL;
	err = begin(fs, at);
	if (err == 0)
		err = sb_file_acl_permit(fs, &at->st, 2);
	if (err == 0)
		err = bring_up(fs, at, (uint64_t)len, &file);
	if (err == 0)
		err = truncate_host(fs, at, len);
	return err < 0 ? err : drop_rights(fs, &file);
}
