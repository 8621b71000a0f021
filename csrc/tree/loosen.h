/* SPDX-License-Identifier: MIT */
/*
 * loosen.h - override of permissions on the user's own files in mounts.
 *
 * How it works
 *   A host file in a bind, a volume or a tmpfs has the mode that the guest gave it. The kernel
 *   holds that mode against the machine's user, whatever the guest's user may do: root may not
 *   write a file of mode 0444, and the group's bits do not count when the owner's are missing. When
 *   the guest's view allows a call and the host refuses it (EACCES), the owner gets the bits of the
 *   host's mode that the call needs. Before that a record keeps the mode that the guest sees.
 * Rules
 *   The caller has checked the guest's permission, and is in a commit section. Files of other users
 *   and of read-only mounts stay as they are, as do files with set-id bits on the machine.
 */
#ifndef SB_LOOSEN_H
#define SB_LOOSEN_H

#include "tree/owner.h"

/* What was changed, to take it back. */
struct sb_loosened {
	struct sb_owner_key key;
	struct sb_owner record; /* as it is meanwhile */
	uint32_t before; /* bits of the host's mode */
	uint32_t now;
	bool had_mode; /* the mode was in the record before */
};

/* Could the owner of a host file be given bits? */
bool sb_may_loosen(const struct sb_fs *fs, uint32_t mount, const char *host);
/* Give the owner these bits (of 0700) of a host file. 0 also when it has them by now: try again.
 * -EACCES: it is not ours to change. done may be NULL: it stays so. */
int sb_loosen(const struct sb_fs *fs, uint32_t mount, const char *host, uint32_t bits,
	      struct sb_loosened *done) SB_MUST_CHECK;
/* The same for the directory that holds the host file. */
int sb_loosen_dir_of(const struct sb_fs *fs, uint32_t mount, const struct sb_path *host,
		     uint32_t bits) SB_MUST_CHECK;
/* Make all directories of the mount above the host file searchable. */
int sb_loosen_above(const struct sb_fs *fs, uint32_t mount,
		    const struct sb_path *host) SB_MUST_CHECK;
/* Before a call that only the kernel can make: give the owner of at what the host refuses of want
 * (4 read, 2 write). */
void sb_loosen_ahead(const struct sb_fs *fs, const struct sb_at *at, unsigned want);
/* Take it back, unless somebody changed the mode meanwhile. */
void sb_tighten(const struct sb_fs *fs, const char *host, const struct sb_loosened *done);

#endif
