/* SPDX-License-Identifier: MIT */
/*
 * change_make.c - new names: files, directories, links, special files.
 *
 * How it works
 *   One call makes in place what the host can hold as it is. An entry that needs an owner record,
 *   replaces a whiteout or must be opaque is made under a temporary name and moved into place.
 *   Devices become empty files with a record. A watch on the directory would report that move
 *   (IN_MOVED_TO). So where there are watches, link(2) gives a file its name, which is IN_CREATE.
 * Rules
 *   In a mount the host's own call is made; only the owner may need a record. fs->umask is
 *   applied here. The process's real umask has no other bits, unless fs->umask is 0 (Python):
 *   then sb_upper_dress() corrects the mode.
 */
#include <errno.h>
#include <linux/openat2.h>
#include <linux/stat.h>

#include "base/shared_abi.h"
#include "base/stat.h"
#include "change/internal.h"
#include "tree/dircache.h"
#include "tree/file_acl.h"
#include "tree/loosen.h"
#include "tree/mounts.h"
#include "tree/whiteout.h"
#include "view/view.h"

struct recipe {
	struct sb_looks looks;
	const char *target; /* of a symlink */
	int flags;          /* of open(2), or -1 when the caller wants no descriptor */
	bool opaque;
	bool inherits; /* it gets the list in work->default_acl */
};

static bool is_device(uint32_t mode)
{
	return (mode & S_IFMT) == S_IFCHR || (mode & S_IFMT) == S_IFBLK;
}

/* Find owner, group and bits of a new entry in the directory dir, as the kernel's
 * inode_init_owner() does. */
static void look_of_new(const struct sb_fs *fs, const struct sb_stat *dir, uint32_t mode,
			struct sb_looks *looks)
{
	const struct sb_ids *ids = fs->ids;
	uint32_t type = mode & S_IFMT;

	looks->uid = ids->fsuid;
	looks->gid = ids->fsgid;
	looks->mode = type == S_IFLNK ? mode : type | (mode & 07777 & ~fs->umask);
	if ((dir->mode & S_ISGID) == 0)
		return;
	looks->gid = dir->gid;
	if (type == S_IFDIR)
		looks->mode |= S_ISGID;
	else if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
		 !sb_ids_in_group(ids, dir->gid) && !sb_ids_has_cap(ids, SB_CAP_FSETID))
		looks->mode &= ~(uint32_t)S_ISGID;
}

/* Read the default list of a directory of the upper or a mount: the list takes the place of the
 * umask. */
static int look_at_list(const struct sb_fs *fs, const char *dir, uint32_t mode, struct recipe *r)
{
	struct sb_path *list = &fs->work->default_acl;
	int err = sb_file_acl_default(fs, dir, list);

	if (err < 0)
		return err == -ENODATA ? 0 : err;
	r->inherits = true;
	r->looks.mode = (r->looks.mode & ~0777U) | (sb_file_acl_mode(list, mode) & 0777);
	return 0;
}

static int look_at_parents_list(struct sb_fs *fs, const struct sb_at *at, uint32_t mode,
				struct recipe *r)
{
	struct sb_path *host = &fs->work->host;
	uint32_t len = at->name == 1 ? 1 : at->name - 1;
	int err = sb_spot_host(fs, &at->dir, at->guest.buf, len, host);

	return err < 0 ? err : look_at_list(fs, host->buf, mode, r);
}

/* Check everything that can refuse a new name; then copy its directory up. */
static int prepare(struct sb_fs *fs, struct sb_at *at, uint32_t mode, struct recipe *r)
{
	struct sb_stat dir;
	int err = sb_tree_may_make(fs, at, (mode & S_IFMT) == S_IFDIR, &dir);

	if (err < 0)
		return err;
	look_of_new(fs, &dir, mode, &r->looks);
	err = sb_copyup_parent(fs, at);
	if (err == 0 && dir.acl.defaults != 0 && (mode & S_IFMT) != S_IFLNK)
		err = look_at_parents_list(fs, at, mode, r);
	return err;
}

static long make_at(const struct recipe *r, const char *path, uint32_t mode)
{
	uint32_t type = r->looks.mode & S_IFMT;

	switch (type) {
	case S_IFDIR:
		return sys_mkdirat(AT_FDCWD, path, mode);
	case S_IFLNK:
		return sys_symlinkat(r->target, AT_FDCWD, path);
	case S_IFREG:
		if (r->flags != -1)
			return sys_openat(AT_FDCWD, path, r->flags | O_CREAT | O_EXCL, mode);
		return sys_mknodat(AT_FDCWD, path, S_IFREG | mode, 0);
	case S_IFIFO:
	case S_IFSOCK:
		return sys_mknodat(AT_FDCWD, path, type | mode, 0);
	default:
		return sys_mknodat(AT_FDCWD, path, S_IFREG | mode, 0);
	}
}

static void unmake(const struct sb_fs *fs, const struct recipe *r, const char *path, long result)
{
	if (r->flags != -1 && result >= 0)
		sys_close((int)result);
	if ((r->looks.mode & S_IFMT) == S_IFDIR)
		(void)!sb_upper_remove_dir(fs, path);
	else
		sys_unlinkat(AT_FDCWD, path, 0);
}

/* Are both descriptors of one file? */
static bool is_of(int fd, int made)
{
	struct statx a;
	struct statx b;

	return sys_statx(fd, "", AT_EMPTY_PATH, STATX_INO, &a) == 0 &&
	       sys_statx(made, "", AT_EMPTY_PATH, STATX_INO, &b) == 0 && a.stx_ino == b.stx_ino;
}

/* made was opened under a temporary name: make it a descriptor that was opened as host, unless
 * host is another file by now, or no second descriptor is free. openat2 as in on_open.c. */
static void reopen(const struct recipe *r, const char *host, int made)
{
	const struct open_how how = {
		.flags = (uint32_t)r->flags & ~(uint32_t)(O_CREAT | O_EXCL),
		.resolve = RESOLVE_NO_SYMLINKS,
	};
	long fd = sb_syscall(__NR_openat2, AT_FDCWD, SB_P(host), SB_P(&how), sizeof(how), 0, 0);

	if (fd == -ELOOP || fd == -ENOSYS || fd == -EPERM)
		fd = sys_openat(AT_FDCWD, host, (int)how.flags | O_NOFOLLOW, 0);
	if (fd < 0)
		return;
	if (is_of((int)fd, made))
		sb_syscall(__NR_dup3, fd, made, r->flags & O_CLOEXEC, 0, 0, 0);
	sys_close((int)fd);
}

/* Move what was made as temp to its name, host. */
static int appear(const struct sb_fs *fs, const struct recipe *r, const char *temp,
		  const char *host, int fd)
{
	if ((r->looks.mode & S_IFMT) == S_IFDIR ||
	    __atomic_load_n(&fs->tree->shared->watched, __ATOMIC_SEQ_CST) == 0 ||
	    sys_linkat(AT_FDCWD, temp, AT_FDCWD, host, 0) < 0)
		return sb_upper_place(fs, temp, host);
	if (r->flags != -1)
		reopen(r, host, fd);
	sys_unlinkat(AT_FDCWD, temp, 0);
	return 0;
}

/* Give a new entry its lists, and the mode bits that the umask took. */
static int inherit(struct sb_fs *fs, const struct recipe *r, const char *path)
{
	struct statx sx;
	int err = (int)sys_fchmodat(AT_FDCWD, path,
				    sb_upper_host_mode(r->looks.mode & S_IFMT, r->looks.mode));

	if (err == 0)
		err = sb_host_stat(path, &sx);
	return err < 0 ? err : sb_file_acl_inherit(fs, &sx, &fs->work->default_acl);
}

/* Make the entry under a temporary name, complete it and move it to host. */
static long make_aside(struct sb_fs *fs, const struct recipe *r, const char *host)
{
	uint32_t mode = sb_upper_host_mode(r->looks.mode & S_IFMT, r->looks.mode);
	struct sb_path *temp = &fs->work->temp;
	long result = sb_upper_temp(fs, temp);
	int err;

	if (result == 0)
		result = make_at(r, temp->buf, mode);
	if (result < 0)
		return result;
	err = sb_upper_dress(fs, temp->buf, &r->looks);
	if (err == 0 && r->inherits)
		err = inherit(fs, r, temp->buf);
	if (err == 0 && r->opaque)
		err = sb_make_opaque(fs, temp);
	if (err == 0)
		err = appear(fs, r, temp->buf, host, (int)result);
	if (err == 0)
		return result;
	unmake(fs, r, temp->buf, result);
	return err;
}

long sb_upper_make_file(struct sb_fs *fs, const struct sb_looks *looks, int flags, const char *host)
{
	const struct recipe r = {.looks = *looks, .flags = flags};

	return make_aside(fs, &r, host);
}

static long make_here(struct sb_fs *fs, const struct recipe *r, const char *host)
{
	uint32_t mode = sb_upper_host_mode(r->looks.mode & S_IFMT, r->looks.mode);
	long result = make_at(r, host, mode);
	int err;

	if (result == -EEXIST && sb_is_whiteout(fs->tree, AT_FDCWD, host))
		return make_aside(fs, r, host);
	if (result < 0)
		return result;
	err = sb_upper_dress(fs, host, &r->looks);
	if (err == 0)
		return result;
	unmake(fs, r, host, result);
	return err;
}

/* What of the looks of a new file in a mount do the host's file and the mount not say? Flags of a
 * record. */
static uint32_t beyond_mount(const struct sb_fs *fs, uint32_t mount, const struct sb_looks *looks)
{
	const struct sb_control *control = fs->tree->control;
	uint32_t flags = 0;

	if (looks->uid != sb_mount_uid(control, mount) ||
	    looks->gid != sb_mount_gid(control, mount))
		flags |= SB_OWNER_IDS;
	if ((looks->mode & SB_SET_ID_BITS) != 0)
		flags |= SB_OWNER_MODE;
	return flags;
}

/* A new file in a mount belongs to the caller; give it a record for another owner and set-id bits.
 */
static int own_in_mount(struct sb_fs *fs, int fd, const char *host, uint32_t mount,
			const struct sb_looks *looks)
{
	struct sb_owner record = {.flags = beyond_mount(fs, mount, looks),
				  .uid = looks->uid,
				  .gid = looks->gid,
				  .mode = looks->mode};
	struct sb_owner_key key;
	struct statx sx;
	int err;

	if (record.flags == 0 && !sb_owner_may_be_stale(fs->tree))
		return 0;
	err = (int)sys_statx(fd, host, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, SB_STATX_MASK, &sx);
	if (err < 0)
		return err;
	sb_owner_key(fs->tree, &sx, &key);
	if (record.flags != 0)
		return sb_owner_put(fs->tree, &key, &record);
	sb_owner_drop(fs->tree, &key);
	return 0;
}

static long make_in_dir(struct sb_fs *fs, const struct recipe *r, const char *host)
{
	if (is_device(r->looks.mode))
		return make_here(fs, r, host);
	return make_at(r, host, sb_mount_host_mode(r->looks.mode));
}

static long make_in_mount(struct sb_fs *fs, const struct sb_at *at, const struct recipe *r)
{
	const char *host = at->host.buf;
	long result = make_in_dir(fs, r, host);
	int err;

	if (result == -EACCES && sb_loosen_dir_of(fs, at->dir.mount, &at->host, 0300) == 0)
		result = make_in_dir(fs, r, host);
	if (result < 0 || is_device(r->looks.mode))
		return result;
	err = own_in_mount(fs, AT_FDCWD, host, at->dir.mount, &r->looks);
	if (err == 0 && r->inherits)
		err = inherit(fs, r, host);
	if (err == 0)
		return result;
	unmake(fs, r, host, result);
	return err;
}

static long make(struct sb_fs *fs, struct sb_at *at, struct recipe *r)
{
	bool aside = at->spot.whiteout || r->inherits || sb_upper_needs_record(&r->looks);
	bool in_mount = at->dir.mount != SB_NO_MOUNT;
	uint32_t type = r->looks.mode & S_IFMT;
	long result;
	int err;

	r->opaque = type == S_IFDIR && sb_upper_hides(fs, at);
	sb_commit_begin(fs);
	if (!in_mount)
		sb_upper_touch(fs->tree, at->spot.node, SB_STATE_ASK);
	if (type == S_IFDIR)
		sb_dircache_making(fs->tree);
	if (in_mount)
		result = make_in_mount(fs, at, r);
	else if (aside || r->opaque)
		result = make_aside(fs, r, at->host.buf);
	else
		result = make_here(fs, r, at->host.buf);
	if (type == S_IFDIR)
		sb_dircache_made(fs->tree);
	sb_commit_end(fs);
	if (result < 0)
		return result;
	err = sb_upper_settle(fs, at, type, false);
	return err < 0 ? err : result;
}

long sb_change_create(struct sb_fs *fs, struct sb_at *at, int flags, uint32_t mode)
{
	struct recipe r = {.flags = flags & ~O_TRUNC};
	int err = prepare(fs, at, S_IFREG | (mode & 07777), &r);

	return err < 0 ? err : make(fs, at, &r);
}

int sb_change_mkdir(struct sb_fs *fs, struct sb_at *at, uint32_t mode)
{
	struct recipe r = {.flags = -1};
	int err = prepare(fs, at, S_IFDIR | (mode & 01777), &r);

	return err < 0 ? err : (int)make(fs, at, &r);
}

int sb_change_symlink(struct sb_fs *fs, struct sb_at *at, const char *target)
{
	struct recipe r = {.flags = -1, .target = target};
	int err = prepare(fs, at, S_IFLNK | 0777, &r);

	if (err == 0 && at->dir.mount == SB_NO_MOUNT &&
	    sb_is_mark(fs->tree, target, strlen(target)))
		err = -EPERM;
	return err < 0 ? err : (int)make(fs, at, &r);
}

int sb_change_mknod(struct sb_fs *fs, struct sb_at *at, uint32_t mode, uint64_t rdev)
{
	struct recipe r = {.flags = -1};
	uint32_t type = mode & S_IFMT;
	int err;

	switch (type) {
	case 0:
		type = S_IFREG;
		break;
	case S_IFREG:
	case S_IFIFO:
	case S_IFSOCK:
	case S_IFCHR:
	case S_IFBLK:
		break;
	case S_IFDIR:
		return -EPERM;
	default:
		return -EINVAL;
	}
	err = prepare(fs, at, type | (mode & 07777), &r);
	if (err < 0)
		return err;
	if (is_device(type) && !(type == S_IFCHR && rdev == 0) &&
	    !sb_ids_has_cap(fs->ids, SB_CAP_MKNOD))
		return -EPERM;
	r.looks.rdev = is_device(type) ? rdev : 0;
	return (int)make(fs, at, &r);
}

/* Record what a file without a name cannot hold, and give it its lists. */
static int dress_tmpfile(struct sb_fs *fs, int fd, const struct recipe *r)
{
	struct sb_owner record = {.flags = SB_OWNER_IDS | SB_OWNER_MODE,
				  .uid = r->looks.uid,
				  .gid = r->looks.gid,
				  .mode = r->looks.mode};
	struct sb_owner_key key;
	struct statx sx;
	int err = 0;

	if (!r->inherits && !sb_upper_needs_record(&r->looks) && !sb_owner_may_be_stale(fs->tree))
		return 0;
	if (r->inherits) /* the umask took bits */
		err = (int)sb_syscall(__NR_fchmod, fd, sb_upper_host_mode(S_IFREG, r->looks.mode),
				      0, 0, 0, 0);
	if (err == 0)
		err = (int)sys_statx(fd, "", AT_EMPTY_PATH, SB_STATX_MASK, &sx);
	if (err < 0)
		return err;
	sb_owner_key(fs->tree, &sx, &key);
	if (sb_upper_needs_record(&r->looks))
		err = sb_owner_put(fs->tree, &key, &record);
	else
		sb_owner_drop(fs->tree, &key);
	return err < 0 || !r->inherits ? err : sb_file_acl_inherit(fs, &sx, &fs->work->default_acl);
}

long sb_change_tmpfile(struct sb_fs *fs, struct sb_at *at, int flags, uint32_t mode)
{
	struct recipe r = {.flags = flags};
	bool in_mount;
	long fd;
	int err = sb_tree_may_write(fs, &at->spot);

	if (err == 0)
		err = at->has_stat ? 0 : sb_tree_stat(fs, at);
	if (err == 0)
		err = sb_file_acl_permit(fs, &at->st, 3);
	if (err < 0)
		return err;
	look_of_new(fs, &at->st, S_IFREG | (mode & 07777), &r.looks);
	err = sb_copyup(fs, at, 0);
	if (err == 0 && at->st.acl.defaults != 0)
		err = look_at_list(fs, at->host.buf, mode, &r);
	if (err < 0)
		return err;
	sb_commit_begin(fs);
	in_mount = at->spot.mount != SB_NO_MOUNT;
	if (in_mount ? beyond_mount(fs, at->spot.mount, &r.looks) != 0
		     : sb_upper_needs_record(&r.looks))
		sb_owner_note_nameless(fs->tree);
	mode = in_mount ? sb_mount_host_mode(r.looks.mode)
			: sb_upper_host_mode(S_IFREG, r.looks.mode);
	fd = sys_openat(AT_FDCWD, at->host.buf, flags | O_TMPFILE, mode);
	if (fd == -EACCES && sb_loosen(fs, at->spot.mount, at->host.buf, 0300, NULL) == 0)
		fd = sys_openat(AT_FDCWD, at->host.buf, flags | O_TMPFILE, mode);
	if (fd >= 0) {
		err = in_mount ? own_in_mount(fs, (int)fd, "", at->spot.mount, &r.looks)
			       : dress_tmpfile(fs, (int)fd, &r);
		if (err < 0)
			sys_close((int)fd);
	}
	sb_commit_end(fs);
	return err < 0 ? err : fd;
}
