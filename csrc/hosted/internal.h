/* SPDX-License-Identifier: MIT */
/*
 * internal.h - what struct sb_hosted holds; only hosted/ knows.
 */
#ifndef SB_HOSTED_INTERNAL_H
#define SB_HOSTED_INTERNAL_H

#include "hosted/hosted.h"
#include "layers/mapped_file.h"
#include "tree/dircache.h"

struct sb_hosted {
	struct sb_map control;
	struct sb_map shared;
	struct sb_map index;
	struct sb_map owners;
	struct sb_tree tree;
	struct sb_ids ids;
	struct sb_fs fs;
	struct sb_work work;
	struct sb_dir_slots dirs;
	struct sb_control *draft; /* the control file, while it may be written; else NULL */
	int shared_fd;
	char *path; /* of the control file */
};

/* hosted_control.c: add a string to the control file. -ENOSPC when it is full. */
int sb_hosted_put_text(struct sb_control *control, const char *text,
		       struct sb_text *out) SB_MUST_CHECK;
/* hosted_read.c: a function that Python calls begins to work with this tree. */
void sb_hosted_enter(const struct sb_hosted *h);
/* hosted_read.c: sb_tree_lookup() as root of the container. -EACCES at a magic link of /proc,
 * which means nothing outside a guest. */
int sb_hosted_look_up(struct sb_hosted *h, const char *path, unsigned flags,
		      struct sb_at *at) SB_MUST_CHECK;

#endif
