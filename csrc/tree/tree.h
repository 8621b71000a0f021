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
#include "pure/path.h"
#include "base/sys.h"

struct sb_net_table;
struct sb_net_ports;

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

static inline const char *sb_text_at(const struct sb_control *control, struct sb_text text)
{
	return control->strings + text.off;
}

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

/* Scratch memory of one thread, lost at the end of a system call. Each path belongs to one purpose
 * at a time. A function that overwrites one which a caller may hold says so ("uses"). */
struct sb_work {
	/* The handler's. */
	struct sb_at a; /* first path of a system call */
	struct sb_at b; /* second path of a system call */
	struct sb_path base; /* guest path of the directory where a look-up starts; on_open.c reads
			      * it after the look-up, too */
	/* What the kernel said, until it is put into guest terms (on_proc_link.c, proc_text.c). */
	struct sb_path found; /* text of a link, or host path in a line of /proc */
	struct sb_path link_target; /* guest path that a link of /proc leads to */
	/* A change's, a listing's. */
	struct sb_path upper; /* path in the upper of the entry that is copied up or asked about */
	struct sb_path temp; /* temporary name in the work directory, until it has its place */
	struct sb_path default_acl; /* of the directory in which an entry is made: its bytes */
	/* For one function, and lost at each call of one that uses it. */
	struct sb_path guest;
	struct sb_path host;
	char todo[2 * SB_PATH_MAX]; /* the walker's components still to do */
	struct {
		uint32_t len;
		struct sb_spot spot;
	} stack[256]; /* spots of the first components, for ".." and for parents */
	char buffer[32768]; /* directory reading, copying */
};

#endif
