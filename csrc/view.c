/* SPDX-License-Identifier: MIT */
/*
 * view.c - find what is at a path of the merged tree.
 *
 * How it works
 *   A path that is already canonical and names a node of the index with
 *   untouched or merged directories above it is answered by one probe. Any
 *   other path is walked: work->todo holds the text still to do (a symlink's
 *   target is put in front of it), out->guest the canonical path so far, and
 *   work->stack the spot of each component, so that ".." needs no lookup.
 *   The directory a relative path starts from is known to exist: its
 *   spot comes from sb_spot_of_dir(), those above it only when ".." asks.
 * Rules
 *   Signal-safe; iterative, so the depth of a path costs no stack.
 * Does not know
 *   What a magic link of /proc means (-SB_EMAGIC hands it to level 3).
 */
#include <errno.h>
#include <linux/stat.h>

#include "dircache.h"
#include "lists.h"
#include "mem.h"
#include "spot.h"
#include "tree.h"

#define MAX_LINKS 40
#define MAX_NAME 255
#define TODO_SIZE (sizeof(((struct sb_work *)0)->todo))
#define STACK_SIZE SB_ARRAY_LEN(((struct sb_work *)0)->stack)

struct walk {
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

bool sb_tree_may_search_all(const struct sb_fs *fs)
{
	const uint64_t dac = 1ULL << SB_CAP_DAC_OVERRIDE | 1ULL << SB_CAP_DAC_READ_SEARCH;

	if (fs->real_ids != 0 && fs->ids->ruid != 0)
		return false;
	return (fs->ids->cap_effective & dac) != 0;
}

/* ---- the fast path ------------------------------------------------------ */

static void spot_of_node(const struct sb_tree *tree, uint32_t node, unsigned state,
			 struct sb_spot *out)
{
	uint32_t type = tree->nodes[node].mode & S_IFMT;

	*out = (struct sb_spot){
		.place = state == SB_STATE_MERGED ? SB_PLACE_UPPER : SB_PLACE_LOWER,
		.node = node,
		.mount = SB_NO_MOUNT,
		.type = type,
		.in_upper = state == SB_STATE_MERGED,
		.lower_below = type == S_IFDIR,
	};
}

static unsigned state_of(const struct sb_tree *tree, uint32_t node)
{
	return __atomic_load_n(&tree->state[node], __ATOMIC_ACQUIRE);
}

/* True when out is filled but for the stat. */
static bool find_directly(struct sb_fs *fs, const char *path, unsigned flags, struct sb_at *out)
{
	const struct sb_tree *tree = fs->tree;
	uint32_t len = sb_path_canonical(path);
	uint32_t parent;
	uint32_t node;
	uint32_t type;
	unsigned parent_state;
	unsigned state;

	if (len == 0)
		return false;
	node = sb_index_find_path(tree, path, len);
	if (node == SB_NO_NODE)
		return false;
	type = tree->nodes[node].mode & S_IFMT;
	if ((type == S_IFLNK && (flags & (SB_FOLLOW | SB_NO_SYMLINKS)) != 0) ||
	    (type != S_IFDIR && (flags & SB_WANT_DIR) != 0))
		return false;
	parent = tree->nodes[node].parent;
	state = state_of(tree, node);
	parent_state = state_of(tree, parent);
	if (!sb_state_is_plain(state) || !sb_state_is_plain(parent_state))
		return false;
	for (uint32_t up = parent; up != 0;) {
		up = tree->nodes[up].parent;
		if (!sb_state_is_plain(state_of(tree, up)))
			return false;
	}
	spot_of_node(tree, node, state, &out->spot);
	spot_of_node(tree, parent, parent_state, &out->dir);
	memcpy(out->guest.buf, path, len + 1);
	out->guest.len = len;
	out->name = len - tree->nodes[node].name_len;
	out->slash = false;
	out->dots = false;
	out->has_dir_stat = false;
	return sb_spot_host(fs, &out->spot, out->guest.buf, len, &out->host) == 0;
}

/* ---- the walk ----------------------------------------------------------- */

static void push(struct walk *w)
{
	if (w->depth < STACK_SIZE) {
		w->work->stack[w->depth].len = w->out->guest.len;
		w->work->stack[w->depth].spot = w->cur;
	}
}

static uint32_t count_components(const struct sb_path *guest)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < guest->len; i++)
		count += guest->buf[i] == '/';
	return guest->len == 1 ? 0 : count;
}

/* Go to a directory that is known to exist. */
static int go_to(struct walk *w, const char *guest, uint32_t len)
{
	int err = sb_path_set(&w->out->guest, guest, len);

	if (err == 0)
		err = sb_spot_of_dir(w->fs, w->out->guest.buf, len, &w->out->host, &w->cur);
	w->depth = count_components(&w->out->guest);
	w->known = w->depth;
	push(w);
	return err;
}

static bool is_at_root(const struct walk *w)
{
	const struct sb_path *guest = &w->out->guest;

	return guest->len == 1 || sb_same(guest->buf, guest->len, w->root, w->root_len);
}

/* The spot of the directory above out->guest, which is not "/". */
static int spot_above(struct walk *w, struct sb_spot *above)
{
	const struct sb_path *guest = &w->out->guest;
	uint32_t name = sb_path_name(guest);

	if (w->depth > w->known && w->depth - 1 < STACK_SIZE) {
		*above = w->work->stack[w->depth - 1].spot;
		return 0;
	}
	return sb_spot_of_dir(w->fs, guest->buf, name > 1 ? name - 1 : 1, &w->out->host, above);
}

static int go_up(struct walk *w)
{
	uint32_t mount = w->cur.mount;
	struct sb_spot above;
	int err;

	if ((w->flags & SB_BENEATH) != 0 && w->depth <= w->base_depth)
		return -EXDEV;
	w->knows_root = true;
	if (is_at_root(w))
		return 0;
	err = spot_above(w, &above);
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
		push(w);
	}
	return 0;
}

static int check_search(struct walk *w)
{
	const struct sb_tree *tree = w->fs->tree;
	struct sb_at *out = w->out;
	struct sb_stat st;
	int err;

	if (w->search_free)
		return 0;
	if (sb_tree_is_proc(tree, &w->cur))
		return 0; /* the kernel's own check is the right one */
	err = sb_spot_host(w->fs, &w->cur, out->guest.buf, out->guest.len, &out->host);
	if (err == 0)
		err = sb_spot_stat(w->fs, &w->cur, &out->host, NULL, &st);
	if (err < 0)
		return err;
	return sb_lists_permit(w->fs, &st, 1);
}

/* Is the symlink at out->guest one whose text means nothing? */
static bool is_magic(const struct walk *w)
{
	const struct sb_tree *tree = w->fs->tree;
	const struct sb_mount *mount;
	const struct sb_path *guest = &w->out->guest;

	if (!sb_tree_is_proc(tree, &w->cur))
		return false;
	mount = &tree->control->mounts[w->cur.mount];
	return sb_path_name(guest) > mount->guest.len + 1; /* deeper than /proc/NAME */
}

/* Put the target of the symlink at out->guest in front of todo. */
static int read_link(struct walk *w)
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

/* The rest of todo for level 3, at its beginning. */
static int report_magic(struct walk *w)
{
	memmove(w->work->todo, w->work->todo + w->rest, TODO_SIZE - w->rest);
	w->out->spot = w->cur;
	w->out->name = sb_path_name(&w->out->guest);
	return -SB_EMAGIC;
}

/* out->guest is a symlink in the directory dir; go on with its target. */
static int follow(struct walk *w, const struct sb_spot *dir)
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
	err = go_to(w, w->root, w->root_len);
	if (err == 0 && (w->flags & SB_NO_XDEV) != 0 && w->cur.mount != dir->mount)
		err = -EXDEV;
	return err;
}

/* The next component of todo; 0 when there is none. */
static uint32_t next_name(struct walk *w, const char **name, bool *last, bool *slash)
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

static bool must_follow(const struct walk *w, bool last, bool slash)
{
	bool names_only = (w->flags & SB_PARENT) != 0 ||
			  ((w->flags & SB_MAY_BE_ABSENT) != 0 && (w->flags & SB_FOLLOW) == 0);

	return !last || (w->flags & SB_FOLLOW) != 0 || (slash && !names_only);
}

/* One ordinary component. 1 when a symlink was followed, 0 when out->guest and
 * cur are now at the component. */
static int enter(struct walk *w, const char *name, uint32_t len, bool last, bool slash)
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
	if (!sb_is_dir(&w->cur) &&
	    (!last || (slash && (w->flags & (SB_PARENT | SB_MAY_BE_ABSENT)) == 0)))
		return -ENOTDIR;
	push(w);
	return 0;
}

static int walk(struct walk *w)
{
	struct sb_at *out = w->out;

	for (;;) {
		bool slash;
		bool last;
		const char *name;
		uint32_t len = next_name(w, &name, &last, &slash);
		int err;

		if (len == 0) /* only slashes: the path was "/" or a link to it */
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
			out->dots = true; /* until a component says otherwise: a link to "/" */
			continue;
		}
		if (last)
			break;
	}
	return 0;
}

static int finish(struct walk *w)
{
	struct sb_at *out = w->out;
	int err = 0;

	out->spot = w->cur;
	out->name = sb_path_name(&out->guest);
	if (out->dots) {
		if (out->guest.len == 1)
			out->dir = w->cur;
		else
			err = spot_above(w, &out->dir);
	}
	if (err == 0)
		err = sb_spot_host(w->fs, &out->spot, out->guest.buf, out->guest.len, &out->host);
	if (err < 0)
		return err;
	if (out->spot.place == SB_PLACE_ABSENT)
		return 0;
	if ((w->flags & SB_WANT_DIR) != 0 && !sb_is_dir(&out->spot))
		return -ENOTDIR;
	if ((w->flags & SB_WANT_STAT) != 0) {
		const struct statx *look = w->seen.has ? &w->seen.sx : NULL;

		err = sb_spot_stat(w->fs, &out->spot, &out->host, look, &out->st);
		out->has_stat = err == 0;
	} else if (w->seen.has) {
		out->has_look = true;
		out->look = w->seen.sx;
	}
	return err;
}

/* Set the walk up at its first directory, with the path at the end of todo. */
static int start(struct walk *w, const char *base, uint32_t base_len, const char *path, size_t len)
{
	struct sb_work *work = w->work;
	bool at_root = path[0] == '/';

	w->knows_root = at_root || (w->flags & SB_IN_ROOT) != 0;
	w->rest = (uint32_t)(TODO_SIZE - 1 - len);
	memmove(work->todo + w->rest, path, len + 1);
	if ((w->flags & SB_IN_ROOT) != 0) {
		/* base outlives the call only as long as out->guest does not hold it */
		int err = sb_path_set(&work->p[5], base, base_len);

		if (err < 0)
			return err;
		w->root = work->p[5].buf;
		w->root_len = base_len;
	}
	if (at_root && (w->flags & SB_BENEATH) != 0)
		return -EXDEV;
	if (at_root)
		return go_to(w, w->root, w->root_len);
	return go_to(w, base, base_len);
}

/* A canonical path whose directory is remembered: only its last component is
 * left to do. False when there is more. */
static bool start_at_known(struct walk *w, const char *path, uint32_t len)
{
	struct sb_path *guest = &w->out->guest;
	uint32_t dir = len;

	while (path[dir - 1] != '/')
		dir--;
	if (dir < 2 || !sb_dircache_find(w->fs, path, dir - 1, &w->cur) ||
	    sb_path_set(guest, path, dir - 1) < 0)
		return false;
	w->knows_root = true;
	w->rest = (uint32_t)(TODO_SIZE - 1 - (len - dir));
	memmove(w->work->todo + w->rest, path + dir, len - dir + 1);
	w->depth = count_components(guest);
	w->known = w->depth;
	push(w);
	return true;
}

/* What the walk of a canonical path without symlinks found out. */
static void remember(const struct walk *w, uint32_t len, uint32_t generation)
{
	const struct sb_at *out = w->out;

	if (len > 0 && w->links == 0 && out->guest.len == len && out->name > 1)
		sb_dircache_put(w->fs, out->guest.buf, out->name - 1, &out->dir, generation);
}

int sb_tree_lookup(struct sb_fs *fs, const char *base, uint32_t base_len, const char *path,
		   unsigned flags, struct sb_at *out)
{
	const unsigned scoped = SB_BENEATH | SB_IN_ROOT;
	bool search_free = sb_tree_may_search_all(fs);
	bool plain = search_free && fs->tree->index != NULL && fs->root_len == 1 &&
		     (flags & scoped) == 0;
	uint32_t generation = sb_dircache_generation(fs->tree);
	uint32_t canonical;
	size_t len;
	struct walk w;
	int err;

	out->has_stat = false;
	out->has_look = false;
	out->has_dir_stat = false;
	if (path[0] == '\0')
		return -ENOENT;
	if (plain && find_directly(fs, path, flags, out)) {
		if ((flags & SB_WANT_STAT) == 0)
			return 0;
		err = sb_spot_stat(fs, &out->spot, &out->host, NULL, &out->st);
		out->has_stat = err == 0;
		return err;
	}
	len = strlen(path);
	if (len >= SB_PATH_MAX)
		return -ENAMETOOLONG;
	w.fs = fs;
	w.work = fs->work;
	w.out = out;
	w.flags = flags;
	w.root = fs->root;
	w.root_len = fs->root_len;
	w.links = 0;
	w.search_free = search_free || (flags & SB_SEARCHED) != 0;
	w.last_was_link = false;
	w.seen.has = false;
	out->slash = true;
	out->dots = true;
	canonical = plain ? sb_path_canonical(path) : 0;
	if (canonical != 0 && start_at_known(&w, path, canonical)) {
		canonical = 0; /* remembered already */
	} else {
		err = start(&w, base, base_len, path, len);
		if (err < 0)
			return err;
	}
	w.base_depth = w.depth;
	err = walk(&w);
	if (err == 0)
		err = finish(&w);
	if (err == 0)
		remember(&w, canonical, generation);
	return err;
}
