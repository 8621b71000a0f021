/* SPDX-License-Identifier: MIT */
/*
 * change_xattr.c - extended attributes of the merged tree.
 *
 * How it works
 *   A lower file has them in its node, an upper one in its owner record. For a mount and a live
 *   lower the host is asked; what the host refuses to virtual root is in a record, which is read
 *   first.
 * Rules
 *   Names and values are only stored. An access list also sets the mode that it means, and is
 *   read with the bits of the mode (acl.h).
 */
#include <errno.h>
#include <linux/stat.h>
#include <linux/xattr.h>

#include "base/stat.h"
#include "change/change.h"
#include "tree/descriptors.h"
#include "tree/dircache.h"
#include "tree/file_acl.h"
#include "tree/host_path.h"
#include "tree/loosen.h"
#include "tree/mounts.h"
#include "tree/xattr.h"
#include "view/view.h"

#define NAME_MAX_LEN 255
#define VALUE_MAX 65536

/* Where the attributes of one file are. */
struct bag {
	const char *packed; /* of the record, or of a node */
	uint32_t len;
	bool has_record;
	struct sb_owner_key key;
	struct sb_owner record;
	const char *host; /* ask the host, too: this path */
	int fd;           /* or this descriptor when host is NULL; -1: do not ask the host */
	const char *path; /* of the host's file, or NULL: it is open as opened */
	int opened;
	uint32_t mount; /* that holds path */
	struct sb_stat st;
};

/* ---- the host's ---------------------------------------------------------- */

static long host_get(const struct bag *bag, const char *name, char *buf, size_t len)
{
	if (bag->host)
		return sys_lgetxattr(bag->host, name, buf, len);
	return sb_syscall(__NR_fgetxattr, bag->fd, SB_P(name), SB_P(buf), (long)len, 0, 0);
}

static long host_list(const struct bag *bag, char *buf, size_t len)
{
	if (bag->host)
		return sys_llistxattr(bag->host, buf, len);
	return sb_syscall(__NR_flistxattr, bag->fd, SB_P(buf), (long)len, 0, 0, 0);
}

static int host_set(const struct bag *bag, const char *name, const char *value, size_t len,
		    int flags)
{
	if (bag->host)
		return (int)sys_lsetxattr(bag->host, name, value, len, flags);
	return (int)sb_syscall(__NR_fsetxattr, bag->fd, SB_P(name), SB_P(value), (long)len, flags,
			       0);
}

static int host_remove(const struct bag *bag, const char *name)
{
	if (bag->host)
		return (int)sys_lremovexattr(bag->host, name);
	return (int)sb_syscall(__NR_fremovexattr, bag->fd, SB_P(name), 0, 0, 0, 0);
}

/* The host looks at its own mode for user.*, while the guest's permission was checked: give the
 * owner these bits. False when that cannot be done. Uses work->temp, guest. */
static bool loosen(const struct sb_fs *fs, const struct bag *bag, uint32_t bits,
		   struct sb_loosened *done, const char **host)
{
	struct sb_path *path = &fs->work->temp;
	struct sb_path *guest = &fs->work->guest;

	*host = bag->host;
	if (bag->host != NULL)
		return sb_loosen(fs, bag->mount, bag->host, bits, done) == 0;
	*host = path->buf;
	return sb_fd_path(bag->fd, path) == 0 &&
	       sb_tree_guest_path(fs, path->buf, path->len, guest) == 0 &&
	       sb_loosen(fs, sb_tree_mount_of(fs->tree, guest->buf, guest->len), path->buf, bits,
			 done) == 0;
}

static long get_allowed(const struct sb_fs *fs, const struct bag *bag, const char *name, char *buf,
			size_t len)
{
	struct sb_loosened done;
	const char *host;
	long ret = host_get(bag, name, buf, len);

	if (ret != -EACCES || !loosen(fs, bag, 0400, &done, &host))
		return ret;
	ret = host_get(bag, name, buf, len);
	sb_tighten(fs, host, &done);
	return ret;
}

static int host_put(const struct bag *bag, const char *name, const char *value, size_t len,
		    int flags)
{
	return value ? host_set(bag, name, value, len, flags) : host_remove(bag, name);
}

static int put_allowed(const struct sb_fs *fs, const struct bag *bag, const char *name,
		       const char *value, size_t len, int flags)
{
	struct sb_loosened done;
	const char *host;
	int err = host_put(bag, name, value, len, flags);

	if (err != -EACCES || !loosen(fs, bag, 0200, &done, &host))
		return err;
	err = host_put(bag, name, value, len, flags);
	sb_tighten(fs, host, &done);
	return err;
}

static bool asks_host(const struct bag *bag)
{
	return bag->host != NULL || bag->fd != -1;
}

/* ---- what may be asked --------------------------------------------------- */

static bool begins(const char *name, const char *prefix)
{
	size_t len = strlen(prefix);

	return strlen(name) >= len && memcmp(name, prefix, len) == 0;
}

/* 0, or -EINVAL when the name is only the prefix. */
static int need_more(const char *name, const char *prefix)
{
	return strlen(name) > strlen(prefix) ? 0 : -EINVAL;
}

static bool is_access_list(const char *name)
{
	return sb_same(name, strlen(name), SB_ACL_ACCESS_NAME, strlen(SB_ACL_ACCESS_NAME));
}

static bool is_default_list(const char *name)
{
	return sb_same(name, strlen(name), SB_ACL_DEFAULT_NAME, strlen(SB_ACL_DEFAULT_NAME));
}

/* The kernel gives open sockets this one. */
static bool is_protocol_name(const char *name)
{
	return sb_same(name, strlen(name), "system.sockprotoname", 20);
}

static bool is_acl(const char *name)
{
	return is_access_list(name) || is_default_list(name);
}

/* Has the list no entries? Then it is removed. */
static bool is_empty_list(const char *name, const char *value, size_t len)
{
	return is_acl(name) && (len == 0 || (len == 4 && memcmp(value, "\2\0\0", 4) == 0));
}

/* May fs->ids use this name on this file? As in the kernel's xattr_permission() and the
 * handlers of each namespace. */
static int check_name(const struct sb_fs *fs, const struct bag *bag, const char *name, bool write)
{
	const struct sb_ids *ids = fs->ids;
	uint32_t type = bag->st.mode & S_IFMT;
	size_t len = strlen(name);

	if (len == 0 || len > NAME_MAX_LEN)
		return -ERANGE;
	if (begins(name, XATTR_TRUSTED_PREFIX)) {
		if (sb_ids_has_cap(ids, SB_CAP_SYS_ADMIN))
			return need_more(name, XATTR_TRUSTED_PREFIX);
		return write ? -EPERM : -ENODATA;
	}
	if (begins(name, XATTR_USER_PREFIX)) {
		if (type != S_IFREG && type != S_IFDIR)
			return write ? -EPERM : -ENODATA;
		if (write && type == S_IFDIR && (bag->st.mode & S_ISVTX) != 0 &&
		    !sb_ids_owns(ids, bag->st.uid))
			return -EPERM;
		return sb_file_acl_permit(fs, &bag->st, write ? 2 : 4)
			       ?: need_more(name, XATTR_USER_PREFIX);
	}
	if (begins(name, XATTR_SECURITY_PREFIX)) {
		unsigned cap = sb_same(name, len, XATTR_NAME_CAPS, strlen(XATTR_NAME_CAPS))
				       ? SB_CAP_SETFCAP
				       : SB_CAP_SYS_ADMIN;

		if (write && !sb_ids_has_cap(ids, cap))
			return -EPERM;
		return need_more(name, XATTR_SECURITY_PREFIX);
	}
	if (!begins(name, XATTR_SYSTEM_PREFIX)) {
		int err = sb_file_acl_permit(fs, &bag->st, write ? 2 : 4);

		return err < 0 ? err : -EOPNOTSUPP;
	}
	if (type == S_IFSOCK && bag->fd != -1 && !write && is_protocol_name(name))
		return 0;
	if (!is_acl(name) || type == S_IFLNK)
		return -EOPNOTSUPP;
	if (write && type != S_IFDIR && is_default_list(name))
		return -EACCES;
	return write && !sb_ids_owns(ids, bag->st.uid) ? -EPERM : 0;
}

/* May fs->ids remove it? Only directories have a default list: without one there is nothing to
 * remove, whoever asks. */
static int check_remove(const struct sb_fs *fs, const struct bag *bag, const char *name)
{
	const uint32_t type = bag->st.mode & S_IFMT;

	if (is_default_list(name) && type != S_IFDIR && type != S_IFLNK)
		return 1;
	return check_name(fs, bag, name, true);
}

/* ---- one file ------------------------------------------------------------ */

static void bag_of_stat(struct sb_fs *fs, const struct statx *sx, uint32_t mount, struct bag *bag)
{
	sb_tree_virtual_stat(fs, sx, mount, &bag->st);
	bag->has_record = sb_owner_load(fs->tree, sx, &bag->key, &bag->record);
	if (bag->has_record)
		bag->packed = sb_owner_blob(fs->tree, &bag->record, &bag->len);
}

/* Was the list whole while it was read, or did another process change the file? */
static bool was_whole(const struct sb_fs *fs, const struct bag *bag)
{
	return !bag->has_record || !bag->packed ||
	       sb_owner_is_current(fs->tree, &bag->key, &bag->record);
}

/* Find the attributes of an entry. sx becomes the host's stat, for an entry of the upper or a
 * mount. */
static int bag_of_at(struct sb_fs *fs, struct sb_at *at, struct bag *bag, struct statx *sx)
{
	const struct sb_tree *tree = fs->tree;
	int err;

	*bag = (struct bag){.fd = -1};
	if (at->spot.place == SB_PLACE_ABSENT)
		return -ENOENT;
	if (at->spot.place == SB_PLACE_LINK) {
		bag->st.mode = S_IFLNK | 0777;
		return 0;
	}
	if (at->spot.place == SB_PLACE_LOWER) {
		const struct sb_node *node = &tree->nodes[at->spot.node];

		err = sb_spot_stat(fs, &at->spot, &at->host, NULL, &bag->st);
		bag->packed = tree->strings + node->xattr_off;
		bag->len = node->xattr_len;
		return err;
	}
	err = sb_entry_stat(at, sx);
	if (err < 0)
		return err;
	bag_of_stat(fs, sx, at->spot.mount, bag);
	bag->path = at->host.buf;
	bag->mount = at->spot.mount;
	if (at->spot.place != SB_PLACE_UPPER)
		bag->host = at->host.buf;
	return 0;
}

static int bag_of_fd(struct sb_fs *fs, int fd, struct bag *bag, struct statx *sx)
{
	const uint32_t home = sb_fds_is_in(fs, fd) ? sb_fds_home(fs, fd) : 0;
	long flags = home != 0 ? 0 : sb_syscall(__NR_fcntl, fd, F_GETFL, 0, 0, 0, 0);
	int err;

	*bag = (struct bag){.fd = -1};
	if (flags < 0)
		return (int)flags;
	if ((flags & O_PATH) != 0)
		return -EBADF;
	err = (int)sys_statx(fd, "", AT_EMPTY_PATH, SB_STATX_MASK, sx);
	if (err < 0)
		return err;
	bag_of_stat(fs, sx, sb_tree_owned_mount_of_fd(fs, fd), bag);
	bag->opened = fd;
	if (home != 0 ? home != SB_PURE_UPPER : !sb_upper_owns_fd(fs, fd))
		bag->fd = fd;
	return 0;
}

static long get(const struct sb_fs *fs, const struct bag *bag, const char *name, char *buf,
		size_t len)
{
	struct sb_xattr one;
	int err = check_name(fs, bag, name, false);

	if (err < 0)
		return err;
	if (sb_xattr_find(bag->packed, bag->len, name, &one)) {
		if (len == 0)
			return one.value_len;
		if (len < one.value_len)
			return -ERANGE;
		memcpy(buf, one.value, one.value_len);
		if (is_access_list(name))
			sb_acl_show(buf, one.value_len, bag->st.mode);
		return one.value_len;
	}
	return asks_host(bag) ? get_allowed(fs, bag, name, buf, len) : -ENODATA;
}

/* Append the host's names that no record has, behind the used bytes. */
static long list_host(const struct sb_fs *fs, const struct bag *bag, char *buf, size_t len,
		      size_t used)
{
	char *names = fs->work->buffer;
	long count = host_list(bag, names, sizeof(fs->work->buffer));

	if (count == -EOPNOTSUPP)
		count = 0;
	if (count < 0)
		return count;
	for (long at = 0; at < count; at += (long)strlen(names + at) + 1) {
		size_t size = strlen(names + at) + 1;
		struct sb_xattr one;

		if (sb_xattr_find(bag->packed, bag->len, names + at, &one))
			continue;
		if (len > 0 && used + size > len)
			return -ERANGE;
		if (len > 0)
			memcpy(buf + used, names + at, size);
		used += size;
	}
	return (long)used;
}

static long list(const struct sb_fs *fs, const struct bag *bag, char *buf, size_t len)
{
	bool admin = sb_ids_has_cap(fs->ids, SB_CAP_SYS_ADMIN);
	struct sb_xattr one;
	uint32_t pos = 0;
	size_t used = 0;

	while (sb_xattr_next(bag->packed, bag->len, &pos, &one)) {
		if (!admin && one.name_len > 8 && memcmp(one.name, XATTR_TRUSTED_PREFIX, 8) == 0)
			continue;
		if (len > 0 && used + one.name_len + 1 > len)
			return -ERANGE;
		if (len > 0) {
			memcpy(buf + used, one.name, one.name_len);
			buf[used + one.name_len] = '\0';
		}
		used += one.name_len + 1;
	}
	return asks_host(bag) ? list_host(fs, bag, buf, len, used) : (long)used;
}

/* The host's file did not change: its ctime must, and watches must report it. */
static void touch(const struct bag *bag, const struct statx *sx)
{
	const uint32_t mode = sx->stx_mode & 07777;

	if (bag->path == NULL)
		sys_fchmod(bag->opened, mode);
	else if ((sx->stx_mode & S_IFMT) != S_IFLNK)
		sys_fchmodat(AT_FDCWD, bag->path, mode);
	else
		sb_syscall(__NR_fchownat, AT_FDCWD, SB_P(bag->path), sx->stx_uid, UINT32_MAX,
			   AT_SYMLINK_NOFOLLOW, 0);
}

/* Set name = value, or (NULL) remove name, for the file with this stat, which is no lower one. */
static int put(struct sb_fs *fs, const struct bag *bag, const struct statx *sx, const char *name,
	       const char *value, size_t len, int flags)
{
	struct sb_owner_key key;
	struct sb_owner record;
	struct sb_xattr one;
	bool has = sb_xattr_find(bag->packed, bag->len, name, &one);
	int err;

	sb_commit_begin(fs);
	if (asks_host(bag) && !has) {
		err = put_allowed(fs, bag, name, value, len, flags);
		if ((err != -EPERM && err != -EOPNOTSUPP) || begins(name, XATTR_USER_PREFIX))
			return err;
	}
	if (value && has && (flags & XATTR_CREATE) != 0)
		return -EEXIST;
	if (!has && (!value || (flags & XATTR_REPLACE) != 0))
		return -ENODATA;
	sb_owner_load(fs->tree, sx, &key, &record);
	err = sb_xattr_put(fs, &key, &record, name, value, (uint32_t)len);
	if (err == 0 && !is_access_list(name)) /* else chmod has done so */
		touch(bag, sx);
	if (is_acl(name) && (bag->st.mode & S_IFMT) == S_IFDIR)
		sb_dircache_changed(fs->tree);
	sb_commit_end(fs);
	return err;
}

static int check_set(const struct sb_fs *fs, const struct bag *bag, const char *name, size_t len,
		     int flags)
{
	if ((flags & ~(XATTR_CREATE | XATTR_REPLACE)) != 0)
		return -EINVAL;
	if (len > VALUE_MAX)
		return -E2BIG;
	return check_name(fs, bag, name, true);
}

/* ---- by path and by descriptor ------------------------------------------- */

/* Read an attribute, or (name is NULL) list them, of an entry or (at is NULL) of a descriptor. */
static long read_bag(struct sb_fs *fs, struct sb_at *at, int fd, const char *name, char *buf,
		     size_t len)
{
	struct statx sx;
	struct bag bag;
	long ret;

	do {
		ret = at ? bag_of_at(fs, at, &bag, &sx) : bag_of_fd(fs, fd, &bag, &sx);
		if (ret == 0)
			ret = name ? get(fs, &bag, name, buf, len) : list(fs, &bag, buf, len);
	} while (!was_whole(fs, &bag));
	return ret;
}

long sb_change_getxattr(struct sb_fs *fs, struct sb_at *at, const char *name, char *buf, size_t len)
{
	return read_bag(fs, at, -1, name, buf, len);
}

long sb_change_listxattr(struct sb_fs *fs, struct sb_at *at, char *buf, size_t len)
{
	return read_bag(fs, at, -1, NULL, buf, len);
}

/* Copy at up when needed, and find its attributes anew. */
static int bring_up(struct sb_fs *fs, struct sb_at *at, struct bag *bag, struct statx *sx)
{
	int err = at->spot.place == SB_PLACE_LINK ? -EPERM : sb_copyup(fs, at, UINT64_MAX);

	return err < 0 ? err : bag_of_at(fs, at, bag, sx);
}

int sb_change_setxattr(struct sb_fs *fs, struct sb_at *at, const char *name, const char *value,
		       size_t len, int flags)
{
	struct statx sx;
	struct bag bag;
	uint32_t bits = 0;
	bool minimal = false;
	bool access = is_access_list(name);
	int err = bag_of_at(fs, at, &bag, &sx);

	if (!value)
		value = "";
	if (err == 0)
		err = sb_tree_may_write(fs, &at->spot);
	if (err == 0 && is_empty_list(name, value, len))
		return sb_change_removexattr(fs, at, name);
	if (err == 0)
		err = check_set(fs, &bag, name, len, flags);
	if (err == 0 && is_acl(name))
		err = sb_acl_mode(value, len, &bits, &minimal);
	if (err == 0)
		err = bring_up(fs, at, &bag, &sx);
	if (err == 0 && access)
		err = sb_change_chmod(fs, at, (bag.st.mode & 07000) | bits);
	if (err < 0)
		return err;
	if (access && minimal) {
		err = put(fs, &bag, &sx, name, NULL, 0, 0);
		return err == -ENODATA ? 0 : err;
	}
	return put(fs, &bag, &sx, name, value, len, flags);
}

int sb_change_removexattr(struct sb_fs *fs, struct sb_at *at, const char *name)
{
	struct statx sx;
	struct bag bag;
	struct sb_xattr one;
	int err = bag_of_at(fs, at, &bag, &sx);

	if (err == 0)
		err = sb_tree_may_write(fs, &at->spot);
	if (err == 0)
		err = check_remove(fs, &bag, name);
	if (err == 1)
		return 0;
	if (err == 0 && !asks_host(&bag) && !sb_xattr_find(bag.packed, bag.len, name, &one))
		err = is_acl(name) ? 0 : -ENODATA;
	else if (err == 0)
		err = bring_up(fs, at, &bag, &sx) ?: put(fs, &bag, &sx, name, NULL, 0, 0);
	return err;
}

long sb_change_fgetxattr(struct sb_fs *fs, int fd, const char *name, char *buf, size_t len)
{
	return read_bag(fs, NULL, fd, name, buf, len);
}

long sb_change_flistxattr(struct sb_fs *fs, int fd, char *buf, size_t len)
{
	return read_bag(fs, NULL, fd, NULL, buf, len);
}

int sb_change_fsetxattr(struct sb_fs *fs, int fd, const char *name, const char *value, size_t len,
			int flags)
{
	struct statx sx;
	struct bag bag;
	uint32_t bits;
	bool minimal = false;
	int err = bag_of_fd(fs, fd, &bag, &sx) ?: sb_tree_may_write_fd(fs, fd);

	if (!value)
		value = "";
	if (err == 0 && is_empty_list(name, value, len))
		return sb_change_fremovexattr(fs, fd, name);
	if (err == 0)
		err = check_set(fs, &bag, name, len, flags);
	if (err == 0 && is_acl(name))
		err = sb_acl_mode(value, len, &bits, &minimal);
	if (err == 0 && is_access_list(name))
		err = sb_change_fchmod(fs, fd, (bag.st.mode & 07000) | bits);
	if (err == 0 && minimal && is_access_list(name))
		value = NULL;
	if (err == 0)
		err = put(fs, &bag, &sx, name, value, len, flags);
	return err == -ENODATA && !value ? 0 : err;
}

int sb_change_fremovexattr(struct sb_fs *fs, int fd, const char *name)
{
	struct statx sx;
	struct bag bag;
	int err = bag_of_fd(fs, fd, &bag, &sx) ?: sb_tree_may_write_fd(fs, fd);

	if (err == 0)
		err = check_remove(fs, &bag, name);
	if (err == 1)
		return 0;
	if (err == 0)
		err = put(fs, &bag, &sx, name, NULL, 0, 0);
	return err == -ENODATA && is_acl(name) ? 0 : err;
}
