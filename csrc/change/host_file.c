/* SPDX-License-Identifier: MIT */
/*
 * host_file.c - a host file whose mode, owner or times change.
 *
 * How it works
 *   In the upper the host file gets the bits that it may hold, and a record the rest. In a mount
 * the host's own call is made; when the host refuses it to virtual root, a record holds the change.
 * Rules
 *   The record comes first, the host's mode second: a kill between them leaves what the guest
 *   asked for.
 */
#include "change/host_file.h"

#include <asm/ioctls.h>
#include <errno.h>

#include "base/stat.h"
#include "tree/descriptors.h"
#include "tree/dircache.h"
#include "tree/host_path.h"
#include "tree/mounts.h"
#include "tree/xattr.h"
#include "view/terminals.h"

void sb_file_look(struct sb_fs *fs, struct sb_file *file)
{
	file->drops_caps = false;
	sb_tree_virtual_stat(fs, &file->sx, file->mount, &file->st);
	file->has_record = sb_owner_load(fs->tree, &file->sx, &file->key, &file->record);
}

int sb_file_open_path(struct sb_fs *fs, struct sb_at *at, struct sb_file *file)
{
	int err = sb_entry_stat(at, &file->sx);

	if (err < 0)
		return err;
	file->host = at->host.buf;
	file->fd = AT_FDCWD;
	file->in_upper = at->spot.mount == SB_NO_MOUNT;
	file->mount = at->spot.mount;
	sb_file_look(fs, file);
	return 0;
}

/* Is fd an open file, and no O_PATH descriptor? */
static int check_fd(const struct sb_fs *fs, int fd)
{
	long flags;

	if (sb_fds_is_in(fs, fd))
		return 0;
	flags = sb_syscall(__NR_fcntl, fd, F_GETFL, 0, 0, 0, 0);
	if (flags < 0)
		return (int)flags;
	return (flags & O_PATH) != 0 ? -EBADF : 0;
}

int sb_file_open_fd(struct sb_fs *fs, int fd, struct sb_file *file)
{
	const uint32_t home = sb_fds_home(fs, fd);
	int err = check_fd(fs, fd);

	if (err == 0)
		err = (int)sys_statx(fd, "", AT_EMPTY_PATH, SB_STATX_MASK, &file->sx);
	if (err < 0)
		return err;
	file->host = NULL;
	file->fd = fd;
	file->mount = sb_tree_owned_mount_of_fd(fs, fd);
	sb_file_look(fs, file);
	file->in_upper = home != 0 ? home == SB_PURE_UPPER
				   : file->key.volume == 0 && sb_upper_owns_fd(fs, fd);
	if (!file->in_upper)
		return sb_tree_may_write_fd(fs, fd);
	return (fs->tree->control->flags & SB_CONTROL_READ_ONLY) != 0 ? -EROFS : 0;
}

static int host_chmod(const struct sb_file *file, uint32_t mode)
{
	if (!file->host)
		return (int)sys_fchmod(file->fd, mode);
	return (int)sys_fchmodat(file->fd, file->host, mode);
}

static int host_chown(const struct sb_file *file, uint32_t uid, uint32_t gid)
{
	if (!file->host)
		return (int)sb_syscall(__NR_fchown, file->fd, uid, gid, 0, 0, 0);
	return (int)sys_fchownat(file->fd, file->host, uid, gid, AT_SYMLINK_NOFOLLOW);
}

/* Write the record that file->record describes, when the file needs one. */
int sb_file_save(struct sb_fs *fs, const struct sb_file *file)
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

/* Every process must forget what it knows of the looks of a directory of the upper. Call it before
 * and after they change. */
static void changing(const struct sb_fs *fs, const struct sb_file *file)
{
	if (!file->in_upper || (file->st.mode & S_IFMT) != S_IFDIR)
		return;
	if (file->host)
		sb_dircache_ending(fs->tree, file->host, (uint32_t)strlen(file->host));
	else
		sb_dircache_changed(fs->tree);
}

static void changed(const struct sb_fs *fs, const struct sb_file *file)
{
	if (!file->in_upper || (file->st.mode & S_IFMT) != S_IFDIR)
		return;
	if (file->host)
		sb_dircache_ended(fs->tree, file->host, (uint32_t)strlen(file->host), true);
	else
		sb_dircache_changed(fs->tree);
}

/* ---- mode --------------------------------------------------------------- */

static void record_mode(struct sb_file *file, uint32_t mode)
{
	file->record.flags |= SB_OWNER_MODE;
	file->record.mode = mode;
	file->record.rdev = file->st.rdev;
}

static int set_mode_in_upper(struct sb_fs *fs, struct sb_file *file, uint32_t mode)
{
	uint32_t type = mode & S_IFMT;
	uint32_t bits = sb_upper_host_mode(type, mode);
	int err = 0;

	if ((file->record.flags & SB_OWNER_MODE) != 0 || (mode & 07777) != bits) {
		record_mode(file, mode);
		err = sb_file_save(fs, file);
	}
	/* also when the bits are the same: ctime must change */
	return err < 0 ? err : host_chmod(file, bits);
}

static int set_mode_in_mount(struct sb_fs *fs, struct sb_file *file, uint32_t mode)
{
	const bool is_recorded = (file->record.flags & SB_OWNER_MODE) != 0;
	const int err = host_chmod(file, sb_mount_host_mode(mode));

	if (err == 0 && !is_recorded && (mode & SB_SET_ID_BITS) == 0)
		return 0;
	if (err < 0 && !is_recorded && (err != -EPERM || !sb_ids_has_cap(fs->ids, SB_CAP_FOWNER)))
		return err;
	record_mode(file, mode);
	return sb_file_save(fs, file);
}

int sb_file_set_mode(struct sb_fs *fs, struct sb_file *file, uint32_t mode)
{
	int err;

	mode = (file->st.mode & S_IFMT) | (mode & 07777);
	if ((mode & S_IFMT) == S_IFLNK)
		return -EOPNOTSUPP;
	if (!sb_ids_in_group(fs->ids, file->st.gid) && !sb_ids_has_cap(fs->ids, SB_CAP_FSETID))
		mode &= ~(uint32_t)S_ISGID;
	sb_commit_begin(fs);
	changing(fs, file);
	err = file->in_upper ? set_mode_in_upper(fs, file, mode)
			     : set_mode_in_mount(fs, file, mode);
	changed(fs, file);
	sb_commit_end(fs);
	return err;
}

/* ---- owner -------------------------------------------------------------- */

/* The mode after a chown, as in chown_common() and setattr_should_drop_sgid(). */
uint32_t sb_file_mode_after_chown(const struct sb_fs *fs, const struct sb_stat *st)
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
int sb_file_may_chown(const struct sb_fs *fs, const struct sb_stat *st, uint32_t uid, uint32_t gid)
{
	if (sb_file_mode_after_chown(fs, st) != st->mode && !sb_ids_owns(fs->ids, st->uid))
		return -EPERM;
	return sb_ids_may_chown(fs->ids, st->uid, st->gid, uid, gid);
}

static int own_in_upper(struct sb_fs *fs, struct sb_file *file, uint32_t uid, uint32_t gid,
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
	err = sb_file_save(fs, file);
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

static int own_in_mount(struct sb_fs *fs, struct sb_file *file, uint32_t uid, uint32_t gid,
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
		return sb_file_save(fs, file);
	file->record.flags |= SB_OWNER_IDS;
	file->record.uid = uid;
	file->record.gid = gid;
	return sb_file_save(fs, file);
}

int sb_file_set_owner(struct sb_fs *fs, struct sb_file *file, uint32_t uid, uint32_t gid)
{
	const struct sb_stat *st = &file->st;
	uint32_t mode = sb_file_mode_after_chown(fs, st);
	int err = 0;

	if (uid == UINT32_MAX)
		uid = st->uid;
	if (gid == UINT32_MAX)
		gid = st->gid;
	file->drops_caps = (st->mode & S_IFMT) != S_IFDIR;
	sb_commit_begin(fs);
	changing(fs, file);
	if (file->in_upper)
		err = own_in_upper(fs, file, uid, gid, mode);
	else
		err = own_in_mount(fs, file, uid, gid, mode);
	changed(fs, file);
	sb_commit_end(fs);
	return err;
}

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
	struct sb_file file = {.fd = fd, .mount = SB_NO_MOUNT};
	const bool is_master = name_terminal(fd, name);

	if (sys_statx(is_master ? AT_FDCWD : fd, name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW,
		      SB_STATX_MASK, &file.sx) < 0 ||
	    file.sx.stx_rdev_major < SB_TERMINAL_MAJOR ||
	    file.sx.stx_rdev_major > SB_TERMINAL_MAJOR + 7)
		return 0;
	(void)sb_terminal_add(fs, fd); /* without an opener, nobody opens it by its name */
	sb_file_look(fs, &file);
	if (file.st.uid ==
	    uid) /* a number is used again, and the record of its last owner may remain */
		return 0;
	file.record.flags |= SB_OWNER_IDS;
	file.record.uid = uid;
	file.record.gid = file.st.gid;
	return sb_file_save(fs, &file);
}
