/* SPDX-License-Identifier: MIT */
/*
 * view.h - read the merged tree: look-ups, stat, permission, listings.
 *
 * Level 2.
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
#define SB_MAY_BE_ABSENT \
	2 /* a missing last component is no error: spot.place says ABSENT; a missing parent is */
#define SB_WANT_DIR 4 /* -ENOTDIR unless a directory (after following) */
#define SB_NO_SYMLINKS 8 /* -ELOOP on any symlink (RESOLVE_NO_SYMLINKS) */
#define SB_BENEATH 16 /* -EXDEV when leaving base (RESOLVE_BENEATH) */
#define SB_IN_ROOT                                                                     \
	32 /* base, which is not in out, is the root for this lookup (RESOLVE_IN_ROOT) \
	    */
#define SB_NO_XDEV 64 /* -EXDEV when crossing a mount */
#define SB_WANT_STAT 128 /* fill st */
#define SB_CREATE                                                                             \
	256 /* as O_CREAT: a dangling last symlink yields its absent target (with SB_FOLLOW), \
	     * -EISDIR when the last component has a trailing slash */
#define SB_PARENT                                                                               \
	512 /* the last component is a name to make, remove or rename: a symlink there is       \
	     * not followed even before a trailing slash, and what is there may be no directory \
	     * (out->slash tells the caller). SB_MAY_BE_ABSENT without SB_FOLLOW implies it. */
#define SB_SEARCHED \
	1024 /* a descriptor led to the directory: it need not be searched (one component) */

/* Find path (any guest string, NUL-terminated, not empty) from the directory
 * base (canonical guest path; ignored for absolute paths). Checks search
 * permission on the way with fs->ids. Errors: ENOENT, ENOTDIR, ELOOP (more
 * than 40 symlinks), ENAMETOOLONG (component over 255, string over 4095),
 * EACCES, EXDEV, and what the kernel says of the host file system.
 * /proc magic links are not followed here: a path that reaches a symlink of
 * an SB_MOUNT_PROC other than by SB_FOLLOW on "self" and "thread-self" returns
 * -SB_EMAGIC with out->guest and out->host = the link itself and out->name; the
 * unresolved rest is in fs->work->todo, empty or beginning with "/" (level 3
 * knows what a magic link means). Links straight in /proc (self, thread-self,
 * mounts, net) are plain text and followed here. Uses work->todo and stack. */
#define SB_EMAGIC 4000
int sb_tree_lookup(struct sb_fs *fs, const char *base, uint32_t base_len, const char *path,
		   unsigned flags, struct sb_at *out) SB_MUST_CHECK;

/* Has fs->ids search permission on every directory? */
bool sb_tree_may_search_all(const struct sb_fs *fs);

/* The node of the entry name of the directory that fd has open: SB_NO_NODE unless the directory is
 * remembered (descriptors.h), the container left both alone, everybody may search the directories
 * above, and name is no longer path. */
uint32_t sb_tree_child_of_fd(const struct sb_fs *fs, int fd, const char *name);

/* ---- spot.c -------------------------------------------------------------- */

/* The spot of a directory that is known to exist at this path (cwd, a
 * directory descriptor, a parent): mostly without a system call. */
int sb_spot_of_dir(const struct sb_fs *fs, const char *guest, uint32_t len, struct sb_path *host,
		   struct sb_spot *out) SB_MUST_CHECK;

/* Host path of a spot; of an absent one, where it would be made. */
int sb_spot_host(const struct sb_fs *fs, const struct sb_spot *spot, const char *guest,
		 uint32_t len, struct sb_path *host) SB_MUST_CHECK;

/* Does the index alone say what is at a node's path? Only when the node and every directory above
 * it have a state that says so. */
bool sb_spot_is_plain(const struct sb_tree *tree, uint32_t node);

/* ---- stat.c -------------------------------------------------------------- */

/* Stat of a present spot. host is its host path; look, the host's answer, may be NULL. */
int sb_spot_stat(const struct sb_fs *fs, const struct sb_spot *spot, const struct sb_path *host,
		 const struct statx *look, struct sb_stat *out) SB_MUST_CHECK;

/* Fill at->st (and has_stat) for a present entry. */
int sb_tree_stat(struct sb_fs *fs, struct sb_at *at) SB_MUST_CHECK;

/* The host's answer for a present entry: the one that the look-up got is used once. */
int sb_entry_stat(struct sb_at *at, struct statx *sx) SB_MUST_CHECK;

/* Stat of the directory that holds at. Uses work->host. */
int sb_tree_stat_parent(const struct sb_fs *fs, const struct sb_at *at,
			struct sb_stat *out) SB_MUST_CHECK;

/* What the guest sees of a host file that is not in the index: owner records, uid
 * mapping. sx must hold STATX_BASIC_STATS and, where known, STATX_BTIME. */
void sb_tree_virtual_stat(const struct sb_fs *fs, const struct statx *sx, struct sb_stat *out);

/* Stat of an open descriptor; works for any file of the container, also
 * deleted ones, pipes and sockets. Uses identity by inode: the index for layer
 * files, the owner table for others. node (may be NULL) receives the index
 * node of a lower file, else SB_NO_NODE. Uses work->guest and host. */
int sb_tree_fstat(struct sb_fs *fs, int fd, struct sb_stat *out, uint32_t *node) SB_MUST_CHECK;

/* The common case in the kernel's own layout: 1 when *out is the answer, 0 when only
 * sb_tree_fstat() knows it. */
int sb_tree_fstat_plain(const struct sb_fs *fs, int fd, struct stat *out) SB_MUST_CHECK;

/* Is a descriptor's file a directory: 1, 0 or -errno. *node: that of the image, or SB_NO_NODE. */
int sb_tree_fd_dir(const struct sb_fs *fs, int fd, uint32_t *node) SB_MUST_CHECK;

/* Target of a symlink, at most len bytes, no NUL added; returns the count.
 * EINVAL when it is none. /proc links are left to level 3. */
long sb_tree_readlink(struct sb_fs *fs, const struct sb_at *at, char *buf,
		      size_t len) SB_MUST_CHECK;

/* ---- permission.c -------------------------------------------------------- */

/* -EROFS when this spot lies in something read-only. */
int sb_tree_may_write(const struct sb_fs *fs, const struct sb_spot *spot) SB_MUST_CHECK;
/* May fs->ids do want (4 read, 2 write, 1 execute) here? 0, -EACCES, -EROFS. */
int sb_tree_permit(struct sb_fs *fs, struct sb_at *at, unsigned want) SB_MUST_CHECK;
/* The same without asking the host, for a caller whose next step is the host's
 * own check (open). Files of /proc are always left to the host. */
int sb_tree_permit_ids(struct sb_fs *fs, struct sb_at *at, unsigned want) SB_MUST_CHECK;

/* May at's name be taken away (write permission, sticky bit)? */
int sb_tree_may_delete(struct sb_fs *fs, struct sb_at *at) SB_MUST_CHECK;

/* ---- dirlist.c, dirlist_empty.c, dirlist_index.c ------------------------- */

/* Bits of a position in the upper: fewer for 32-bit programs, and on some file systems. */
#define SB_DIRLIST_WIDE 62
#define SB_DIRLIST_NARROW 29
/* What sb_dirlist_read_untouched says of other directories; never seen by guests. */
#define SB_ELIST 4002

static inline unsigned sb_dirlist_bits(const struct sb_fs *fs)
{
	const bool is_short = (fs->tree->control->flags & SB_CONTROL_SHORT_POSITIONS) != 0;

	return fs->narrow_positions || is_short ? SB_DIRLIST_NARROW : SB_DIRLIST_WIDE;
}

/* Can the kernel's own getdents64 on this directory serve as it is? */
bool sb_dirlist_is_native(struct sb_fs *fs, const struct sb_at *dir);

/* Like sb_dirlist_read, of a directory of the image that the container left alone: the index
 * lists it, and of the kernel only fd's position is asked for. -SB_ELIST when fd is none. *pos
 * is where it was. */
long sb_dirlist_read_untouched(struct sb_fs *fs, int fd, char *buf, size_t len,
			       long *pos) SB_MUST_CHECK;

/* Fill buf (runtime memory, len bytes) with struct linux_dirent64 entries of
 * the directory dir, which fd has open. Returns bytes, 0 at the end, -EINVAL
 * when the first entry does not fit. Inode numbers and types are the guest's.
 * Uses work->upper, host and the second half of work->buffer; buf may be the
 * first half. */
long sb_dirlist_read(struct sb_fs *fs, int fd, struct sb_at *dir, char *buf,
		     size_t len) SB_MUST_CHECK;

/* fd has a lower directory open that has an upper one by now, and nothing was
 * read from it: host path to open instead (in work->upper), else NULL. */
const char *sb_dirlist_reopen(struct sb_fs *fs, int fd, const struct sb_at *dir);

/* Is the merged directory empty (whiteouts do not count)? 1, 0 or -errno. Uses
 * work->upper and the second half of work->buffer. */
int sb_dirlist_is_empty(struct sb_fs *fs, struct sb_at *dir) SB_MUST_CHECK;

#endif
