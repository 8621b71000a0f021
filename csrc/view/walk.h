/* SPDX-License-Identifier: MIT */
/*
 * walk.h - a walk along a path, which lookup.c sets up and ends.
 *
 * Level 2. For lookup.c alone.
 */
#ifndef SB_VIEW_WALK_H
#define SB_VIEW_WALK_H

#include "view/spot.h"
#include "tree/tree.h"

#define SB_WALK_TODO (sizeof(((struct sb_work *)0)->todo))

struct sb_walk {
	struct sb_fs *fs;
	struct sb_work *work;
	struct sb_at *out;
	unsigned flags;
	uint32_t rest;       /* offset in todo */
	uint32_t depth;      /* components in out->guest */
	uint32_t known;      /* the stack is valid from this depth up */
	uint32_t base_depth; /* SB_BENEATH: ".." from here is refused */
	uint32_t root_len;
	const char *root;    /* ".." stays here */
	unsigned links;
	bool search_free;    /* no search permission to check */
	bool last_was_link;  /* what is left of todo came from the last component's symlink */
	bool knows_root;     /* as the kernel: SB_NO_XDEV refuses a jump to a root not yet met */
	struct sb_spot cur;  /* of out->guest */
	struct sb_seen seen;
};

/* Note the spot of out->guest, for ".." to come. */
void sb_walk_push(struct sb_walk *w);
/* How many components a canonical path has. */
uint32_t sb_walk_depth(const struct sb_path *guest);
/* Go to a directory that is known to exist. */
int sb_walk_go_to(struct sb_walk *w, const char *guest, uint32_t len) SB_MUST_CHECK;
/* The spot of the directory above out->guest, which is not "/". */
int sb_walk_above(struct sb_walk *w, struct sb_spot *above) SB_MUST_CHECK;
/* Do what is in todo: out->guest and cur say where it leads. */
int sb_walk(struct sb_walk *w) SB_MUST_CHECK;

#endif
