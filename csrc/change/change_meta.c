/* SPDX-License-Identifier: MIT */
/*
 * change_meta.c - chmod, chown, utimens and truncate.
 *
 * How it works
 *   struct file says what a file is: its host stat, its record, and how to reach it (host path or
 *   descriptor). In the upper the host file gets the bits that it may hold, and a record the
 *   rest. In a mount the host's own call is made; when the host refuses it to virtual root, a
 *   record holds the change.
 * Rules
 *   The record comes first, the host's mode second: a kill between them leaves what the guest
 *   asked for.
 */
#include <asm/ioctls.h>
#include <errno.h>
#include <linux/stat.h>

#include "base/stat.h"
#include "change/internal.h"
#include "tree/dircache.h"
#include "tree/file_acl.h"
#include "tree/host_path.h"
#include "tree/loosen.h"
#include "tree/mounts.h"
#include "tree/xattr.h"
#include "view/view.h"

struct file {
	const char *host; /* path, or "" with fd */
	int fd;
	bool in_upper;
	uint32_t mount; /* that holds it, if its owners are its own */
	struct statx sx;
	struct sb_stat st; /* as the guest sees it */
	struct sb_owner_key key;
	struct sb_owner record;
	bool has_record;
	bool drops_caps; /* the record loses its security.capability */
};

static void look(struct sb_fs *fs, struct file *file)
{
	file->drops_caps = false;
	sb_tree_virtual_stat(fs, &file->sx, file->mount, &file->st);
	file->has_record = sb_owner_load(fs->tree, &file->sx, &file->key, &file->record);
}

static int open_path(struct sb_fs *fs, struct sb_at *at, struct file *file)
{
	int err = sb_entry_stat(at, &file->sx);

	if (err < 0)
		return err;
	file->host = at->host.buf;
	file->fd = AT_FDCWD;
	file->in_upper = at->spot.mount == SB_NO_MOUNT;
	file->mount = at->spot.mount;
	look(fs, file);
	return 0;
}

static int open_fd(struct sb_fs *fs, int fd, struct file *file)
{
	long flags = sb_syscall(__NR_fcntl, fd, F_GETFL, 0, 0, 0, 0);
	int err;

	if (flags < 0)
		return (int)flags;
	if ((flags & O_PATH) != 0)
		return -EBADF;
	err = (int)sys_statx(fd, "", AT_EMPTY_PATH, SB_STATX_MASK, &file->sx);
	if (err < 0)
		return err;
	file->host = NULL;
	file->fd = fd;
	file->mount = sb_tree_owned_mount_of_fd(fs, fd);
	look(fs, file);
	file->in_upper = file->key.volume == 0 && sb_upper_owns_fd(fs, fd);
	if (!file->in_upper)
		return sb_tree_may_write_fd(fs, fd);
	return (fs->tree->control->flags & SB_CONTROL_READ_ONLY) != 0 ? -EROFS : 0;
}

static int host_chmod(const struct file *file, uint32_t mode)
{
	if (!file->host)
		return (int)sys_fchmod(file->fd, mode);
	return (int)sys_fchmodat(AT_FDCWD, file->host, mode);
}

static int host_chown(const struct file *file, uint32_t uid, uint32_t gid)
{
	if (!file->host)
		return (int)sb_syscall(__NR_fchown, file->fd, uid, gid, 0, 0, 0);
	return (int)sys_fchownat(AT_FDCWD, file->host, uid, gid, AT_SYMLINK_NOFOLLOW);
}

/* Write the record that file->record describes, when the file needs one. */
static int save(struct sb_fs *fs, const struct file *file)
{
	const struct sb_tree *tree = fs->tree;
	const char *packed;
	struct sb_xattr one;
	uint32_t len;

	if (!file->has_record && file->record.flags == 0)
		return 0;
	if (file->sx.stx_nlink == 0)
		sb_owner_note_nameless(tree);
	packed = sb_owner_blob(tree, &file->record, &len);
	if (!file->drops_caps || !sb_xattr_find(packed, len, "security.capability", &one))
		return sb_owner_put(tree, &file->key, &file->record);
	return sb_xattr_put(fs, &file->key, &file->record, "security.capability", NULL, 0);
}

/* ---- mode --------------------------------------------------------------- */

static void record_mode(struct file *file, uint32_t mode)
{
	file->record.flags |= SB_OWNER_MODE;
	file->record.mode = mode;
	file->record.rdev = file->st.rdev;
}

static int set_mode_in_upper(struct sb_fs *fs, struct file *file, uint32_t mode)
{
	uint32_t type = mode & S_IFMT;
	uint32_t bits = sb_upper_host_mode(type, mode);
	int err = 0;

	if ((file->record.flags & SB_OWNER_MODE) != 0 || (mode & 07777) != bits) {
		record_mode(file, mode);
		err = save(fs, file);
	}
	/* also when the bits are the same: ctime must change */
	return err < 0 ? err : host_chmod(file, bits);
}

static int set_mode_in_mount(struct sb_fs *fs, struct file *file, uint32_t mode)
{
	const bool is_recorded = (file->record.flags & SB_OWNER_MODE) != 0;
	const int err = host_chmod(file, sb_mount_host_mode(mode));

	if (err == 0 && !is_recorded && (mode & SB_SET_ID_BITS) == 0)
		return 0;
	if (err < 0 && !is_recorded && (err != -EPERM || !sb_ids_has_cap(fs->ids, SB_CAP_FOWNER)))
		return err;
	record_mode(file, mode);
	return save(fs, file);
}

static int set_mode(struct sb_fs *fs, struct file *file, uint32_t mode)
{
	int err;

	mode = (file->st.mode & S_IFMT) | (mode & 07777);
	if ((mode & S_IFMT) == S_IFLNK)
		return -EOPNOTSUPP;
	if (!sb_ids_in_group(fs->ids, file->st.gid) && !sb_ids_has_cap(fs->ids, SB_CAP_FSETID))
		mode &= ~(uint32_t)S_ISGID;
	sb_commit_begin(fs);
	err = file->in_upper ? set_mode_in_upper(fs, file, mode)
			     : set_mode_in_mount(fs, file, mode);
	if ((mode & S_IFMT) == S_IFDIR)
		sb_dircache_changed(fs->tree);
	sb_commit_end(fs);
	return err;
}

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

static int bring_up(struct sb_fs *fs, struct sb_at *at, uint64_t keep, struct file *file)
{
	int err = sb_copyup(fs, at, keep);

	at->has_stat = false;
	return err < 0 ? err : open_path(fs, at, file);
}

int sb_change_chmod(struct sb_fs *fs, struct sb_at *at, uint32_t mode)
{
	struct file file;
	int err = begin(fs, at);

	if (err == 0 && at->spot.type == S_IFLNK)
		err = -EOPNOTSUPP;
	if (err == 0 && !sb_ids_owns(fs->ids, at->st.uid))
		err = -EPERM;
	if (err == 0)
		err = bring_up(fs, at, UINT64_MAX, &file);
	return err < 0 ? err : set_mode(fs, &file, mode);
}

int sb_change_fchmod(struct sb_fs *fs, int fd, uint32_t mode)
{
	struct file file;
	int err = open_fd(fs, fd, &file);

	if (err == 0 && !sb_ids_owns(fs->ids, file.st.uid))
		err = -EPERM;
	return err < 0 ? err : set_mode(fs, &file, mode);
}

/* ---- owner -------------------------------------------------------------- */

/* The mode after a chown, as in chown_common() and setattr_should_drop_sgid(). */
static uint32_t mode_after_chown(const struct sb_fs *fs, const struct sb_stat *st)
{
	uint32_t mode = st->mode;

	if ((mode & S_IFMT) == S_IFDIR)
		return mode;
	mode &= ~(uint32_t)S_ISUID;
	if ((mode & S_ISGID) != 0 &&
	    ((mode & S_IXGRP) != 0 ||
	     (!sb_ids_in_group(fs->ids, st->gid) && !sb_ids_has_cap(fs->ids, SB_CAP_FSETID))))
		mode &= ~(uint32_t)S_ISGID;
	return mode;
}

/* A chown that takes set-id bits away changes the mode, which only the owner may do. */
static int may_chown(const struct sb_fs *fs, const struct sb_stat *st, uint32_t uid, uint32_t gid)
{
	if (mode_after_chown(fs, st) != st->mode && !sb_ids_owns(fs->ids, st->uid))
		return -EPERM;
	return sb_ids_may_chown(fs->ids, st->uid, st->gid, uid, gid);
}

static int own_in_upper(struct sb_fs *fs, struct file *file, uint32_t uid, uint32_t gid,
			uint32_t mode)
{
	uint32_t bits = sb_upper_host_mode(mode & S_IFMT, mode);
	int err;

	if (uid != 0 || gid != 0 || (file->record.flags & SB_OWNER_IDS) != 0)
		file->record.flags |= SB_OWNER_IDS;
	file->record.uid = uid;
	file->record.gid = gid;
	if ((file->record.flags & SB_OWNER_MODE) != 0)
		file->record.mode = mode;
	err = save(fs, file);
	if (err < 0)
		return err;
	/* owner and bits are the same, but ctime must change, and watches report it */
	if ((mode & S_IFMT) == S_IFLNK)
		return host_chown(file, file->sx.stx_uid, UINT32_MAX);
	return host_chmod(file, bits);
}

/* Is the file's id as the guest sees it, once the host has it? own is the machine user's, shown
 * what the guest sees in its place. */
static bool is_shown(uint32_t id, uint32_t own, uint32_t shown)
{
	return id == shown || id != own;
}

static uint32_t to_host(uint32_t id, uint32_t own, uint32_t shown)
{
	return id == shown ? own : id;
}

static int own_in_mount(struct sb_fs *fs, struct file *file, uint32_t uid, uint32_t gid,
			uint32_t mode)
{
	const struct sb_control *control = fs->tree->control;
	const uint32_t shown_uid = sb_mount_uid(control, file->mount);
	const uint32_t shown_gid = sb_mount_gid(control, file->mount);
	const bool is_ours = file->sx.stx_uid == control->host_uid;
	int err = host_chown(file, to_host(uid, control->host_uid, shown_uid),
			     to_host(gid, control->host_gid, shown_gid));

	if (err < 0 && (err != -EPERM || (!is_ours && !sb_ids_has_cap(fs->ids, SB_CAP_CHOWN))))
		return err;
	if (err < 0 && is_ours) /* ctime must change, and watches report it */
		(void)!host_chown(file, file->sx.stx_uid, UINT32_MAX);
	if ((file->record.flags & SB_OWNER_MODE) != 0)
		file->record.mode = mode;
	if (err == 0 && (file->record.flags & SB_OWNER_IDS) == 0 &&
	    is_shown(uid, control->host_uid, shown_uid) &&
	    is_shown(gid, control->host_gid, shown_gid))
		return save(fs, file);
	file->record.flags |= SB_OWNER_IDS;
	file->record.uid = uid;
	file->record.gid = gid;
	return save(fs, file);
}

static int set_owner(struct sb_fs *fs, struct file *file, uint32_t uid, uint32_t gid)
{
	const struct sb_stat *st = &file->st;
	uint32_t mode = mode_after_chown(fs, st);
	int err = 0;

	if (uid == UINT32_MAX)
		uid = st->uid;
	if (gid == UINT32_MAX)
		gid = st->gid;
	file->drops_caps = (st->mode & S_IFMT) != S_IFDIR;
	sb_commit_begin(fs);
	if (file->in_upper)
		err = own_in_upper(fs, file, uid, gid, mode);
	else
		err = own_in_mount(fs, file, uid, gid, mode);
	if ((mode & S_IFMT) == S_IFDIR)
		sb_dircache_changed(fs->tree);
	sb_commit_end(fs);
	return err;
}

int sb_change_chown(struct sb_fs *fs, struct sb_at *at, uint32_t uid, uint32_t gid)
{
	struct file file;
	int err = begin(fs, at);

	if (err == 0)
		err = may_chown(fs, &at->st, uid, gid);
	if (err == 0)
		err = bring_up(fs, at, UINT64_MAX, &file);
	return err < 0 ? err : set_owner(fs, &file, uid, gid);
}

int sb_change_fchown(struct sb_fs *fs, int fd, uint32_t uid, uint32_t gid)
{
	struct file file;
	int err = open_fd(fs, fd, &file);

	if (err == 0)
		err = may_chown(fs, &file.st, uid, gid);
	return err < 0 ? err : set_owner(fs, &file, uid, gid);
}

#define PTS_MAJOR 136 /* and the seven behind it */

/* Write "/dev/pts/N", the terminal of a master. False when fd is no master. */
static bool name_terminal(int fd, char out[24])
{
	char digits[12];
	uint32_t number = 0;
	size_t count = 0;

	if (sb_syscall(__NR_ioctl, fd, TIOCGPTN, SB_P(&number), 0, 0, 0) < 0)
		return false;
	do
		digits[count++] = (char)('0' + number % 10);
	while ((number /= 10) != 0);
	memcpy(out, "/dev/pts/", 9);
	for (size_t i = 0; i < count; i++)
		out[9 + i] = digits[count - 1 - i];
	out[9 + count] = '\0';
	return true;
}

int sb_change_give_terminal(struct sb_fs *fs, int fd, uint32_t uid)
{
	char name[24] = "";
	struct file file = {.fd = fd, .mount = SB_NO_MOUNT};
	const bool is_master = name_terminal(fd, name);

	if (sys_statx(is_master ? AT_FDCWD : fd, name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW,
		      SB_STATX_MASK, &file.sx) < 0 ||
	    file.sx.stx_rdev_major < PTS_MAJOR || file.sx.stx_rdev_major > PTS_MAJOR + 7)
		return 0;
	look(fs, &file);
	if (file.st.uid ==
	    uid) /* a number is used again, and the record of its last owner may remain */
		return 0;
	file.record.flags |= SB_OWNER_IDS;
	file.record.uid = uid;
	file.record.gid = file.st.gid;
	return save(fs, &file);
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
	struct file file;
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

int sb_change_futimens(struct sb_fs *fs, int fd, const struct sb_timespec *times)
{
	struct file file;
	int err;

	if (times != NULL && (!is_valid_time(&times[0]) || !is_valid_time(&times[1])))
		return -EINVAL;
	err = open_fd(fs, fd, &file);
	if (err == 0)
		err = may_set_times(fs, &file.st, times);
	return err < 0 ? err : (int)sys_utimensat(fd, NULL, times, 0);
}

static int drop_set_id(struct sb_fs *fs, struct file *file)
{
	uint32_t mode = mode_after_chown(fs, &file->st);

	if (mode == file->st.mode || sb_ids_has_cap(fs->ids, SB_CAP_FSETID))
		return 0;
	return set_mode(fs, file, mode);
}

int sb_change_written(struct sb_fs *fs, struct sb_at *at)
{
	struct file file;
	int err;

	if (sb_ids_has_cap(fs->ids, SB_CAP_FSETID) || at->spot.place == SB_PLACE_LOWER ||
	    at->spot.place == SB_PLACE_LIVE)
		return 0;
	err = open_path(fs, at, &file);
	return err < 0 ? err : drop_set_id(fs, &file);
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
	struct file file;
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
	return err < 0 ? err : drop_set_id(fs, &file);
}
