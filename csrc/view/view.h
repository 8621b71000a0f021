/* SPDX-License-Identifier: MIT */
/*
 * view.h - read the merged tree: look-ups, stat, permission, listings.
 *
 * How it works
 *   sb_tree_lookup() says what is at a guest path. Its answer, a struct sb_at, is what the other
 *   functions take.
 */
#ifndef SB_VIEW_H
#define SB_VIEW_H

#include "tree/tree.h"

/* ---- lookup.c ------------------------------------------------------------ */

/* sb_tree_lookup flags */
#define SB_FOLLOW 1 /* follow a symlink in the last component */
/* The last component may be missing: spot.place says ABSENT. Its directory may not. */
#define SB_MAY_BE_ABSENT 2
#define SB_WANT_DIR 4 /* -ENOTDIR unless a directory (after following) */
#define SB_NO_SYMLINKS 8 /* -ELOOP on any symlink (RESOLVE_NO_SYMLINKS) */
#define SB_BENEATH 16 /* -EXDEV when leaving base (RESOLVE_BENEATH) */
/* base is the root for this look-up (RESOLVE_IN_ROOT); base is not part of out. */
#define SB_IN_ROOT 32
#define SB_NO_XDEV 64 /* -EXDEV when crossing a mount */
#define SB_WANT_STAT 128 /* fill st */
/* As O_CREAT: with SB_FOLLOW a dangling symlink yields its absent target, and a last component with
 * a trailing slash is -EISDIR. */
#define SB_CREATE 256
/* The last component is a name to make, remove or rename: a symlink there is not followed even
 * before a trailing slash, and the entry need not be a directory then (out->slash tells the
 * caller). SB_MAY_BE_ABSENT without SB_FOLLOW implies it. */
#define SB_PARENT 512
/* A descriptor led to the directory: its search permission is not checked (one component). */
#define SB_SEARCHED 1024

/* Find path (any guest string, NUL-terminated, not empty) from the directory base (a canonical
 * guest path; ignored for absolute paths). Checks search permission on the way with fs->ids.
 * Errors: ENOENT, ENOTDIR, ELOOP (more than 40 symlinks), ENAMETOOLONG (component over 255,
 * string over 4095), EACCES, EXDEV, and what the kernel says of the host file system. Links
 * straight in /proc (self, thread-self, mounts, net) are text, and followed. A path that
 * reaches any other symlink of an SB_MOUNT_PROC returns -SB_EMAGIC: the link is out->guest,
 * out->host and out->name, and the unresolved rest is in work->todo, empty or beginning with
 * "/". The caller knows what a magic link means. Uses work->todo and stack. */
#define SB_EMAGIC 4000
int sb_tree_lookup(struct sb_fs *fs, const char *base, uint32_t base_len, const char *path,
		   unsigned flags, struct sb_at *out) SB_MUST_CHECK;

/* Has fs->ids search permission on every directory? */
bool sb_tree_may_search_all(const struct sb_fs *fs);

/* The node of the entry name of the directory that fd has open. SB_NO_NODE unless the directory
 * is remembered (descriptors.h), the container left both alone, everybody may search the
 * directories above, and name is a single component. */
uint32_t sb_tree_child_of_fd(const struct sb_fs *fs, int fd, const char *name);

/* ---- spot.c -------------------------------------------------------------- */

/* The spot of a directory that is known to exist: the working directory, a descriptor's
 * directory, a parent. Mostly without a system call. */
int sb_spot_of_dir(const struct sb_fs *fs, const char *guest, uint32_t len, struct sb_path *host,
		   struct sb_spot *out) SB_MUST_CHECK;

/* The spot of a directory that is remembered (dircache.h), when it still holds. */
bool sb_spot_recall(const struct sb_fs *fs, const char *guest, uint32_t len, struct sb_spot *out);

/* Host path of a spot; for an absent one, where it would be made. */
int sb_spot_host(const struct sb_fs *fs, const struct sb_spot *spot, const char *guest,
		 uint32_t len, struct sb_path *host) SB_MUST_CHECK;

/* Does the index alone say what is at a node's path? Yes when the state of the node and of
 * every directory above it is untouched or merged. */
bool sb_spot_is_plain(const struct sb_tree *tree, uint32_t node);

/* ---- stat.c -------------------------------------------------------------- */

/* Stat of a present spot. host is its host path; look is the host's answer, or NULL to ask. */
int sb_spot_stat(const struct sb_fs *fs, const struct sb_spot *spot, const struct sb_path *host,
		 const struct statx *look, struct sb_stat *out) SB_MUST_CHECK;

/* Fill at->st (and has_stat) for a present entry. */
int sb_tree_stat(struct sb_fs *fs, struct sb_at *at) SB_MUST_CHECK;

/* The host's answer for a present entry: once the answer that the look-up got, then a new one. */
int sb_entry_stat(struct sb_at *at, struct statx *sx) SB_MUST_CHECK;

/* Stat of the directory that holds at. Uses work->host. */
int sb_tree_stat_parent(const struct sb_fs *fs, const struct sb_at *at,
			struct sb_stat *out) SB_MUST_CHECK;

/* Remember the looks of a directory that is remembered (dircache.h), in the upper. Uses work->host.
 */
bool sb_tree_learn_looks(const struct sb_fs *fs, const char *guest, uint32_t len);

/* What the guest sees of a host file that is not in the index: owner records, uid mapping. sx
 * must hold STATX_BASIC_STATS and, where known, STATX_BTIME. mount holds the file. */
void sb_tree_virtual_stat(const struct sb_fs *fs, const struct statx *sx, uint32_t mount,
			  struct sb_stat *out);
/* The mount that holds a descriptor's file, if its owners are its own, else SB_NO_MOUNT. Uses
 * work->guest and host. */
uint32_t sb_tree_owned_mount_of_fd(const struct sb_fs *fs, int fd);

/* Stat of a descriptor of any file of the container: also of deleted ones, pipes and sockets.
 * The inode identifies the file: the index knows layer files, the owner table the others. node
 * (may be NULL) receives the index node of a lower file, else SB_NO_NODE. Uses work->guest and
 * host. */
int sb_tree_fstat(struct sb_fs *fs, int fd, struct sb_stat *out, uint32_t *node) SB_MUST_CHECK;

/* The common case, in the kernel's own layout: 1 when *out is the answer, 0 when only
 * sb_tree_fstat() knows it. */
int sb_tree_fstat_plain(const struct sb_fs *fs, int fd, struct stat *out) SB_MUST_CHECK;

/* Is a descriptor's file a directory? 1, 0 or -errno. *node is its node in the image, or
 * SB_NO_NODE. */
int sb_tree_fd_dir(const struct sb_fs *fs, int fd, uint32_t *node) SB_MUST_CHECK;

/* Target of a symlink, at most len bytes without a NUL; returns the count. -EINVAL for other
 * files. Links of /proc are the caller's business. */
long sb_tree_readlink(struct sb_fs *fs, const struct sb_at *at, char *buf,
		      size_t len) SB_MUST_CHECK;

/* ---- pure.c --------------------------------------------------------------- */

/* What the directory guest[0..len) is, when it is pure (SB_PURE_*); else 0. */
uint32_t sb_spot_pure(const struct sb_tree *tree, const struct sb_spot *spot, const char *guest,
		      uint32_t len);

/* The mount that a pure directory is in, or SB_NO_MOUNT. */
static inline uint32_t sb_pure_mount(uint32_t pure)
{
	return pure >= SB_PURE_MOUNT ? pure - SB_PURE_MOUNT : SB_NO_MOUNT;
}
/* Not known without a look-up. Guests never see it. */
#define SB_ELOOK 4001
/* It may have a record: ask sb_pure_statx(). */
#define SB_ERECORD 4003

/* An entry of a pure directory. dirfd and name lead the kernel to it, no symlink is on the way, and
 * no dots are at the end. */
struct sb_pure_name {
	int dirfd;
	const char *name;
	uint32_t pure; /* SB_PURE_* of the directory */
};

/* What the guest sees of it. flags: SB_FOLLOW. -ENOENT is an answer. -SB_ELOOK: look the path up.
 * -SB_ERECORD: sb_pure_statx() knows it. */
int sb_pure_stat(const struct sb_fs *fs, const struct sb_pure_name *at, unsigned flags,
		 struct stat *out) SB_MUST_CHECK;
/* The same with what only statx(2) and records say. */
int sb_pure_statx(const struct sb_fs *fs, const struct sb_pure_name *at, unsigned flags,
		  struct sb_stat *out) SB_MUST_CHECK;
/* What the host says of it. */
int sb_pure_look(const struct sb_fs *fs, const struct sb_pure_name *at, unsigned flags,
		 struct statx *out) SB_MUST_CHECK;
/* Target of a symlink, at most len bytes without a NUL. -ENOENT and -EINVAL are answers. */
long sb_pure_readlink(const struct sb_fs *fs, const struct sb_pure_name *at, char buf[SB_PATH_MAX],
		      size_t len) SB_MUST_CHECK;

/* ---- permission.c -------------------------------------------------------- */

/* -EROFS when this spot lies in a read-only mount or container. */
int sb_tree_may_write(const struct sb_fs *fs, const struct sb_spot *spot) SB_MUST_CHECK;
/* False when a pure directory is read-only. */
bool sb_pure_may_write(const struct sb_fs *fs, uint32_t pure);
/* The same for the file of a descriptor, which may be in a mount. Uses work->guest and host. */
int sb_tree_may_write_fd(const struct sb_fs *fs, int fd) SB_MUST_CHECK;
/* May fs->ids do want (4 read, 2 write, 1 execute) here? 0, -EACCES, -EROFS. */
int sb_tree_permit(struct sb_fs *fs, struct sb_at *at, unsigned want) SB_MUST_CHECK;
/* May the machine's user do that with the host's file? A symlink is not followed. */
int sb_host_permit(int dirfd, const char *host, unsigned want) SB_MUST_CHECK;
/* The same as sb_tree_permit() without asking the host, for a caller that opens the file next: the
 * host checks that. Files of /proc are left to the host, but for those of another process. */
int sb_tree_permit_ids(struct sb_fs *fs, struct sb_at *at, unsigned want) SB_MUST_CHECK;

/* May fs->ids make an entry where at is? dir becomes the stat of its directory. Uses work->host. */
int sb_tree_may_make(struct sb_fs *fs, const struct sb_at *at, bool is_dir,
		     struct sb_stat *dir) SB_MUST_CHECK;
/* May fs->ids take the name of at away (write permission, sticky bit)? */
int sb_tree_may_delete(struct sb_fs *fs, struct sb_at *at) SB_MUST_CHECK;

/* ---- dirlist*.c ----------------------------------------------------------- */

/* Bits of a position in the upper; 32-bit programs and some file systems have fewer. */
#define SB_DIRLIST_WIDE 62
#define SB_DIRLIST_NARROW 29
/* sb_dirlist_read_untouched: not such a directory. Guests never see it. */
#define SB_ELIST 4002

static inline unsigned sb_dirlist_bits(const struct sb_fs *fs)
{
	const bool is_short = (fs->tree->control->flags & SB_CONTROL_SHORT_POSITIONS) != 0;

	return fs->narrow_positions || is_short ? SB_DIRLIST_NARROW : SB_DIRLIST_WIDE;
}

/* Can the kernel's own getdents64 list this directory as it is? */
bool sb_dirlist_is_native(struct sb_fs *fs, const struct sb_at *dir);

/* Like sb_dirlist_read, for a directory of the image that the container left alone. The index
 * lists it; the kernel is asked only for fd's position, which *pos was before. -SB_ELIST for
 * other directories. */
long sb_dirlist_read_untouched(struct sb_fs *fs, int fd, char *buf, size_t len,
			       long *pos) SB_MUST_CHECK;

/* Like sb_dirlist_read, for a pure directory of the upper. above is the inode number of the
 * directory above, 0 for what the kernel says. */
long sb_dirlist_read_pure(const struct sb_fs *fs, int fd, uint64_t above, char *buf,
			  size_t len) SB_MUST_CHECK;

/* Fill buf (the runtime's memory, len bytes) with struct linux_dirent64 entries of the
 * directory dir, which fd has open. Returns the bytes, 0 at the end, -EINVAL when the first
 * entry does not fit. Inode numbers and types are what the guest sees. Uses work->upper, host
 * and the second half of work->buffer; buf may be the first half. */
long sb_dirlist_read(struct sb_fs *fs, int fd, struct sb_at *dir, char *buf,
		     size_t len) SB_MUST_CHECK;

/* The host path to open in place of fd (in work->upper), when fd has a lower directory open
 * that has an upper one by now, and nothing was read from fd. Else NULL. */
const char *sb_dirlist_reopen(struct sb_fs *fs, int fd, const struct sb_at *dir);

/* Is the merged directory empty (whiteouts do not count)? 1, 0 or -errno. Uses
 * work->upper and the second half of work->buffer. */
int sb_dirlist_is_empty(struct sb_fs *fs, struct sb_at *dir) SB_MUST_CHECK;

#endif
