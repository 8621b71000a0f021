/* SPDX-License-Identifier: MIT */
/*
 * magic_link.h - the magic links of /proc: exe, cwd, root and fd/N.
 *
 * Level 3. How it is used
 *   sb_guest_lookup() calls sb_magic_link_follow() when sb_tree_lookup() said -SB_EMAGIC, so
 *   handlers get one of two answers:
 *   - an ordinary entry (/proc/self/exe, cwd, root, a descriptor of a file
 *     that still has its name): at is what a lookup of that name gives;
 *   - an object without a name (pipe, socket, memfd, deleted file, a file from
 *     outside): sb_proc_is_object(at) is true. Then spot.place is
 *     SB_PLACE_MOUNT, spot.type the object's type, st is filled (has_stat), host
 *     is the magic link "/proc/PID/fd/N" and guest the same in the guest's
 *     /proc. Open it with sb_magic_link_open(); never open, stat or change
 *     host with O_NOFOLLOW or AT_SYMLINK_NOFOLLOW. To change it, open it and use
 *     the descriptor forms (sb_change_fchmod ...).
 *   Without SB_FOLLOW a link at the end is an ordinary symlink entry of
 *   the mount; sb_magic_link_read() gives its target.
 *   openat2(RESOLVE_NO_MAGICLINKS): turn -SB_EMAGIC into -ELOOP instead of asking here.
 */
#ifndef SB_MAGIC_LINK_H
#define SB_MAGIC_LINK_H

#include "guest/guest.h"

/* Go on where sb_tree_lookup() stopped with -SB_EMAGIC: at->guest is the link,
 * the rest is in work->todo; flags are those of the lookup. Errors as
 * sb_tree_lookup; -EACCES for links of processes outside the container. */
int sb_magic_link_follow(struct sb_call *call, unsigned flags, struct sb_at *at) SB_MUST_CHECK;

/* open(2) of an object, flags as the guest gave them. A lower file whose name
 * is gone cannot be written: -EROFS. */
long sb_magic_link_open(struct sb_call *call, struct sb_at *at, int flags) SB_MUST_CHECK;

/* Target of a symlink in /proc in guest terms into buf (runtime memory), at
 * most len bytes, no NUL; returns the count. -SB_EMAGIC when at is no link of a
 * SB_MOUNT_PROC: use sb_tree_readlink(). */
long sb_magic_link_read(struct sb_call *call, struct sb_at *at, char *buf,
			size_t len) SB_MUST_CHECK;

#endif
