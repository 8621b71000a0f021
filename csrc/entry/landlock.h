/* SPDX-License-Identifier: MIT */
/*
 * landlock.h - the kernel's own fence around a container: Landlock.
 */
#ifndef SB_LANDLOCK_H
#define SB_LANDLOCK_H

#include "tree/tree.h"

/* Can this kernel keep signals within a container? */
bool sb_landlock_has_scopes(void);
/* Restrict the calling process to the container's files. 0 also without Landlock (sandbox info says
 * so); -errno when the kernel refuses. */
int sb_landlock_confine(const struct sb_tree *tree) SB_MUST_CHECK;

#endif
