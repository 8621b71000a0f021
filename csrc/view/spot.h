/* SPDX-License-Identifier: MIT */
/*
 * spot.h - what is at one name of one directory: the step of every lookup.
 *
 * Level 2, private to view*.c and dirlist.c; others call sb_tree_lookup().
 * Guest paths are canonical and given with their length (they may go on).
 */
#ifndef SB_SPOT_H
#define SB_SPOT_H

#include "tree/tree.h"

#define SB_STATX_MASK (STATX_BASIC_STATS | STATX_BTIME)

/* The host stat that a step had to make anyway. */
struct sb_seen {
	bool has;
	struct statx sx;
};

/* May a mount be at, above or below a canonical path? Mostly its first byte says no. */
static inline bool sb_spot_near_mounts(const struct sb_control *control, const char *guest,
				       uint32_t len)
{
	const unsigned char first = len > 1 ? (unsigned char)guest[1] : 0;

	return len < 2 || (control->mount_firsts[first / 64] >> first % 64 & 1) != 0;
}

/* The root directory of the container. */
void sb_spot_root(const struct sb_fs *fs, struct sb_spot *out);

/* What is at guest[0..len), whose last component begins at name and whose
 * directory is dir. An absent entry is no error. host is scratch. */
int sb_spot_step(const struct sb_fs *fs, const struct sb_spot *dir, const char *guest,
		 uint32_t name, uint32_t len, struct sb_path *host, struct sb_spot *out,
		 struct sb_seen *seen) SB_MUST_CHECK;

/* The spot of a directory that is known to exist at this path (cwd, a
 * directory descriptor, a parent): mostly without a system call. */
int sb_spot_of_dir(const struct sb_fs *fs, const char *guest, uint32_t len, struct sb_path *host,
		   struct sb_spot *out) SB_MUST_CHECK;

/* The spot of a directory that is remembered (dircache.h), when that still holds. */
bool sb_spot_recall(const struct sb_fs *fs, const char *guest, uint32_t len, struct sb_spot *out);

/* Does the index alone say what is at a node's path? When that and every directory above it has
 * such a state. */
static inline bool sb_state_is_plain(unsigned state)
{
	return state == SB_STATE_UNTOUCHED || state == SB_STATE_MERGED;
}
bool sb_spot_is_plain(const struct sb_tree *tree, uint32_t node);

/* Host path of a spot; of an absent one, where it would be made. */
int sb_spot_host(const struct sb_fs *fs, const struct sb_spot *spot, const char *guest,
		 uint32_t len, struct sb_path *host) SB_MUST_CHECK;

/* Stat of a present spot. host is its host path; look, the host's answer, may be NULL. */
int sb_spot_stat(const struct sb_fs *fs, const struct sb_spot *spot, const struct sb_path *host,
		 const struct statx *look, struct sb_stat *out) SB_MUST_CHECK;

/* A file of the machine that its user may not read can have a stand-in, which the launcher
 * wrote below the run directory: is there one, and where? */
bool sb_spot_stand_in(const struct sb_tree *tree, const char *guest, struct sb_path *host,
		      struct statx *sx);

/* 0 or -errno; a symlink is not followed. */
static inline int sb_host_stat(const char *host, struct statx *sx)
{
	return (int)sys_statx(AT_FDCWD, host, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, SB_STATX_MASK,
			      sx);
}

/* The same for a present entry: what the walk was told, the first time. */
static inline int sb_entry_stat(struct sb_at *at, struct statx *sx)
{
	if (!at->has_look)
		return sb_host_stat(at->host.buf, sx);
	at->has_look = false;
	*sx = at->look;
	return 0;
}

static inline bool sb_is_dir(const struct sb_spot *spot)
{
	return spot->type == S_IFDIR;
}

#endif
