/* SPDX-License-Identifier: MIT */
/*
 * spot.c - what is at one name of one directory: the step of every look-up.
 *
 * How it works
 *   A mount at the path comes first. Inside a mount the host is asked. Elsewhere the state byte
 *   of the index node says whether the upper must be asked: an untouched image needs no system
 *   call. In a live lower the host is asked about the path itself, and before that the upper,
 *   once the container has changed anything.
 * Rules
 *   Signal-safe. The host is asked only with AT_SYMLINK_NOFOLLOW, one component below a directory
 *   that was found in the same way.
 */
#include <errno.h>
#include <linux/stat.h>

#include "base/shared_abi.h"
#include "tree/dircache.h"
#include "tree/host_path.h"
#include "tree/index.h"
#include "tree/loosen.h"
#include "tree/mounts.h"
#include "tree/owner.h"
#include "tree/tasks.h"
#include "tree/whiteout.h"
#include "view/internal.h"
#include "view/terminals.h"

static const struct sb_spot absent = {
	.place = SB_PLACE_ABSENT,
	.node = SB_NO_NODE,
	.mount = SB_NO_MOUNT,
};

static bool is_live(const struct sb_tree *tree)
{
	return tree->index == NULL;
}

static uint32_t mount_at(const struct sb_control *control, const char *guest, uint32_t len)
{
	if (!sb_tree_is_near_mounts(control, guest, len))
		return SB_NO_MOUNT;
	for (uint32_t i = 0; i < control->mount_count; i++) {
		const struct sb_mount *mount = &control->mounts[i];

		if (mount->guest.len == len &&
		    memcmp(sb_text_at(control, mount->guest), guest, len) == 0)
			return i;
	}
	return SB_NO_MOUNT;
}

/* The type of a host file. An empty file may stand for a device: then the owner table has the
 * type. */
static uint32_t type_of(const struct sb_tree *tree, const struct statx *sx)
{
	uint32_t type = sx->stx_mode & S_IFMT;
	struct sb_owner_key key;
	struct sb_owner owner;

	if (type != S_IFREG || sx->stx_size != 0)
		return type;
	sb_owner_key(tree, sx, &key);
	if (!sb_owner_maybe(tree, key.volume, key.ino))
		return type;
	return sb_owner_find(tree, &key, &owner) ? sb_owner_type(sx, &owner) : type;
}

static int ask_host(const struct sb_path *host, struct sb_seen *seen)
{
	int err = sb_host_stat(host->buf, &seen->sx);

	seen->has = err == 0;
	return err;
}

static int host_of_mount(const struct sb_tree *tree, uint32_t mount, const char *guest,
			 uint32_t len, struct sb_path *host)
{
	const struct sb_control *control = tree->control;
	const struct sb_mount *m = &control->mounts[mount];
	int err = sb_path_set(host, sb_text_at(control, m->host), m->host.len);

	if (err < 0 || len == m->guest.len)
		return err;
	if (host->len == 1) /* the host's root: the slash follows with the rest of guest */
		host->len = 0;
	if (m->kind == SB_MOUNT_PROC)
		return sb_tasks_add_host(tree, host, guest + m->guest.len, len - m->guest.len);
	return sb_path_add(host, guest + m->guest.len, len - m->guest.len);
}

int sb_spot_host(const struct sb_fs *fs, const struct sb_spot *spot, const char *guest,
		 uint32_t len, struct sb_path *host)
{
	const struct sb_tree *tree = fs->tree;
	const struct sb_control *control = tree->control;

	if (spot->place == SB_PLACE_LINK) {
		host->len = 0;
		host->buf[0] = '\0';
		return 0;
	}
	if (spot->mount != SB_NO_MOUNT)
		return host_of_mount(tree, spot->mount, guest, len, host);
	if (spot->place == SB_PLACE_LIVE)
		return sb_path_set(host, guest, len);
	if (spot->place == SB_PLACE_LOWER) {
		const struct sb_text *layers = sb_index_layers(tree);
		uint32_t layer = tree->nodes[spot->node].layer;
		int err =
			sb_path_set(host, sb_text_at(control, control->store), control->store.len);

		if (err == 0 && layer >= tree->index->layer_count)
			err = -ENOENT;
		if (err == 0)
			err = sb_path_join(host, tree->strings + layers[layer].off,
					   layers[layer].len);
		if (err < 0 || len == 1)
			return err;
		return sb_path_add(host, guest, len);
	}
	return sb_tree_upper_path(fs, guest, len, host);
}

static void spot_of_root(const struct sb_fs *fs, struct sb_spot *out)
{
	const struct sb_tree *tree = fs->tree;
	bool touched = is_live(tree) ? tree->shared->upper_used != 0
				     : tree->state[0] != SB_STATE_UNTOUCHED;
	enum sb_place lower = is_live(tree) ? SB_PLACE_LIVE : SB_PLACE_LOWER;

	*out = (struct sb_spot){
		.place = touched ? SB_PLACE_UPPER : lower,
		.node = is_live(tree) ? SB_NO_NODE : 0,
		.mount = SB_NO_MOUNT,
		.type = S_IFDIR,
		.in_upper = touched,
		.lower_below = true,
	};
}

static bool is_own_terminal(const struct sb_fs *fs, const char *name, uint32_t len)
{
	uint32_t number;

	sb_commit_begin(fs);
	return sb_terminal_number(name, len, &number) && sb_terminal_is_own(fs, number);
}

static int step_in_mount(const struct sb_fs *fs, uint32_t mount, const char *guest, uint32_t len,
			 struct sb_path *host, struct sb_spot *out, struct sb_seen *seen)
{
	const struct sb_control *control = fs->tree->control;
	int err;

	*out = absent;
	out->mount = mount;
	if (control->mounts[mount].kind == SB_MOUNT_LINK) {
		out->place = SB_PLACE_LINK;
		out->type = S_IFLNK;
		return 0;
	}
	if (control->mounts[mount].guest.len == len && control->mounts[mount].is_dir != 0) {
		out->place = SB_PLACE_MOUNT;
		out->type = S_IFDIR;
		return 0;
	}
	if (control->mounts[mount].kind == SB_MOUNT_TERMINALS &&
	    !is_own_terminal(fs, guest + control->mounts[mount].guest.len + 1,
			     len - control->mounts[mount].guest.len - 1))
		return 0;
	err = host_of_mount(fs->tree, mount, guest, len, host);
	if (err == 0)
		err = ask_host(host, seen);
	if (err == -EACCES && sb_loosen_above(fs, mount, host) == 0)
		err = ask_host(host, seen);
	if (err == -ENOENT)
		return 0;
	if (err < 0)
		return err;
	out->place = SB_PLACE_MOUNT;
	out->type = type_of(fs->tree, &seen->sx);
	return 0;
}

/* Ask the host about an entry of the upper: 1 when it is a whiteout, 0 when not, -errno. */
static int ask_entry(const struct sb_tree *tree, const struct sb_path *host, struct sb_seen *seen)
{
	for (int tries = 0; tries < 3; tries++) {
		int err = ask_host(host, seen);

		if (err < 0 || (seen->sx.stx_mode & S_IFMT) != S_IFLNK ||
		    seen->sx.stx_size != strlen(tree->control->whiteout))
			return err;
		if (sb_is_whiteout(tree, AT_FDCWD, host->buf))
			return 1;
		/* A symlink as long as a whiteout; or another process has just replaced the
		 * whiteout: look again. */
	}
	return 0;
}

/* Has the machine a directory at this path? */
static bool is_live_dir(const char *guest, uint32_t len)
{
	struct statx sx;
	char name[SB_PATH_MAX - 2048];

	if (len >= sizeof(name)) /* a deeper path does not fit a small frame: say yes */
		return true;
	memcpy(name, guest, len);
	name[len] = '\0';
	return sb_host_stat(name, &sx) == 0 && (sx.stx_mode & S_IFMT) == S_IFDIR;
}

/* Has the lower a directory at the path of out, whose node is known? */
static bool has_lower_dir(const struct sb_tree *tree, const struct sb_spot *dir, const char *guest,
			  uint32_t len, const struct sb_spot *out)
{
	if (!is_live(tree))
		return out->node != SB_NO_NODE && (tree->nodes[out->node].mode & S_IFMT) == S_IFDIR;
	return dir->lower_below && is_live_dir(guest, len);
}

/* Ask the upper: 1 when it decides (out is filled), 0 when it has nothing here. */
static int ask_upper(const struct sb_fs *fs, const struct sb_spot *dir, const char *guest,
		     uint32_t len, struct sb_path *host, struct sb_spot *out, struct sb_seen *seen)
{
	const struct sb_tree *tree = fs->tree;
	int err = sb_tree_upper_path(fs, guest, len, host);

	if (err == 0)
		err = ask_entry(tree, host, seen);
	if (err == -ENOENT || err == -ENOTDIR)
		return 0;
	if (err < 0)
		return err;
	if (err == 1) {
		seen->has = false;
		out->whiteout = true;
		return 1;
	}
	out->place = SB_PLACE_UPPER;
	out->type = type_of(tree, &seen->sx);
	if (out->type == S_IFDIR) {
		out->in_upper = true;
		out->lower_below = has_lower_dir(tree, dir, guest, len, out) &&
				   !sb_is_opaque(fs, host->buf, host->len);
	}
	return 1;
}

static int step_in_index(const struct sb_fs *fs, const struct sb_spot *dir, const char *guest,
			 uint32_t name, uint32_t len, struct sb_path *host, struct sb_spot *out,
			 struct sb_seen *seen)
{
	const struct sb_tree *tree = fs->tree;
	uint32_t node = SB_NO_NODE;
	unsigned state;

	if (dir->lower_below && dir->node != SB_NO_NODE)
		node = sb_index_find_child(tree, dir->node, guest + name, len - name);
	out->node = node;
	state = node == SB_NO_NODE ? SB_STATE_ASK
				   : __atomic_load_n(&tree->state[node], __ATOMIC_ACQUIRE);
	if (dir->in_upper && state == SB_STATE_MERGED) {
		out->place = SB_PLACE_UPPER;
		out->type = S_IFDIR;
		out->in_upper = true;
		out->lower_below = true;
		return 0;
	}
	if (dir->in_upper && state != SB_STATE_UNTOUCHED) {
		int found = ask_upper(fs, dir, guest, len, host, out, seen);

		if (found != 0)
			return found < 0 ? found : 0;
	}
	if (node == SB_NO_NODE)
		return 0;
	out->place = SB_PLACE_LOWER;
	out->type = tree->nodes[node].mode & S_IFMT;
	out->lower_below = out->type == S_IFDIR;
	return 0;
}

static int step_in_live(const struct sb_fs *fs, const struct sb_spot *dir, const char *guest,
			uint32_t len, struct sb_path *host, struct sb_spot *out,
			struct sb_seen *seen)
{
	int err;

	if (dir->in_upper) {
		int found = ask_upper(fs, dir, guest, len, host, out, seen);

		if (found != 0)
			return found < 0 ? found : 0;
	}
	if (!dir->lower_below)
		return 0;
	err = sb_path_set(host, guest, len);
	if (err == 0)
		err = ask_host(host, seen);
	/* A directory of the machine that the user may not search looks empty, and can be
	 * written here. */
	if (err == -ENOENT || err == -EACCES)
		return 0;
	if (err < 0)
		return err;
	out->place = SB_PLACE_LIVE;
	out->type = seen->sx.stx_mode & S_IFMT;
	out->lower_below = out->type == S_IFDIR;
	return 0;
}

int sb_spot_step(const struct sb_fs *fs, const struct sb_spot *dir, const char *guest,
		 uint32_t name, uint32_t len, struct sb_path *host, struct sb_spot *out,
		 struct sb_seen *seen)
{
	const struct sb_tree *tree = fs->tree;
	uint32_t mount = mount_at(tree->control, guest, len);

	seen->has = false;
	if (mount == SB_NO_MOUNT)
		mount = dir->mount;
	if (mount != SB_NO_MOUNT)
		return step_in_mount(fs, mount, guest, len, host, out, seen);
	*out = absent;
	if (dir->in_upper &&
	    sb_same(guest + name, len - name, tree->control->opaque, strlen(tree->control->opaque)))
		return 0;
	if (is_live(tree))
		return step_in_live(fs, dir, guest, len, host, out, seen);
	return step_in_index(fs, dir, guest, name, len, host, out, seen);
}

/* Walk from the root, when the upper must be asked. */
static int walk_to_dir(const struct sb_fs *fs, const char *guest, uint32_t len,
		       struct sb_path *host, struct sb_spot *out)
{
	struct sb_spot dir;
	struct sb_seen seen = {.has = false};
	uint32_t name = 1;

	spot_of_root(fs, out);
	while (name < len) {
		uint32_t end = name;
		int err;

		while (end < len && guest[end] != '/')
			end++;
		dir = *out;
		err = sb_spot_step(fs, &dir, guest, name, end, host, out, &seen);
		if (err < 0)
			return err;
		if (out->place == SB_PLACE_ABSENT)
			return -ENOENT;
		if (!sb_spot_is_dir(out))
			return -ENOTDIR;
		name = end + 1;
	}
	return 0;
}

bool sb_spot_is_plain(const struct sb_tree *tree, uint32_t node)
{
	for (;;) {
		if (!sb_state_is_plain(__atomic_load_n(&tree->state[node], __ATOMIC_ACQUIRE)))
			return false;
		if (node == 0)
			return true;
		node = tree->nodes[node].parent;
	}
}

bool sb_spot_recall(const struct sb_fs *fs, const char *guest, uint32_t len, struct sb_spot *out)
{
	return sb_dircache_find(fs, guest, len, out) &&
	       (!is_live(fs->tree) || out->lower_below || !is_live_dir(guest, len));
}

static int find_live_dir(const struct sb_fs *fs, const char *guest, uint32_t len,
			 struct sb_path *host, struct sb_spot *out)
{
	const uint32_t generation = sb_dircache_generation(fs->tree);
	int err;

	if (sb_spot_recall(fs, guest, len, out))
		return 0;
	err = walk_to_dir(fs, guest, len, host, out);
	if (err == 0)
		sb_dircache_put(fs, guest, len, out, generation);
	return err;
}

int sb_spot_of_dir(const struct sb_fs *fs, const char *guest, uint32_t len, struct sb_path *host,
		   struct sb_spot *out)
{
	const struct sb_tree *tree = fs->tree;
	uint32_t mount = sb_tree_mount_of(tree, guest, len);
	bool touched;

	if (len == 1) {
		spot_of_root(fs, out);
		return 0;
	}
	if (mount != SB_NO_MOUNT) {
		*out = absent;
		out->place = SB_PLACE_MOUNT;
		out->mount = mount;
		out->type = S_IFDIR;
		return 0;
	}
	if (is_live(tree)) {
		if (tree->shared->upper_used != 0)
			return find_live_dir(fs, guest, len, host, out);
		*out = absent;
		out->place = SB_PLACE_LIVE;
		out->type = S_IFDIR;
		out->lower_below = true;
		return 0;
	}
	*out = absent;
	out->node = sb_index_find_path(tree, guest, len);
	if (out->node != SB_NO_NODE && !sb_spot_is_plain(tree, out->node))
		return walk_to_dir(fs, guest, len, host, out);
	if (out->node != SB_NO_NODE && (tree->nodes[out->node].mode & S_IFMT) != S_IFDIR)
		return -ENOTDIR;
	touched = out->node == SB_NO_NODE || tree->state[out->node] >= SB_STATE_MERGED;
	out->place = touched ? SB_PLACE_UPPER : SB_PLACE_LOWER;
	out->type = S_IFDIR;
	out->in_upper = touched;
	out->lower_below = out->node != SB_NO_NODE;
	return 0;
}
