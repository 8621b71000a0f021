/* SPDX-License-Identifier: MIT */
/*
 * tree.h - the merged tree of a container: its types.
 *
 * How it works
 *   The tree has four sources. Each component of a path is looked for in this order: the mount
 *   table (in struct sb_control), the upper directory, and the lower: the index of the image, or
 *   the host's own "/" (a live lower). view/view.h says what is at a guest path; change/change.h
 *   changes the tree. The other headers of this folder are about one source, or about one fact of
 *   a file, each.
 * Rules
 *   Signal-safe: no heap, no locks, no writable globals, no frame over 4 KiB. Files of the upper
 *   and of binds are opened with O_NOFOLLOW only; symlinks are resolved here. Results are >= 0 or
 *   the -errno of Linux.
 * Does not know
 *   Which system call asks, guest memory, what descriptors mean, or how a call was intercepted.
 */
#ifndef SB_TREE_H
#define SB_TREE_H

#include "base/abi.h"
#include "base/base.h"
#include "base/mem.h"
#include "base/sys.h"
#include "pure/acl.h"
#include "pure/ids.h"
#include "pure/path.h"

struct sb_shared;
struct sb_net_table;
struct sb_net_ports;
struct sb_tasks;
struct sb_ipc_table;

/* A directory is pure when one host directory has all its names, and all below it: no entry of a
 * lower shows through, and no mount is below. The kernel alone knows what a name in it is. It stays
 * pure wherever it is moved to. A value says where it is; 0: it is not pure, or nobody knows. */
#define SB_PURE_UPPER 1
#define SB_PURE_MOUNT 2 /* + number of the mount */

/* The maps of one container; the same in all its processes. */
struct sb_tree {
	const struct sb_control *control;
	struct sb_shared *shared;     /* base/shared_abi.h */
	unsigned char *state;         /* in it: control->node_count bytes, SB_STATE_* */
	uint64_t pure_mounts[2];      /* a bit for each mount whose directory is pure */
	const struct sb_index *index; /* NULL when the lower is live */
	const struct sb_node *nodes;
	const char *strings;          /* of the index */
	struct sb_owner_table *owners;
	const struct sb_net_table *net; /* NULL until a call needs it */
	struct sb_net_ports *net_ports;
	const struct sb_tasks *tasks; /* tasks.h; NULL: /proc shows the machine's */
	struct sb_ipc_table *ipc; /* base/ipc_abi.h; NULL until a call needs it */
};

static inline const char *sb_text_at(const struct sb_control *control, struct sb_text text)
{
	return control->strings + text.off;
}

/* One thread's use of the tree: the first argument of the functions that read or change it. */
struct sb_dir_slots;
struct sb_fs {
	const struct sb_tree *tree;
	const struct sb_ids *ids;
	const char *root; /* canonical guest path of the root directory; not "/" after chroot(2) */
	uint32_t root_len;
	uint32_t umask;
	uint32_t real_ids; /* non-zero: permission checks use the real ids, for access(2) */
	uint32_t narrow_positions; /* non-zero: positions in directories have 31 bits, for 32-bit
				      programs */
	uint32_t makes_places; /* non-zero: mount points are made, on a read-only root, too */
	volatile uint32_t
		*commit; /* 1: signals wait (see sb_commit_begin); NULL in the hosted build */
	struct sb_work *work;
	struct sb_dir_slots *dirs; /* NULL: nothing is remembered */
	struct sb_fds *fds; /* NULL: nothing is remembered */
};

/* A signal normally rolls a system call back: the call is made again after the handler. From
 * sb_commit_begin on a signal is delivered at the end of the call instead. So sb_commit_begin
 * stands before the first step that must not be done twice or left half done: a change of a
 * name, a position, a descriptor, memory, an option of a socket, a state that is read and
 * cleared. No half-made change or temporary descriptor is left behind then, and no finished
 * change is made again. sb_commit_end only marks the end of the section for the reader: the
 * call is not rolled back after it, either. */
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

/* A stat result as the guest sees it. */
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
	SB_PLACE_ABSENT, /* nothing, or a whiteout */
	SB_PLACE_LOWER, /* a node of the index */
	SB_PLACE_UPPER, /* in the upper directory */
	SB_PLACE_LIVE, /* in the live lower */
	SB_PLACE_MOUNT, /* in a bind, tmpfs, /proc or device mount */
	SB_PLACE_LINK, /* the symlink of an SB_MOUNT_LINK */
};

/* What is at one guest path. */
struct sb_spot {
	enum sb_place place;
	uint32_t node; /* index node of this path when it is visible, or hidden by an upper
			  directory or a whiteout; else SB_NO_NODE */
	uint32_t mount; /* the mount that holds this path, or SB_NO_MOUNT */
	uint32_t type; /* S_IFMT bits as the guest sees them; 0 when absent */
	bool in_upper; /* (directories) the upper has a directory at this path: names in it may be
			  in the upper */
	bool lower_below; /* (directories) lower entries show through: LOWER, LIVE, or an upper
			     directory that is not opaque over a lower one */
	bool whiteout; /* absent, and the upper has a whiteout here */
};

/* Answer of a look-up: about 12 KiB, so it lives in struct sb_work. */
struct sb_at {
	struct sb_spot spot;
	struct sb_spot dir; /* its parent directory (the root is its own) */
	uint32_t name; /* offset of the last component in guest.buf */
	bool slash; /* the path ended in "/", "/." or "/..", so a directory is meant */
	bool dots; /* the last component was "." or "..", or the path was "/": calls that change
		      names say EINVAL, ENOTEMPTY or EEXIST */
	bool has_stat;
	struct sb_stat st; /* valid when has_stat */
	bool has_look; /* the walk asked the host about the entry: */
	struct statx look; /* its answer; a function that changes the entry clears has_look */
	bool has_dir_stat; /* the walk asked the host about the directory: */
	struct statx dir_stat; /* the host's answer */
	struct sb_path guest; /* canonical; for an absent entry the path that it would have */
	struct sb_path host; /* where the kernel finds it (LOWER, UPPER, LIVE, MOUNT); for a
				placeholder the place in its layer; for an absent entry where a new
				one would be made (upper or mount) */
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
	struct sb_path loosened; /* a directory whose mode loosen.c changes */
	/* A change's, a listing's. */
	struct sb_path upper; /* path in the upper of the entry that is copied up or asked about */
	struct sb_path temp; /* temporary name in the work directory, until it has its place */
	struct sb_path default_acl; /* of the directory in which an entry is made: its bytes */
	/* For one function at a time: a call of another one that uses it overwrites it. */
	struct sb_path guest;
	struct sb_path host;
	char todo[2 * SB_PATH_MAX]; /* what the walk of a path has still to do */
	struct {
		uint32_t len;
		struct sb_spot spot;
	} stack[256]; /* spots of the first components, for ".." and for parents */
	char buffer[32768] __attribute__((aligned(16))); /* directory reading, copying */
};

#endif
