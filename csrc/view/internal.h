/* SPDX-License-Identifier: MIT */
/*
 * internal.h - the steps of a look-up, which only view/ knows.
 *
 * Guest paths are canonical and given with their length (more text may follow).
 */
#ifndef SB_VIEW_INTERNAL_H
#define SB_VIEW_INTERNAL_H

#include "base/stat.h"
#include "view/view.h"

/* ---- spot.c: one component ------------------------------------------------ */

/* The host's answer, where a step had to ask. */
struct sb_seen {
	bool has;
	struct statx sx;
};

/* Find what is at guest[0..len): its last component begins at name, its directory is dir. An
 * absent entry is no error. host is scratch. */
int sb_spot_step(const struct sb_fs *fs, const struct sb_spot *dir, const char *guest,
		 uint32_t name, uint32_t len, struct sb_path *host, struct sb_spot *out,
		 struct sb_seen *seen) SB_MUST_CHECK;

/* Does the index alone say what is at the path of a node with this state? See sb_spot_is_plain().
 */
static inline bool sb_state_is_plain(unsigned state)
{
	return state == SB_STATE_UNTOUCHED || state == SB_STATE_MERGED;
}

static inline bool sb_spot_is_dir(const struct sb_spot *spot)
{
	return spot->type == S_IFDIR;
}

/* ---- stat.c ---------------------------------------------------------------- */

/* Put the guest's ids and device number into what the kernel said of a file of a mount, or of one
 * that is not in the index. False: it may have a record, which says more. */
bool sb_stat_show(const struct sb_fs *fs, uint32_t mount, struct stat *st) SB_MUST_CHECK;

/* ---- walk.c: a path, component by component ------------------------------- */

#define SB_WALK_TODO (sizeof(((struct sb_work *)0)->todo))

struct sb_walk {
	struct sb_fs *fs;
	struct sb_work *work;
	struct sb_at *out;
	unsigned flags;
	uint32_t rest;       /* offset in todo */
	uint32_t depth;      /* components in out->guest */
	uint32_t known;      /* the stack is valid from this depth up */
	uint32_t base_depth; /* SB_BENEATH: ".." is refused here */
	uint32_t root_len;
	const char *root;    /* ".." stays here */
	unsigned links;
	bool search_free;    /* no search permission to check */
	bool remembers; /* the path is canonical, so its directories are remembered: */
	uint32_t generation; /* dircache.h */
	bool last_was_link;  /* the last component was a symlink, and todo is its target */
	bool knows_root; /* as in the kernel, SB_NO_XDEV refuses a jump to a root that the walk has
			    not met yet */
	struct sb_spot cur; /* of out->guest */
	struct sb_seen seen;
};

/* Remember the spot of out->guest, in case ".." follows. */
void sb_walk_push(struct sb_walk *w);
/* How many components a canonical path has. */
uint32_t sb_walk_depth(const struct sb_path *guest);
/* Go to a directory that is known to exist. */
int sb_walk_go_to(struct sb_walk *w, const char *guest, uint32_t len) SB_MUST_CHECK;
/* The spot of the directory above out->guest, which is not "/". */
int sb_walk_above(struct sb_walk *w, struct sb_spot *above) SB_MUST_CHECK;
/* Walk what is in todo: out->guest and cur say where it leads. */
int sb_walk(struct sb_walk *w) SB_MUST_CHECK;

#endif
