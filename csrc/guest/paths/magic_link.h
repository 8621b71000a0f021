/* SPDX-License-Identifier: MIT */
/*
 * magic_link.h - the magic links of /proc: exe, cwd, root and fd/N.
 *
 * How it is used
 *   When sb_tree_lookup() says -SB_EMAGIC, sb_guest_lookup() calls sb_magic_link_follow().
 *   A handler gets one of two answers:
 *   - An ordinary entry (/proc/self/exe, cwd, root, the descriptor of a file that still has its
 *     name): at is as after a look-up of that name.
 *   - An object without a name (a pipe, socket, memfd, deleted file, or a file from outside):
 *     sb_proc_is_object(at) is true, spot.place is SB_PLACE_MOUNT, spot.type is the object's type,
 *     st is filled (has_stat), host is the magic link "/proc/PID/fd/N" and guest the same in the
 *     guest's /proc. Open it with sb_magic_link_open(). Never open, stat or change host with
 *     O_NOFOLLOW or AT_SYMLINK_NOFOLLOW. To change it, open it and use the functions for
 *     descriptors (sb_change_fchmod ...).
 *   Without SB_FOLLOW a link at the end of a path is an ordinary symlink of the mount;
 *   sb_magic_link_read() gives its target. With RESOLVE_NO_MAGICLINKS, openat2 turns -SB_EMAGIC
 *   into -ELOOP instead.
 */
#ifndef SB_MAGIC_LINK_H
#define SB_MAGIC_LINK_H

#include "guest/guest.h"

/* Go on where sb_tree_lookup() stopped with -SB_EMAGIC: at->guest is the link, and the rest of the
 * path is in work->todo; flags are those of the look-up. Errors as sb_tree_lookup(); -EACCES for
 * links of processes outside the container. */
int sb_magic_link_follow(struct sb_call *call, unsigned flags, struct sb_at *at) SB_MUST_CHECK;

/* open(2) of an object, with the guest's own flags. -EROFS: a lower file whose name is gone, to be
 * written. */
long sb_magic_link_open(struct sb_call *call, struct sb_at *at, int flags) SB_MUST_CHECK;

/* Read the target of a symlink in /proc in guest terms into buf (runtime memory): at most len
 * bytes, no NUL; returns the count. -SB_EMAGIC: at is no link of /proc, call sb_tree_readlink(). */
long sb_magic_link_read(struct sb_call *call, struct sb_at *at, char *buf,
			size_t len) SB_MUST_CHECK;

#endif
