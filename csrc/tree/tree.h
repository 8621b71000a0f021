/* SPDX-License-Identifier: MIT */
/*
 * tree.h - the merged tree of a container: who may call what at level 2.
 *
 * How it works
 *   Four sources make the tree, asked in this order for every component:
 *   mounts (the table in struct sb_control), the upper directory, and the
 *   lower: the index of the image, or the host's own "/" (a live lower).
 *   sb_tree_lookup() (lookup.c) answers what is at a guest path; the functions
 *   of change.h alter the tree; dirlist.h lists a directory.
 * Rules
 *   Signal-safe: no heap, no locks, no writable globals, no frame over 4 KiB.
 *   The upper and every bind are only ever opened with O_NOFOLLOW; symlinks
 *   are resolved here. All results are >= 0 or -errno as Linux would give.
 * Does not know
 *   Which system call asks, guest memory, descriptors' meaning, or how a call
 *   was intercepted.
 */
#ifndef SB_TREE_H
#define SB_TREE_H

#include "base/abi.h"
#include "pure/acl.h"
#include "base/base.h"
#include "pure/ids.h"
#include "base/mem.h"
#include "net/net_table.h"
#include "pure/path.h"
#include "base/sys.h"

/* The maps of one container; the same in all its processes. */
struct sb_tree {
	struct sb_control *control;
	unsigned char *state;         /* control->node_count bytes, SB_STATE_* */
	const struct sb_index *index; /* NULL when the lower is live */
	const struct sb_node *nodes;
	const char *strings;          /* of the index */
	struct sb_owner_table *owners;
	const struct sb_net_table *net; /* NULL until a call needs it */
	struct sb_net_ports *net_ports;
};

/* One thread's use of the tree. Level 3 owns it; level 2 gets it first. */
struct sb_dir_slots;
struct sb_fs {
	const struct sb_tree *tree;
	const struct sb_ids *ids;
	const char *root; /* canonical guest path of the root directory, "/" but after chroot(2) */
	uint32_t root_len;
	uint32_t umask;
	uint32_t real_ids; /* non-zero while a permission check must use the real ids (access(2)) */
	uint32_t narrow_positions; /* in directories: for 32-bit programs */
	volatile uint32_t
		*commit; /* set: signals wait (see sb_commit_begin); NULL in the hosted build */
	struct sb_work *work;
	struct sb_dir_slots *dirs; /* NULL: nothing is remembered */
	struct sb_fds *fds; /* NULL: nothing is remembered */
};

/* Until it, a signal rolls the call back: it is made again after the handler. So it stands before
 * the first step that must not be done twice or left half done, whatever that is done to: a name,
 * a position, a descriptor, memory, an option of a socket, a state that is read and cleared.
 * From sb_commit_begin on, until the call is over, a signal is delivered at the
 * end of the call instead of rolling it back, so that a half-made change or a
 * temporary descriptor is never abandoned and a finished one never repeated.
 * sb_commit_end marks where the section ends for the reader; a call that did
 * something not idempotent must not be rolled back after it either. */
static inline void sb_commit_begin(const struct sb_fs *fs)
{
	if (fs->commit)
		*fs->commit = 1;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}
static inline void sb_commit_end(const struct sb_fs *fs)
{
	(void)fs;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/* A stat result as the guest shall see it. */
struct sb_stat {
	uint64_t dev;
	uint64_t ino;
	uint64_t rdev;
	uint64_t size;
	uint64_t blocks;
	uint32_t mode;
	uint32_t nlink;
	uint32_t uid;
	uint32_t gid;
	uint32_t blksize;
	uint32_t has_btime;
	struct sb_timespec atime;
	struct sb_timespec mtime;
	struct sb_timespec ctime;
	struct sb_timespec btime;
	struct sb_acl acl;
};

enum sb_place {
	SB_PLACE_ABSENT, /* nothing there (it may be whited out) */
	SB_PLACE_LOWER, /* a node of the index */
	SB_PLACE_UPPER, /* in the upper directory */
	SB_PLACE_LIVE, /* in the live lower */
	SB_PLACE_MOUNT, /* in a bind, tmpfs, /proc or device mount */
	SB_PLACE_LINK, /* the symlink of an SB_MOUNT_LINK */
};

/* What is at one guest path. */
struct sb_spot {
	enum sb_place place;
	uint32_t node; /* index node of this path that is visible here, or lies below an upper
			  directory or a whiteout; else SB_NO_NODE */
	uint32_t mount; /* mount this path lies in, or SB_NO_MOUNT */
	uint32_t type; /* S_IFMT bits as the guest sees them; 0 when absent */
	bool in_upper; /* (directories) an upper directory exists at this path, so names in it must
			  be asked of the upper */
	bool lower_below; /* (directories) lower entries show through: LOWER, LIVE, or an upper
			     directory that is not opaque over a lower one */
	bool whiteout; /* absent because the upper has a whiteout here */
};

/* dircache.h: one directory that was found, and the few that a process keeps. */
struct sb_dir_looks {
	uint32_t known; /* 0: the rest says nothing */
	uint32_t mode; /* as the guest sees it, like uid and gid */
	uint32_t uid;
	uint32_t gid;
	uint32_t flat; /* the upper directory had no directory in it, */
	uint32_t made; /* when sb_control.dirs_made was this */
	uint32_t mounts; /* there are some below it */
};
struct sb_dir_slot {
	uint64_t hash;
	uint64_t sum;
	uint32_t len;
	uint32_t generation;
	struct sb_spot spot;
	struct sb_dir_looks looks;
};
struct sb_dir_slots {
	struct sb_dir_slot slots[64];
};

/* Answer of a lookup: about 12 KiB, so it lives in struct sb_work. */
struct sb_at {
	struct sb_spot spot;
	struct sb_spot dir; /* its parent directory (the root is its own) */
	uint32_t name; /* offset of the last component in guest.buf */
	bool slash; /* the path ended in "/", "/." or "/..", so a directory is meant */
	bool dots; /* the last component was "." or ".." or the path was "/" (EINVAL, ENOTEMPTY,
		      EEXIST cases) */
	bool has_stat;
	struct sb_stat st; /* valid when has_stat */
	bool has_look; /* the walk had to ask the host about the entry: */
	struct statx look; /* the host's answer; whoever changes the entry takes it away */
	bool has_dir_stat; /* the walk had to ask the host about the directory: */
	struct statx dir_stat; /* the host's answer */
	struct sb_path guest; /* canonical; for an absent entry the path it would have */
	struct sb_path host; /* where the kernel finds it (LOWER, UPPER, LIVE, MOUNT); the place in
			      * the layer for a placeholder too; for an absent entry where a new one
			      * would be made (upper or mount) */
};

/* Scratch memory of one thread; contents are lost at each level 3 call. */
struct sb_work {
	struct sb_at a; /* for level 3: first and second path of a call */
	struct sb_at b;
	struct sb_at c; /* for level 2's own lookups (copy-up of parents, rename) */
	struct sb_path p[6]; /* for level 2; a function says in its comment which it uses up */
	char todo[2 * SB_PATH_MAX]; /* the walker's components still to do */
	struct {
		uint32_t len;
		struct sb_spot spot;
	} stack[256]; /* spots of the first components, for ".." and for parents */
	char buffer[32768]; /* directory reading, copying */
};

/* sb_tree_lookup flags */
#define SB_FOLLOW 1 /* follow a symlink in the last component */
#define SB_MAY_BE_ABSENT \
	2 /* a missing last component is no error: spot.place says ABSENT; a missing parent is */
#define SB_WANT_DIR 4 /* -ENOTDIR unless a directory (after following) */
#define SB_NO_SYMLINKS 8 /* -ELOOP on any symlink (RESOLVE_NO_SYMLINKS) */
#define SB_BENEATH 16 /* -EXDEV when leaving base (RESOLVE_BENEATH) */
#define SB_IN_ROOT 32 /* base is the root for this lookup (RESOLVE_IN_ROOT) */
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

/* Fill at->st (and has_stat) for a present entry. */
int sb_tree_stat(struct sb_fs *fs, struct sb_at *at) SB_MUST_CHECK;

/* The same for an open descriptor; works for any file of the container, also
 * deleted ones, pipes and sockets. Uses identity by inode: the index for layer
 * files, the owner table for others. node (may be NULL) receives the index
 * node of a lower file, else SB_NO_NODE. Uses work->p[4] and p[5]. */
int sb_tree_fstat(struct sb_fs *fs, int fd, struct sb_stat *out, uint32_t *node) SB_MUST_CHECK;

/* Is a descriptor's file a directory: 1, 0 or -errno. *node: that of the image, or SB_NO_NODE. */
int sb_tree_fd_dir(const struct sb_fs *fs, int fd, uint32_t *node) SB_MUST_CHECK;

/* The common case in the kernel's own layout: 1 when *out is the answer, 0 when only
 * sb_tree_fstat() knows it. */
int sb_tree_fstat_plain(const struct sb_fs *fs, int fd, struct stat *out) SB_MUST_CHECK;

/* Virtual view of a host file that is not in the index: owner records, uid
 * mapping. sx must hold STATX_BASIC_STATS and, where known, STATX_BTIME. */
void sb_tree_virtual_stat(const struct sb_fs *fs, const struct statx *sx, struct sb_stat *out);

/* Target of a symlink, at most len bytes, no NUL added; returns the count.
 * EINVAL when it is none. /proc links are left to level 3. */
long sb_tree_readlink(struct sb_fs *fs, const struct sb_at *at, char *buf,
		      size_t len) SB_MUST_CHECK;

/* May fs->ids do want (4 read, 2 write, 1 execute) here? 0, -EACCES, -EROFS. */
int sb_tree_permit(struct sb_fs *fs, struct sb_at *at, unsigned want) SB_MUST_CHECK;
/* The same without asking the host, for a caller whose next step is the host's
 * own check (open). Files of /proc are always left to the host. */
int sb_tree_permit_ids(struct sb_fs *fs, struct sb_at *at, unsigned want) SB_MUST_CHECK;
/* Is at in an SB_MOUNT_PROC? */
bool sb_tree_is_proc(const struct sb_tree *tree, const struct sb_spot *spot);
/* The innermost mount that holds a canonical guest path, or SB_NO_MOUNT. */
uint32_t sb_tree_mount_of(const struct sb_tree *tree, const char *guest, uint32_t len);

/* Guest path of a host path (as /proc/self/fd/N or getcwd give it): strips the
 * upper, the layers, then mounts (longest host prefix), then, when live, "/".
 * -ENOENT when it belongs to none of them; " (deleted)" at the end is kept.
 * The answer is below the container's root, not fs->root. */
int sb_tree_guest_path(const struct sb_fs *fs, const char *host, size_t len,
		       struct sb_path *out) SB_MUST_CHECK;

/* Host path that an entry of the upper at this guest path has or would have. */
int sb_tree_upper_path(const struct sb_fs *fs, const char *guest, size_t len,
		       struct sb_path *out) SB_MUST_CHECK;

/* st_dev of two halves, as stat gives it. */
static inline uint64_t sb_make_dev(uint64_t major, uint64_t minor)
{
	return (minor & 0xff) | (major & 0xfff) << 8 | (minor & ~0xffULL) << 12 |
	       (major & ~0xfffULL) << 32;
}

/* index.c: lookups in the mapped index. */
int sb_index_check(const struct sb_index *index, uint64_t file_size) SB_MUST_CHECK;
uint32_t sb_index_find_path(const struct sb_tree *tree, const char *guest, size_t len);
uint32_t sb_index_find_child(const struct sb_tree *tree, uint32_t dir, const char *name,
			     size_t len);
/* A directory of a layer by its host inode; sx has at least type and number. */
uint32_t sb_index_find_dir(const struct sb_tree *tree, const struct statx *sx);
uint32_t sb_index_find_inode(const struct sb_tree *tree, uint64_t ino);
/* Canonical guest path of a node. */
int sb_index_guest_path(const struct sb_tree *tree, uint32_t node,
			struct sb_path *out) SB_MUST_CHECK;
/* Host path of a node's file in its layer. */
int sb_index_host_path(const struct sb_tree *tree, uint32_t node,
		       struct sb_path *out) SB_MUST_CHECK;

/* control.c: find the parts of a mapped control file; fills tree except index
 * and owners, which the caller maps from the paths in it. */
int sb_tree_attach(struct sb_tree *tree, void *control, uint64_t size) SB_MUST_CHECK;
int sb_tree_attach_index(struct sb_tree *tree, const void *index, uint64_t size) SB_MUST_CHECK;
static inline const char *sb_text_at(const struct sb_control *c, struct sb_text text)
{
	return c->strings + text.off;
}

#endif
