/* SPDX-License-Identifier: MIT */
/*
 * on_proc.h - /proc as the guest must see it: magic links and generated files.
 *
 * Level 3. How level 3 uses it
 *   sb_guest_lookup() calls sb_proc_resolve() when sb_tree_lookup() said
 *   -SB_EMAGIC, so handlers get one of two answers:
 *   - an ordinary entry (/proc/self/exe, cwd, root, a descriptor of a file
 *     that still has its name): at is what a lookup of that name gives;
 *   - an object without a name (pipe, socket, memfd, deleted file, a file from
 *     outside): sb_proc_is_object(at) is true. Then spot.place is
 *     SB_PLACE_MOUNT, spot.type the object's type, st is filled (has_stat), host
 *     is the magic link "/proc/PID/fd/N" and guest the same in the guest's
 *     /proc. Open it with sb_proc_open_object(); never open, stat or change
 *     host with O_NOFOLLOW or AT_SYMLINK_NOFOLLOW. To change it, open it and use
 *     the descriptor forms (sb_change_fchmod ...).
 *   Without SB_FOLLOW a link at the end is an ordinary symlink entry of
 *   the mount; sb_proc_readlink() gives its target.
 *   openat2(RESOLVE_NO_MAGICLINKS): turn -SB_EMAGIC into -ELOOP instead of asking here.
 *   open(2) of a present entry: sb_proc_open() first, natively on -SB_EMAGIC.
 * Rules
 *   Uses work->buffer, work->host and what the tree functions use.
 *   /proc files are opened and searched with the kernel's own permission check
 *   only: the host owner of /proc/PID is not the guest's.
 */
#ifndef SB_ON_PROC_H
#define SB_ON_PROC_H

#include "guest/guest.h"

/* Go on where sb_tree_lookup() stopped with -SB_EMAGIC: at->guest is the link,
 * the rest is in work->todo; flags are those of the lookup. Errors as
 * sb_tree_lookup; -EACCES for links of processes outside the container. */
int sb_proc_resolve(struct sb_call *call, unsigned flags, struct sb_at *at) SB_MUST_CHECK;

/* Is at an object without a name (see above)? */
bool sb_proc_is_object(const struct sb_fs *fs, const struct sb_at *at);
/* The descriptor number when the object is one of this process's own, else -1. */
int sb_proc_object_fd(const struct sb_call *call, const struct sb_at *at);
/* open(2) of an object, flags as the guest gave them. A lower file whose name
 * is gone cannot be written: -EROFS. */
long sb_proc_open_object(struct sb_call *call, struct sb_at *at, int flags) SB_MUST_CHECK;

/* Open a file of /proc whose content is made here: a sealed memfd, at position
 * 0, read-only. -SB_EMAGIC when at is none of these: open it natively. Not for
 * O_PATH (answers -SB_EMAGIC). */
long sb_proc_open(struct sb_call *call, struct sb_at *at, int flags) SB_MUST_CHECK;

/* Target of a symlink in /proc in guest terms into buf (runtime memory), at
 * most len bytes, no NUL; returns the count. -SB_EMAGIC when at is no link of a
 * SB_MOUNT_PROC: use sb_tree_readlink(). */
long sb_proc_readlink(struct sb_call *call, struct sb_at *at, char *buf, size_t len) SB_MUST_CHECK;

/* The slot of a process of this container, by process or thread id; else NULL. */
const struct sb_proc_slot *sb_proc_slot_of(struct sb_call *call, uint32_t id);

#endif
