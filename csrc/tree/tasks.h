/* SPDX-License-Identifier: MIT */
/*
 * tasks.h - the processes and threads that a container has in /proc.
 *
 * How it works
 *   /proc is the machine's. A guest sees the entries of its container's tasks, by the numbers that
 *   they have there. Who knows both fills struct sb_tasks in; the hosted build has none, and sees
 *   the machine's entries.
 */
#ifndef SB_TASKS_H
#define SB_TASKS_H

#include "tree/tree.h"

struct sb_tasks {
	/* The kernel's number of a task that the guest calls by this number. 0: the container has
	 * no such task. */
	uint32_t (*real)(const struct sb_tree *tree, uint32_t shown);
	/* The reverse. */
	uint32_t (*shown)(const struct sb_tree *tree, uint32_t real);
	/* Is it another process than the calling one? */
	bool (*is_other)(const struct sb_tree *tree, uint32_t real);
	/* Whose a file of this mode of a task is, by the real number; false when nobody knows. */
	bool (*owner)(const struct sb_tree *tree, uint32_t real, uint32_t mode, uint32_t *uid,
		      uint32_t *gid);
};

/* Read the number at the start of text, as /proc spells numbers; *used is its length, 0: there is
 * none that ends with the text or before a slash. */
uint32_t sb_tasks_number(const char *text, size_t len, size_t *used);
/* Append the part of a guest path below a mount of /proc to the host path of the mount. rest begins
 * with a slash. -ENOENT: it is about a task of another container. */
int sb_tasks_add_host(const struct sb_tree *tree, struct sb_path *host, const char *rest,
		      uint32_t len) SB_MUST_CHECK;
/* Replace the numbers in "NUMBER", "NUMBER/x" and "NUMBER/task/NUMBER/x" behind the first from
 * bytes of path by those that the guest knows. A number of a task outside stays. */
int sb_tasks_show(const struct sb_tree *tree, struct sb_path *path, uint32_t from) SB_MUST_CHECK;
/* Does the directory list tasks, so that sb_tasks_entry() decides about its names? */
bool sb_tasks_lists(const struct sb_tree *tree, const struct sb_spot *dir,
		    const struct sb_path *guest);
/* The name of an entry as the guest sees it, in room unless it is the kernel's own; NULL: none. */
const char *sb_tasks_entry(const struct sb_tree *tree, const char *name, char room[12]);
/* Is the file with this host path one of another process, so that its owner and mode decide? */
bool sb_tasks_guards(const struct sb_tree *tree, const struct sb_spot *spot,
		     const struct sb_path *host);
/* Put the owner of a task's file, which has this host path, into st. Other files keep theirs. */
void sb_tasks_own(const struct sb_tree *tree, const struct sb_spot *spot,
		  const struct sb_path *host, struct sb_stat *st);

#endif
