/* SPDX-License-Identifier: MIT */
/*
 * dirlist.c - list a merged directory in portions, for getdents64.
 *
 * How it works
 *   A reader goes through up to three sources: the upper directory, the lower (index, live
 *   directory or mount), the mount points. The lower reports each name that it has, even when the
 *   container replaced the entry: so a copy-up between two portions neither repeats nor loses a
 *   name. The position is the descriptor's own file offset, so dup, fork, lseek, rewinddir and
 *   seekdir work without help. A directory that one host directory lists completely (an upper
 *   directory without a lower part, a mount, a live lower) has the native positions of that one.
 *   Any other has positions of its own, even while the container changes it:
 *     0 <= pos < 1<<62   names that only the upper has: the upper's native position
 *     1<<62 | x          names that the lower has, whatever became of them: x is the
 *                        ordinal (two dots first), or the native position in a live lower
 *     3<<61 | k          mount points in this directory
 *   Native positions of 63 bits (ext4 hashes) lose their last bits, which only tell names of
 *   equal hash apart. An entry that exists all the time is reported exactly once.
 * Rules
 *   Signal-safe. A directory opened here is closed before the return, inside a commit section.
 */
#include <errno.h>
#include <linux/stat.h>

#include "base/dirent.h"
#include "base/stat.h"
#include "tree/host_path.h"
#include "tree/index.h"
#include "tree/owner.h"
#include "tree/tasks.h"
#include "tree/whiteout.h"
#include "view/terminals.h"
#include "view/view.h"

#define HALF (sizeof(((struct sb_work *)0)->buffer) / 2)
#define HEAD offsetof(struct sb_dirent, name)

enum source { UPPER, LOWER };

struct reader {
	struct sb_fs *fs;
	struct sb_at *dir;
	int fd;
	bool raw;      /* positions are the native ones of fd */
	unsigned bits; /* sb_dirlist_bits() */
	bool fd_upper; /* fd is the upper directory */
	bool full;
	char *buf;
	size_t len;
	size_t used;
	int64_t pos;
};

/* ---- positions ----------------------------------------------------------- */

/* Make a native position fit into bits bits: a small one stays as it is, a hash loses its last
 * bits. */
static int64_t squeeze(int64_t native, unsigned bits)
{
	int64_t half = (int64_t)1 << (bits - 1);

	return native < half ? native : half | (native >> (64 - bits));
}

static int64_t stretch(int64_t pos, unsigned bits)
{
	int64_t half = (int64_t)1 << (bits - 1);

	return pos < half ? pos : (pos ^ half) << (64 - bits);
}

/* Where the lower source begins; below, where the mounts do. */
static int64_t lower_pos(const struct reader *r)
{
	return (int64_t)1 << r->bits;
}

static int64_t mount_pos(const struct reader *r)
{
	return (int64_t)3 << (r->bits - 1);
}

/* Does a 32-bit program read? Then positions have 31 bits, even when one host directory lists
 * the directory. */
static bool is_narrow(const struct reader *r)
{
	return r->fs->narrow_positions != 0;
}

static int64_t encode(const struct reader *r, enum source source, int64_t native)
{
	if (r->raw)
		return is_narrow(r) ? squeeze(native, SB_DIRLIST_NARROW + 2) : native;
	return source == UPPER ? squeeze(native, r->bits)
			       : lower_pos(r) | squeeze(native, r->bits - 1);
}

/* ---- mounts -------------------------------------------------------------- */

/* Offset of a mount's name, if the mount is an entry of this directory; else 0. */
static uint32_t name_of_mount(const struct sb_tree *tree, uint32_t number,
			      const struct sb_path *dir)
{
	const struct sb_control *control = tree->control;
	const struct sb_mount *mount = &control->mounts[number];
	const char *guest = sb_text_at(control, mount->guest);
	uint32_t name = dir->len == 1 ? 1 : dir->len + 1;

	if (mount->guest.len <= name ||
	    !sb_path_within(guest, mount->guest.len, dir->buf, dir->len))
		return 0;
	for (uint32_t i = name; i < mount->guest.len; i++) {
		if (guest[i] == '/')
			return 0;
	}
	return name;
}

static bool is_mount_name(const struct reader *r, const char *name, size_t len)
{
	const struct sb_control *control = r->fs->tree->control;

	for (uint32_t i = 0; i < control->mount_count; i++) {
		uint32_t at = name_of_mount(r->fs->tree, i, &r->dir->guest);

		if (at != 0 && sb_same(sb_text_at(control, control->mounts[i].guest) + at,
				       control->mounts[i].guest.len - at, name, len))
			return true;
	}
	return false;
}

static bool has_mounts(const struct sb_tree *tree, const struct sb_path *dir)
{
	for (uint32_t i = 0; i < tree->control->mount_count; i++) {
		if (name_of_mount(tree, i, dir) != 0)
			return true;
	}
	return false;
}

/* Does a single host directory list the lower part of this directory? */
static bool is_native_lower(const struct sb_tree *tree, const struct sb_at *dir)
{
	return dir->spot.mount != SB_NO_MOUNT || !tree->index;
}

bool sb_dirlist_is_native(struct sb_fs *fs, const struct sb_at *dir)
{
	return dir->spot.place != SB_PLACE_UPPER && dir->spot.place != SB_PLACE_ABSENT &&
	       is_native_lower(fs->tree, dir) && !has_mounts(fs->tree, &dir->guest) &&
	       !sb_tasks_lists(fs->tree, &dir->spot, &dir->guest);
}

/* ---- output -------------------------------------------------------------- */

/* Add one entry; next is the position after it. False when there is no room. */
static bool emit(struct reader *r, const char *name, size_t name_len, uint64_t ino, uint32_t type,
		 int64_t next)
{
	size_t size = (HEAD + name_len + 1 + 7) & ~(size_t)7;
	struct sb_dirent head = {.ino = ino, .off = next, .reclen = (uint16_t)size};

	if (r->used + size > r->len) {
		r->full = true;
		return false;
	}
	head.type = (unsigned char)(type >> 12);
	memset(r->buf + r->used, 0, size);
	memcpy(r->buf + r->used, &head, HEAD);
	memcpy(r->buf + r->used + HEAD, name, name_len);
	r->used += size;
	r->pos = next;
	return true;
}

/* Add "." or "..". */
static bool emit_dots(struct reader *r, const char *name, int64_t next)
{
	struct sb_at *dir = r->dir;
	struct sb_stat st;
	bool up = name[1] == '.';
	int err;

	if (up && dir->guest.len > 1) {
		err = sb_tree_stat_parent(r->fs, dir, &st);
	} else {
		err = dir->has_stat ? 0 : sb_tree_stat(r->fs, dir);
		st = dir->st;
	}
	return emit(r, name, up ? 2 : 1, err < 0 ? 1 : st.ino, S_IFDIR, next);
}

/* Ask the upper directory about a name: 1 and the entry's stat, 0 for nothing, -ENOENT for a
 * whiteout. Uses work->upper. */
static int ask_upper(struct reader *r, const char *name, size_t len, struct sb_stat *st)
{
	struct sb_path *host = &r->fs->work->upper;
	struct statx sx;
	int err = sb_tree_upper_path(r->fs, r->dir->guest.buf, r->dir->guest.len, host);

	if (err == 0)
		err = sb_path_join(host, name, len);
	if (err == 0)
		err = sb_host_stat(host->buf, &sx);
	if (err < 0)
		return 0;
	if ((sx.stx_mode & S_IFMT) == S_IFLNK && sb_is_whiteout(r->fs->tree, AT_FDCWD, host->buf))
		return -ENOENT;
	sb_tree_virtual_stat(r->fs, &sx, SB_NO_MOUNT, st);
	return 1;
}

/* Add an entry of the lower; ino and type are what the lower says. False when there is no room. */
static bool emit_lower(struct reader *r, const char *name, size_t len, uint64_t ino, uint32_t type,
		       unsigned state, int64_t next)
{
	struct sb_stat st;
	int found = 0;

	if (r->dir->spot.in_upper && state == SB_STATE_ASK)
		found = ask_upper(r, name, len, &st);
	if (found < 0) {
		r->pos = next;
		return true;
	}
	return emit(r, name, len, found == 1 ? st.ino : ino, found == 1 ? st.mode & S_IFMT : type,
		    next);
}

/* ---- native sources ------------------------------------------------------ */

/* Has the lower part of this directory the name? */
static bool in_lower(struct reader *r, const char *name, size_t len)
{
	const struct sb_tree *tree = r->fs->tree;
	struct sb_path *host = &r->fs->work->host;
	struct statx sx;

	if (!r->dir->spot.lower_below)
		return false;
	if (tree->index)
		return sb_index_find_child(tree, r->dir->spot.node, name, len) != SB_NO_NODE;
	return sb_path_set(host, r->dir->guest.buf, r->dir->guest.len) == 0 &&
	       sb_path_join(host, name, len) == 0 && sb_host_stat(host->buf, &sx) == 0;
}

static bool emit_upper_entry(struct reader *r, int src, const struct sb_dirent *entry, int64_t next)
{
	const struct sb_tree *tree = r->fs->tree;
	const char *name = entry->name;
	size_t len = strlen(name);
	uint64_t ino = entry->ino;
	uint32_t type = (uint32_t)entry->type << 12;
	struct sb_stat st;
	struct statx sx;

	if (sb_is_dots(name))
		return emit_dots(r, name, next);
	if (sb_same(name, len, tree->control->opaque, strlen(tree->control->opaque)) ||
	    ((type == S_IFLNK || type == 0) && sb_is_whiteout(tree, src, name)) ||
	    (!r->raw && (in_lower(r, name, len) || is_mount_name(r, name, len)))) {
		r->pos = next;
		return true;
	}
	if ((type == 0 || sb_owner_maybe_other(tree, 0, ino)) &&
	    sys_statx(src, name, AT_SYMLINK_NOFOLLOW, SB_STATX_MASK, &sx) == 0) {
		sb_tree_virtual_stat(r->fs, &sx, SB_NO_MOUNT, &st);
		ino = st.ino;
		type = st.mode & S_IFMT;
	}
	return emit(r, name, len, ino, type, next);
}

/* Add an entry of a directory that lists tasks. */
static bool emit_task(struct reader *r, const struct sb_dirent *entry, int64_t next)
{
	char room[12];
	const char *name = sb_tasks_entry(r->fs->tree, entry->name, room);

	if (sb_is_dots(entry->name))
		return emit_dots(r, entry->name, next);
	if (name == NULL || (!r->raw && is_mount_name(r, name, strlen(name)))) {
		r->pos = next;
		return true;
	}
	return emit(r, name, strlen(name), entry->ino, (uint32_t)entry->type << 12, next);
}

/* The directory has the terminals of all containers and those of the user. */
static bool is_foreign_terminal(const struct reader *r, const char *name, size_t len)
{
	const uint32_t mount = r->dir->spot.mount;
	uint32_t number;

	if (mount == SB_NO_MOUNT || r->fs->tree->control->mounts[mount].kind != SB_MOUNT_TERMINALS)
		return false;
	return !sb_terminal_number(name, len, &number) || !sb_terminal_is_own(r->fs, number);
}

static bool emit_lower_entry(struct reader *r, const struct sb_dirent *entry, int64_t next)
{
	const struct sb_tree *tree = r->fs->tree;
	const struct sb_spot *spot = &r->dir->spot;
	const char *name = entry->name;
	size_t len = strlen(name);
	uint64_t ino = entry->ino;
	uint32_t type = (uint32_t)entry->type << 12;
	unsigned state = spot->in_upper ? SB_STATE_ASK : SB_STATE_UNTOUCHED;

	if (sb_tasks_lists(tree, spot, &r->dir->guest))
		return emit_task(r, entry, next);
	if (sb_is_dots(name) && (r->raw || !spot->in_upper))
		return emit_dots(r, name, next);
	if (sb_is_dots(name) || (!r->raw && is_mount_name(r, name, len)) ||
	    is_foreign_terminal(r, name, len)) {
		r->pos = next;
		return true;
	}
	if (tree->index && spot->mount == SB_NO_MOUNT) {
		uint32_t child = sb_index_find_child(tree, spot->node, name, len);

		if (child == SB_NO_NODE) {
			r->pos = next;
			return true;
		}
		ino = tree->nodes[child].ino;
		type = tree->nodes[child].mode & S_IFMT;
		state = __atomic_load_n(&tree->state[child], __ATOMIC_ACQUIRE);
	}
	return emit_lower(r, name, len, ino, type, state, next);
}

/* Add the entries of the host directory src from its native position on. */
static int read_native(struct reader *r, int src, enum source source, int64_t native)
{
	char *buf = r->fs->work->buffer + HALF;
	long len = sys_lseek(src, native, SEEK_SET);

	if (len < 0)
		return (int)len;
	while (!r->full && (len = sys_getdents64(src, buf, HALF)) > 0) {
		for (long at = 0; at < len && !r->full;) {
			const struct sb_dirent *entry = (const void *)(buf + at);
			int64_t next = encode(r, source, entry->off);

			at += entry->reclen;
			if (source == UPPER)
				emit_upper_entry(r, src, entry, next);
			else
				emit_lower_entry(r, entry, next);
		}
	}
	return len < 0 ? (int)len : 0;
}

static int read_other(struct reader *r, const char *host, enum source source, int64_t native)
{
	int src;
	int err;

	sb_commit_begin(r->fs);
	src = (int)sys_openat(AT_FDCWD, host, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	err = src;
	if (src >= 0) {
		err = read_native(r, src, source, native);
		sys_close(src);
	}
	sb_commit_end(r->fs);
	/* EACCES: see step_in_live() in spot.c. */
	return err == -ENOENT || err == -EACCES ? 0 : err;
}

/* ---- the three phases ---------------------------------------------------- */

static int read_upper(struct reader *r)
{
	struct sb_path *host = &r->fs->work->upper;
	int64_t native = stretch(r->pos, r->bits);
	int err;

	if (r->fd_upper)
		return read_native(r, r->fd, UPPER, native);
	err = sb_tree_upper_path(r->fs, r->dir->guest.buf, r->dir->guest.len, host);
	return err < 0 ? err : read_other(r, host->buf, UPPER, native);
}

/* Add the children of an index node, by ordinal. */
static void read_nodes(struct reader *r)
{
	const struct sb_tree *tree = r->fs->tree;
	const struct sb_node *dir = &tree->nodes[r->dir->spot.node];

	for (int64_t x = r->pos & ~lower_pos(r); x < (int64_t)dir->child_count + 2; x++) {
		int64_t next = lower_pos(r) | (x + 1);
		const struct sb_node *node;
		const char *name;
		unsigned state;

		if (x < 2) {
			if (!emit_dots(r, x == 0 ? "." : "..", next))
				return;
			continue;
		}
		node = &tree->nodes[dir->child_first + (uint32_t)x - 2];
		name = tree->strings + node->name_off;
		state = __atomic_load_n(&tree->state[node - tree->nodes], __ATOMIC_ACQUIRE);
		if (is_mount_name(r, name, node->name_len))
			r->pos = next;
		else if (!emit_lower(r, name, node->name_len, node->ino, node->mode & S_IFMT, state,
				     next))
			return;
	}
}

static int read_lower(struct reader *r)
{
	const struct sb_spot *spot = &r->dir->spot;
	int64_t native = stretch(r->pos & ~lower_pos(r), r->bits - 1);

	if (spot->mount == SB_NO_MOUNT && !spot->lower_below)
		return 0;
	if (spot->mount == SB_NO_MOUNT && r->fs->tree->index) {
		read_nodes(r);
		return 0;
	}
	if (!r->fd_upper)
		return read_native(r, r->fd, LOWER, native);
	return read_other(r, r->dir->guest.buf, LOWER, native);
}

static void read_mounts(struct reader *r)
{
	const struct sb_control *control = r->fs->tree->control;

	for (uint32_t i = (uint32_t)(r->pos & (lower_pos(r) / 2 - 1)); i < control->mount_count;
	     i++) {
		const struct sb_mount *mount = &control->mounts[i];
		uint32_t at = name_of_mount(r->fs->tree, i, &r->dir->guest);
		struct sb_path *host = &r->fs->work->host;
		struct sb_spot spot = {.place = SB_PLACE_MOUNT, .node = SB_NO_NODE, .mount = i};
		struct sb_stat st;

		r->pos = mount_pos(r) | i;
		if (at == 0 ||
		    sb_path_set(host, sb_text_at(control, mount->host), mount->host.len) < 0)
			continue;
		if (mount->kind == SB_MOUNT_LINK)
			spot.place = SB_PLACE_LINK;
		if (sb_spot_stat(r->fs, &spot, host, NULL, &st) == 0 &&
		    !emit(r, sb_text_at(control, mount->guest) + at, mount->guest.len - at, st.ino,
			  st.mode & S_IFMT, mount_pos(r) | (i + 1)))
			return;
	}
}

static int read_phases(struct reader *r)
{
	int err = 0;

	if (r->pos < lower_pos(r)) {
		int64_t start = r->pos;

		if (r->dir->spot.in_upper)
			err = read_upper(r);
		if (err < 0 || r->full)
			return err;
		/* The upper part has reported the dots. */
		r->pos = lower_pos(r);
		if (r->fs->tree->index && (r->dir->spot.in_upper || start != 0) &&
		    r->dir->spot.mount == SB_NO_MOUNT)
			r->pos = lower_pos(r) | 2;
	}
	if (r->pos < mount_pos(r)) {
		err = read_lower(r);
		if (err < 0 || r->full)
			return err;
		r->pos = mount_pos(r);
	}
	read_mounts(r);
	return 0;
}

long sb_dirlist_read(struct sb_fs *fs, int fd, struct sb_at *dir, char *buf, size_t len)
{
	bool mounts = has_mounts(fs->tree, &dir->guest);
	struct reader r = {.fs = fs, .dir = dir, .fd = fd, .buf = buf, .len = len};
	long err = 0;

	r.bits = sb_dirlist_bits(fs);
	r.pos = sys_lseek(fd, 0, SEEK_CUR);
	if (r.pos < 0)
		return r.pos;
	sb_commit_begin(fs); /* the position moves */
	r.fd_upper = dir->spot.in_upper && sb_upper_owns_fd(fs, fd);
	if (!mounts)
		r.raw = r.fd_upper ? !dir->spot.lower_below : is_native_lower(fs->tree, dir);
	if (r.raw)
		err = read_native(&r, fd, r.fd_upper ? UPPER : LOWER,
				  is_narrow(&r) ? stretch(r.pos, SB_DIRLIST_NARROW + 2) : r.pos);
	else
		err = read_phases(&r);
	if (err < 0 && r.used == 0)
		return err;
	err = sys_lseek(fd, r.pos, SEEK_SET);
	if (err < 0)
		return err;
	return r.used == 0 && r.full ? -EINVAL : (long)r.used;
}

const char *sb_dirlist_reopen(struct sb_fs *fs, int fd, const struct sb_at *dir)
{
	struct sb_path *host = &fs->work->upper;

	if (!dir->spot.in_upper || sys_lseek(fd, 0, SEEK_CUR) != 0 || sb_upper_owns_fd(fs, fd) ||
	    sb_tree_upper_path(fs, dir->guest.buf, dir->guest.len, host) < 0)
		return NULL;
	return host->buf;
}
