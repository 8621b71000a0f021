/* SPDX-License-Identifier: MIT */
/*
 * lookup.c - find what is at a path of the merged tree.
 *
 * How it works
 *   One probe of the index answers for a canonical path that names a node, when all directories
 *   above it are untouched or merged. Any other path is walked (walk.c). The directory where a
 *   relative path starts is known to exist: sb_spot_of_dir() gives its spot, and those of the
 *   directories above only when ".." asks.
 */
#include <errno.h>
#include <linux/stat.h>

#include "tree/descriptors.h"
#include "tree/dircache.h"
#include "tree/index.h"
#include "view/internal.h"

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

/* True when out is complete, except for the stat. */
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

/* ---- the walk, from its first directory to its answer ------------------ */

static int finish(struct sb_walk *w)
{
	struct sb_at *out = w->out;
	int err = 0;

	out->spot = w->cur;
	out->name = sb_path_name(&out->guest);
	if (out->dots) {
		if (out->guest.len == 1)
			out->dir = w->cur;
		else
			err = sb_walk_above(w, &out->dir);
	}
	if (err == 0)
		err = sb_spot_host(w->fs, &out->spot, out->guest.buf, out->guest.len, &out->host);
	if (err < 0)
		return err;
	if (out->spot.place == SB_PLACE_ABSENT)
		return 0;
	if ((w->flags & SB_WANT_DIR) != 0 && !sb_spot_is_dir(&out->spot))
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
static int start(struct sb_walk *w, const char *base, uint32_t base_len, const char *path,
		 size_t len)
{
	struct sb_work *work = w->work;
	bool at_root = path[0] == '/';

	w->knows_root = at_root || (w->flags & SB_IN_ROOT) != 0;
	w->rest = (uint32_t)(SB_WALK_TODO - 1 - len);
	memmove(work->todo + w->rest, path, len + 1);
	if ((w->flags & SB_IN_ROOT) != 0) {
		w->root = base;
		w->root_len = base_len;
	}
	if (at_root && (w->flags & SB_BENEATH) != 0)
		return -EXDEV;
	if (at_root)
		return sb_walk_go_to(w, w->root, w->root_len);
	return sb_walk_go_to(w, base, base_len);
}

/* Find the last directory of a canonical path that is remembered: the length of its path with
 * the slash, or 0. */
static uint32_t find_known(const struct sb_walk *w, const char *path, uint32_t len,
			   struct sb_spot *out)
{
	uint32_t dir = len;

	for (;;) {
		while (path[dir - 1] != '/')
			dir--;
		if (dir < 2)
			return 0;
		if (sb_spot_recall(w->fs, path, dir - 1, out))
			return dir;
		dir--;
	}
}

/* Start at the last directory of a canonical path that is remembered: then only what is behind
 * it is left to do. False when none is. */
static bool start_at_known(struct sb_walk *w, const char *path, uint32_t len)
{
	struct sb_path *guest = &w->out->guest;
	const uint32_t dir = find_known(w, path, len, &w->cur);

	if (dir == 0 || sb_path_set(guest, path, dir - 1) < 0)
		return false;
	w->knows_root = true;
	w->rest = (uint32_t)(SB_WALK_TODO - 1 - (len - dir));
	memmove(w->work->todo + w->rest, path + dir, len - dir + 1);
	w->depth = sb_walk_depth(guest);
	w->known = w->depth;
	sb_walk_push(w);
	return true;
}

/* The canonical path that path names from base, when it needs no walk to be one: its length, or 0.
 * A relative one is put together in room. */
static uint32_t find_canonical(const char *base, uint32_t base_len, const char **path, size_t len,
			       unsigned flags, struct sb_path *room)
{
	if ((*path)[0] == '/')
		return sb_path_canonical(*path);
	if ((flags & SB_NO_XDEV) != 0 || sb_path_set(room, base, base_len) < 0 ||
	    sb_path_go(room, *path, len) < 0)
		return 0;
	*path = room->buf;
	return sb_path_canonical(room->buf);
}

int sb_tree_lookup(struct sb_fs *fs, const char *base, uint32_t base_len, const char *path,
		   unsigned flags, struct sb_at *out)
{
	const unsigned scoped = SB_BENEATH | SB_IN_ROOT;
	bool search_free = sb_tree_may_search_all(fs);
	bool plain = search_free && fs->root_len == 1 && (flags & scoped) == 0;
	uint32_t generation = sb_dircache_generation(fs->tree);
	const char *whole = path;
	uint32_t canonical;
	size_t len;
	struct sb_walk w;
	int err;

	out->has_stat = false;
	out->has_look = false;
	out->has_dir_stat = false;
	if (path[0] == '\0')
		return -ENOENT;
	if (plain && fs->tree->index != NULL && find_directly(fs, path, flags, out)) {
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
	canonical = plain ? find_canonical(base, base_len, &whole, len, flags, &out->guest) : 0;
	w.generation = generation;
	w.remembers = canonical != 0;
	if (canonical == 0 || !start_at_known(&w, whole, canonical)) {
		err = start(&w, base, base_len, path, len);
		if (err < 0)
			return err;
	}
	w.base_depth = w.depth;
	err = sb_walk(&w);
	if (err == 0)
		err = finish(&w);
	return err;
}

uint32_t sb_tree_child_of_fd(const struct sb_fs *fs, int fd, const char *name)
{
	const struct sb_tree *tree = fs->tree;
	const uint32_t dir = sb_fds_find(fs, fd);
	size_t len = 0;
	uint32_t node;

	if (dir == SB_NO_NODE || tree->state[dir] != SB_STATE_UNTOUCHED || fs->root_len != 1 ||
	    !sb_tree_may_search_all(fs) || !sb_spot_is_plain(tree, dir))
		return SB_NO_NODE;
	while (name[len] != '\0' && name[len] != '/')
		len++;
	if (name[len] == '/')
		return SB_NO_NODE;
	node = sb_index_find_child(tree, dir, name, len);
	if (node == SB_NO_NODE || tree->state[node] != SB_STATE_UNTOUCHED)
		return SB_NO_NODE;
	return node;
}
