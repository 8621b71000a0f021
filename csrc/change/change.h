/* SPDX-License-Identifier: MIT */
/*
 * change.h - every change of the merged tree, with the errno of Linux.
 *
 * How it works
 *   The caller looks a path up (sb_tree_lookup) and passes the answer. The functions here check
 *   the permissions of the operation (write permission on the directory, sticky bit, ownership,
 *   read-only mounts and root), copy parents up, set the state byte before the first visible
 *   change, and make the change with one atomic operation of the host. Entries of mounts are
 *   changed in place. After success at->spot and at->host describe the new situation.
 * Rules
 *   Each function puts what must not be left half done between sb_commit_begin and sb_commit_end.
 *   It uses the paths of struct sb_work that are a change's, and work->buffer. New files belong
 *   to fsuid and fsgid of fs->ids (or to the group of a setgid directory); fs->umask is applied
 *   here. A copy-up keeps content, holes, mtime, atime, owner, mode, xattrs and the inode number.
 *   A link or rename makes the copy appear: of two racing processes one wins, and a kill leaves
 *   the old or the new file.
 */
#ifndef SB_CHANGE_H
#define SB_CHANGE_H

#include "tree/tree.h"
#include "view/view.h"

/* copyup.c: make a LOWER or LIVE entry an UPPER one; others stay as they are. keep: how many
 * bytes of content to copy (0 for O_TRUNC, UINT64_MAX for all). A placeholder FIFO becomes a
 * real FIFO; a device stays a placeholder with a record. -EROFS on a read-only container or
 * mount. */
int sb_copyup(struct sb_fs *fs, struct sb_at *at, uint64_t keep) SB_MUST_CHECK;
/* The same for the directory that holds at, so that a name can be made in it. Updates at->dir. */
int sb_copyup_parent(struct sb_fs *fs, struct sb_at *at) SB_MUST_CHECK;

/* Make a file. at must be absent. Returns the new descriptor; flags are open(2)'s. */
long sb_change_create(struct sb_fs *fs, struct sb_at *at, int flags, uint32_t mode) SB_MUST_CHECK;
/* Make a file without a name (O_TMPFILE) in the directory at. */
long sb_change_tmpfile(struct sb_fs *fs, struct sb_at *at, int flags, uint32_t mode) SB_MUST_CHECK;
int sb_change_mkdir(struct sb_fs *fs, struct sb_at *at, uint32_t mode) SB_MUST_CHECK;
int sb_change_mknod(struct sb_fs *fs, struct sb_at *at, uint32_t mode, uint64_t rdev) SB_MUST_CHECK;
int sb_change_symlink(struct sb_fs *fs, struct sb_at *at, const char *target) SB_MUST_CHECK;
int sb_change_unlink(struct sb_fs *fs, struct sb_at *at) SB_MUST_CHECK;
int sb_change_rmdir(struct sb_fs *fs, struct sb_at *at) SB_MUST_CHECK;
/* to must be absent. */
int sb_change_link(struct sb_fs *fs, struct sb_at *from, struct sb_at *to) SB_MUST_CHECK;
/* Name an open descriptor (O_TMPFILE, or /proc/self/fd/N followed). */
int sb_change_link_fd(struct sb_fs *fs, int fd, struct sb_at *to) SB_MUST_CHECK;
/* flags: 0, RENAME_NOREPLACE or RENAME_EXCHANGE; the caller has checked them. */
int sb_change_rename(struct sb_fs *fs, struct sb_at *from, struct sb_at *to,
		     unsigned flags) SB_MUST_CHECK;

/* change_quick.c: the same without a look-up, where what is remembered of the directory is
 * enough. path is the guest's string. -SB_ELOOK: look the path up. */
long sb_quick_create(struct sb_fs *fs, const char *path, int flags, uint32_t mode) SB_MUST_CHECK;
int sb_quick_mkdir(struct sb_fs *fs, const char *path, uint32_t mode) SB_MUST_CHECK;
int sb_quick_symlink(struct sb_fs *fs, const char *path, const char *target) SB_MUST_CHECK;
int sb_quick_link(struct sb_fs *fs, const char *from, const char *to) SB_MUST_CHECK;
int sb_quick_unlink(struct sb_fs *fs, const char *path) SB_MUST_CHECK;
int sb_quick_rmdir(struct sb_fs *fs, const char *path) SB_MUST_CHECK;
int sb_quick_rename(struct sb_fs *fs, const char *from, const char *to,
		    unsigned flags) SB_MUST_CHECK;

/* Call the first before, the second after a directory with this mode was made in a pure one of the
 * upper: it is remembered. */
struct sb_quick_mark {
	uint32_t generation; /* dircache.h */
	uint32_t made;
	bool quiet;
};
struct sb_quick_mark sb_quick_mark(const struct sb_fs *fs);
void sb_quick_learn(struct sb_fs *fs, const char *path, uint32_t mode,
		    const struct sb_quick_mark *mark);

/* change_pure.c: the same for names in pure directories (view.h), for root. -SB_ELOOK: look the
 * paths up. */
int sb_pure_mkdir(struct sb_fs *fs, const struct sb_pure_name *at, uint32_t mode) SB_MUST_CHECK;
int sb_pure_symlink(struct sb_fs *fs, const struct sb_pure_name *at,
		    const char *target) SB_MUST_CHECK;
int sb_pure_link(struct sb_fs *fs, const struct sb_pure_name *from,
		 const struct sb_pure_name *to) SB_MUST_CHECK;
int sb_pure_unlink(struct sb_fs *fs, const struct sb_pure_name *at) SB_MUST_CHECK;
int sb_pure_rmdir(struct sb_fs *fs, const struct sb_pure_name *at) SB_MUST_CHECK;
int sb_pure_rename(struct sb_fs *fs, const struct sb_pure_name *from, const struct sb_pure_name *to,
		   unsigned flags) SB_MUST_CHECK;
/* May a file with this mode be made there in one call of the kernel? *host_mode is what the call
 * gets. */
bool sb_pure_may_create(struct sb_fs *fs, const struct sb_pure_name *at, uint32_t mode,
			uint32_t *host_mode);
/* flags: SB_FOLLOW. */
int sb_pure_chmod(struct sb_fs *fs, const struct sb_pure_name *at, unsigned flags,
		  uint32_t mode) SB_MUST_CHECK;
int sb_pure_chown(struct sb_fs *fs, const struct sb_pure_name *at, unsigned flags, uint32_t uid,
		  uint32_t gid) SB_MUST_CHECK;
int sb_pure_utimens(struct sb_fs *fs, const struct sb_pure_name *at, unsigned flags,
		    const struct sb_timespec *times) SB_MUST_CHECK;

int sb_change_chmod(struct sb_fs *fs, struct sb_at *at, uint32_t mode) SB_MUST_CHECK;
int sb_change_chown(struct sb_fs *fs, struct sb_at *at, uint32_t uid, uint32_t gid) SB_MUST_CHECK;
/* times as in utimensat(2); NULL is now. */
int sb_change_utimens(struct sb_fs *fs, struct sb_at *at,
		      const struct sb_timespec *times) SB_MUST_CHECK;
int sb_change_truncate(struct sb_fs *fs, struct sb_at *at, int64_t len) SB_MUST_CHECK;
/* open(2) is about to open at to write, which is no lower file. As the kernel does at the first
 * write, take its capability away, and its set-id bits unless fs->ids may keep them. */
int sb_change_written(struct sb_fs *fs, struct sb_at *at) SB_MUST_CHECK;

/* Extended attributes; names and flags as in setxattr(2). get and list return the length, and
 * size 0 asks for it. system.posix_acl_*, security.*, trusted.* and user.* are all kept as
 * metadata. user.* on others than files and directories is -EPERM, trusted.* needs
 * CAP_SYS_ADMIN, unknown namespaces are -EOPNOTSUPP. */
long sb_change_getxattr(struct sb_fs *fs, struct sb_at *at, const char *name, char *buf,
			size_t len) SB_MUST_CHECK;
long sb_change_listxattr(struct sb_fs *fs, struct sb_at *at, char *buf, size_t len) SB_MUST_CHECK;
int sb_change_setxattr(struct sb_fs *fs, struct sb_at *at, const char *name, const char *value,
		       size_t len, int flags) SB_MUST_CHECK;
int sb_change_removexattr(struct sb_fs *fs, struct sb_at *at, const char *name) SB_MUST_CHECK;

/* The same for a descriptor whose file is not a lower one (an upper file, a file of a mount, a
 * deleted file, a pipe): no path is needed. */
int sb_change_fchmod(struct sb_fs *fs, int fd, uint32_t mode) SB_MUST_CHECK;
int sb_change_fchown(struct sb_fs *fs, int fd, uint32_t uid, uint32_t gid) SB_MUST_CHECK;
/* Make a terminal the container's and a user its owner, without a check of permission. fd is the
 * terminal or its master. 0 also when fd is no terminal of /dev/pts. */
int sb_change_give_terminal(struct sb_fs *fs, int fd, uint32_t uid) SB_MUST_CHECK;
int sb_change_futimens(struct sb_fs *fs, int fd, const struct sb_timespec *times) SB_MUST_CHECK;
long sb_change_fgetxattr(struct sb_fs *fs, int fd, const char *name, char *buf,
			 size_t len) SB_MUST_CHECK;
long sb_change_flistxattr(struct sb_fs *fs, int fd, char *buf, size_t len) SB_MUST_CHECK;
int sb_change_fsetxattr(struct sb_fs *fs, int fd, const char *name, const char *value, size_t len,
			int flags) SB_MUST_CHECK;
int sb_change_fremovexattr(struct sb_fs *fs, int fd, const char *name) SB_MUST_CHECK;

/* Walk the upper and set the state bytes of a container that has no process. */
int sb_upper_scan(struct sb_fs *fs) SB_MUST_CHECK;

#endif
