/* SPDX-License-Identifier: MIT */
/*
 * opener_watches.h - watches of inotify(7), for a container.
 *
 * How it works
 *   Landlock has no right for watches, and a filter does not see which file a path in memory names.
 *   So the filter refuses all, and a guest sends its inotify descriptor and one that names the
 *   file (O_PATH). As Landlock does, the opener walks from the file up to a place that the
 *   fence grants (opener/grants.h).
 */
#ifndef SB_OPENER_WATCHES_H
#define SB_OPENER_WATCHES_H

#include "tree/tree.h"

/* Note what the fence grants to read. Called once, before the first guest instruction is served. */
void sb_opener_note_grants(const struct sb_tree *tree);
/* Add a watch: its number. -EACCES: the fence does not grant the file. */
long sb_opener_add_watch(int inotify, int named, uint32_t mask) SB_MUST_CHECK;

#endif
