/* SPDX-License-Identifier: MIT */
/*
 * walk.c - go along a path of the merged tree, component by component.
 *
 * How it works
 *   work->todo is the rest of the path; the target of a symlink is put in front of it. out->guest
 *   is the canonical path so far. work->stack has the spot of each component, so that ".." needs
 *   no look-up.
 * Rules
 *   Signal-safe. No recursion, so deep paths need no stack.
 * Does not know
 *   What a magic link of /proc means: the caller gets -SB_EMAGIC.
 */
#include <errno.h>

#include "tree/dircache.h"
#include "tree/file_acl.h"
#include "tree/mounts.h"
#include "tree/tasks.h"
#include "view/internal.h"

#define MAX_LINKS 40
#define MAX_NAME 255
#define TODO_SIZE SB_WALK_TODO
#define STACK_SIZE SB_ARRAY_LEN(((struct sb_work *)0)->stack)

void sb_walk_push(struct sb_walk *w)
{
	if (w->depth < STACK_SIZE) {
		w->work->stack[w->depth].len = w->out->guest.len;
		w->work->stack[w->depth].spot = w->cur;
	}
}

uint32_t sb_walk_depth(const struct sb_path *guest)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < guest->len; i++)
		count += guest->buf[i] == '/';
	return guest->len == 1 ? 0 : count;
}

int sb_walk_go_to(struct sb_walk *w, const char *guest, uint32_t len)
{
	int err = sb_path_set(&w->out->guest, guest, len);

	if (err == 0)
		err = sb_spot_of_dir(w->fs, w->out->guest.buf, len, &w->out->host, &w->cur);
	w->depth = sb_walk_depth(&w->out->guest);
	w->known = w->depth;
	sb_walk_push(w);
	return err;
}

static bool is_at_root(const struct sb_walk *w)
{
	const struct sb_path *guest = &w->out->guest;

	return guest->len == 1 || sb_same(guest->buf, guest->len, w->root, w->root_len);
}

int sb_walk_above(struct sb_walk *w, struct sb_spot *above)
{
	const struct sb_path *guest = &w->out->guest;
	uint32_t name = sb_path_name(guest);

	if (w->depth > w->known && w->depth - 1 < STACK_SIZE) {
		*above = w->work->stack[w->depth - 1].spot;
		return 0;
	}
	return sb_spot_of_dir(w->fs, guest->buf, name > 1 ? name - 1 : 1, &w->out->host, above);
}

static int go_up(struct sb_walk *w)
{
	uint32_t mount = w->cur.mount;
	struct sb_spot above;
	int err;

	if ((w->flags & SB_BENEATH) != 0 && w->depth <= w->base_depth)
		return -EXDEV;
	w->knows_root = true;
	if (is_at_root(w))
		return 0;
	err = sb_walk_above(w, &above);
	if (err < 0)
		return err;
	if ((w->flags & SB_NO_XDEV) != 0 && above.mount != mount)
		return -EXDEV;
	sb_path_pop(&w->out->guest);
	w->depth--;
	w->cur = above;
	w->seen.has = false;
	if (w->depth < w->known) {
		w->known = w->depth;
		sb_walk_push(w);
	}
	return 0;
}

static int check_search(struct sb_walk *w)
{
	const struct sb_tree *tree = w->fs->tree;
	struct sb_at *out = w->out;
	struct sb_stat st;
	int err;

	if (w->search_free)
		return 0;
	if (sb_tree_is_proc(tree, &w->cur))
		return 0; /* the kernel checks */
	err = sb_spot_host(w->fs, &w->cur, out->guest.buf, out->guest.len, &out->host);
	if (err == 0)
		err = sb_spot_stat(w->fs, &w->cur, &out->host, NULL, &st);
	if (err < 0)
		return err;
	return sb_file_acl_permit(w->fs, &st, 1);
}

/* Is the symlink at out->guest a magic link, whose text means nothing? */
static bool is_magic(const struct sb_walk *w)
{
	const struct sb_tree *tree = w->fs->tree;
	const struct sb_mount *mount;
	const struct sb_path *guest = &w->out->guest;

	if (!sb_tree_is_proc(tree, &w->cur))
		return false;
	mount = &tree->control->mounts[w->cur.mount];
	return sb_path_name(guest) > mount->guest.len + 1; /* deeper than /proc/NAME */
}

/* /proc/self and /proc/thread-self say the kernel's number: put the guest's at the start of todo.
 */
static long show_task(struct sb_walk *w, long len)
{
	struct sb_path *text = &w->out->host;
	int err = sb_path_set(text, w->work->todo, (size_t)len);

	if (err == 0)
		err = sb_tasks_show(w->fs->tree, text, 0);
	if (err < 0)
		return err;
	if (text->len >= w->rest)
		return -ENAMETOOLONG;
	memcpy(w->work->todo, text->buf, text->len);
	return text->len;
}

/* Put the target of the symlink at out->guest in front of todo. */
static int read_link(struct sb_walk *w)
{
	struct sb_work *work = w->work;
	const struct sb_tree *tree = w->fs->tree;
	const struct sb_spot *spot = &w->cur;
	const struct sb_mount *mount =
		spot->place == SB_PLACE_LINK ? &tree->control->mounts[spot->mount] : NULL;
	const char *from = work->todo;
	long len;

	if (mount != NULL) {
		from = sb_text_at(tree->control, mount->host);
		len = mount->host.len;
	} else if (spot->place == SB_PLACE_LOWER) {
		from = tree->strings + tree->nodes[spot->node].link_off;
		len = tree->nodes[spot->node].link_len;
	} else {
		len = sys_readlinkat(AT_FDCWD, w->out->host.buf, work->todo,
				     SB_MIN(w->rest, (uint32_t)SB_PATH_MAX));
	}
	if (len > 0 && mount == NULL && sb_tree_is_proc(tree, spot))
		len = show_task(w, len);
	if (len < 0)
		return (int)len;
	if (len == 0)
		return -ENOENT;
	if (len >= SB_PATH_MAX || len >= w->rest)
		return -ENAMETOOLONG;
	memmove(work->todo + w->rest - len, from, (size_t)len);
	w->rest -= (uint32_t)len;
	return 0;
}

/* Leave the rest of the path at the beginning of todo, for the caller. */
static int report_magic(struct sb_walk *w)
{
	memmove(w->work->todo, w->work->todo + w->rest, TODO_SIZE - w->rest);
	w->out->spot = w->cur;
	w->out->name = sb_path_name(&w->out->guest);
	return -SB_EMAGIC;
}

/* Go on with the target of the symlink out->guest, which is in the directory dir. */
static int follow(struct sb_walk *w, const struct sb_spot *dir)
{
	int err;

	if ((w->flags & SB_NO_SYMLINKS) != 0)
		return -ELOOP;
	err = sb_spot_host(w->fs, &w->cur, w->out->guest.buf, w->out->guest.len, &w->out->host);
	if (err < 0)
		return err;
	if (is_magic(w))
		return report_magic(w);
	if (++w->links > MAX_LINKS)
		return -ELOOP;
	err = read_link(w);
	if (err < 0)
		return err;
	sb_path_pop(&w->out->guest);
	w->depth--;
	w->cur = *dir;
	w->seen.has = false;
	if (w->work->todo[w->rest] != '/')
		return 0;
	if ((w->flags & SB_BENEATH) != 0 || ((w->flags & SB_NO_XDEV) != 0 && !w->knows_root))
		return -EXDEV;
	if (w->depth == 0 && w->root_len == 1)
		return 0;
	err = sb_walk_go_to(w, w->root, w->root_len);
	if (err == 0 && (w->flags & SB_NO_XDEV) != 0 && w->cur.mount != dir->mount)
		err = -EXDEV;
	return err;
}

/* The next component of todo; 0 when there is none. */
static uint32_t next_name(struct sb_walk *w, const char **name, bool *last, bool *slash)
{
	const char *todo = w->work->todo;
	uint32_t at = w->rest;
	uint32_t end;

	while (todo[at] == '/')
		at++;
	end = at;
	while (todo[end] != '/' && todo[end] != '\0')
		end++;
	*name = todo + at;
	w->rest = end;
	*slash = todo[end] == '/';
	while (todo[w->rest] == '/' && todo[w->rest + 1] == '/')
		w->rest++;
	*last = todo[end] == '\0' || todo[w->rest + 1] == '\0';
	return end - at;
}

static bool is_dots(const char *name, uint32_t len)
{
	return name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.'));
}

static bool must_follow(const struct sb_walk *w, bool last, bool slash)
{
	bool names_only = (w->flags & SB_PARENT) != 0 ||
			  ((w->flags & SB_MAY_BE_ABSENT) != 0 && (w->flags & SB_FOLLOW) == 0);

	return !last || (w->flags & SB_FOLLOW) != 0 || (slash && !names_only);
}

/* Remember the directory of the component that was found. What the walk knew before it began is
 * remembered already. */
static void remember(const struct sb_walk *w, const struct sb_spot *dir, uint32_t len)
{
	if (w->remembers && dir->place != SB_PLACE_LOWER && w->links == 0 &&
	    w->depth > w->known + 1 && w->out->guest.len > len + 1)
		sb_dircache_put(w->fs, w->out->guest.buf, w->out->guest.len - len - 1, dir,
				w->generation);
}

/* Walk one component other than dots. 1 when a symlink was followed, 0 when out->guest and cur
 * are at the component. */
static int enter(struct sb_walk *w, const char *name, uint32_t len, bool last, bool slash)
{
	struct sb_path *guest = &w->out->guest;
	struct sb_spot dir = w->cur;
	int err;

	if (last && slash && (w->flags & SB_CREATE) != 0)
		return -EISDIR;
	if (len > MAX_NAME)
		return -ENAMETOOLONG;
	err = sb_path_join(guest, name, len);
	if (err < 0)
		return err;
	w->depth++;
	w->out->has_dir_stat = w->seen.has;
	if (last && w->seen.has)
		w->out->dir_stat = w->seen.sx;
	err = sb_spot_step(w->fs, &dir, guest->buf, guest->len - len, guest->len, &w->out->host,
			   &w->cur, &w->seen);
	if (err < 0)
		return err;
	if ((w->flags & SB_NO_XDEV) != 0 && w->cur.mount != dir.mount)
		return -EXDEV;
	w->out->dir = dir;
	remember(w, &dir, len);
	if (w->cur.place == SB_PLACE_ABSENT) {
		if (!last || (w->flags & SB_MAY_BE_ABSENT) == 0 ||
		    (w->last_was_link && (w->flags & SB_CREATE) == 0))
			return -ENOENT;
		return 0;
	}
	if (w->cur.type == S_IFLNK && must_follow(w, last, slash)) {
		w->last_was_link = last;
		err = follow(w, &dir);
		return err < 0 ? err : 1;
	}
	if (!sb_spot_is_dir(&w->cur) &&
	    (!last || (slash && (w->flags & (SB_PARENT | SB_MAY_BE_ABSENT)) == 0)))
		return -ENOTDIR;
	sb_walk_push(w);
	return 0;
}

int sb_walk(struct sb_walk *w)
{
	struct sb_at *out = w->out;

	for (;;) {
		bool slash;
		bool last;
		const char *name;
		uint32_t len = next_name(w, &name, &last, &slash);
		int err;

		if (len == 0) /* only slashes are left: the path was "/", or a link to it */
			break;
		err = check_search(w);
		if (err < 0)
			return err;
		out->slash = slash;
		out->dots = is_dots(name, len);
		if (out->dots) {
			out->slash = true;
			err = len == 2 ? go_up(w) : 0;
		} else {
			err = enter(w, name, len, last, slash);
		}
		if (err < 0)
			return err;
		if (err == 1) {
			out->dots = true; /* a link to "/" has no other component */
			continue;
		}
		if (last)
			break;
	}
	return 0;
}
