/* SPDX-License-Identifier: MIT */
/*
 * magic_link.c - follow and read the magic links of /proc in guest terms.
 *
 * How it works
 *   The process table knows exe. For cwd, root and fd/N the kernel gives the text of the link; it
 *   becomes a guest path, and the look-up goes on from there. An open file is an ordinary entry if
 *   its name still leads to the same inode (in the guest's view, where a copied-up file is the
 *   same); otherwise it is the object behind the link.
 * Rules
 *   Uses work->found, link_target, guest and host. The rest of the path stays in work->todo until
 *   the next look-up takes it.
 * Does not know
 *   The content of files (calls/proc), how a name is parsed (proc_entry.c).
 */
#include "guest/paths/magic_link.h"

#include <errno.h>

#include "guest/paths/proc_entry.h"
#include "guest/peers/peers.h"
#include "guest/programs.h"
#include "procfs/proc_text.h"
#include "tree/host_path.h"
#include "tree/tasks.h"

#define MAX_LINKS 40

/* ---- what a link means -------------------------------------------------- */

/* The guest may follow the links of those processes of its container whose memory it may read. */
static const struct sb_proc_slot *owner_of(struct sb_call *call, const struct sb_proc_entry *name)
{
	return sb_peer_may_look(call, name->pid) ? sb_proc_slot_of(call, name->pid) : NULL;
}

static bool is_own(const struct sb_call *call, const struct sb_proc_slot *slot)
{
	return slot->pid == call->proc->pid;
}

static int exe_path(struct sb_call *call, const struct sb_proc_slot *slot, struct sb_path *out)
{
	if (is_own(call, slot))
		return sb_path_set(out, call->proc->exe, call->proc->exe_len);
	if (slot->exe_len == 0)
		return -ENOENT;
	if (slot->exe_len > sizeof(slot->exe))
		return -ENAMETOOLONG;
	return sb_path_set(out, slot->exe, slot->exe_len);
}

/* Read the link at->host: what the kernel says, not yet in guest terms. */
static int host_text(const struct sb_at *at, struct sb_path *out)
{
	const long len = sys_readlinkat(AT_FDCWD, at->host.buf, out->buf, SB_PATH_MAX - 1);

	if (len < 0)
		return (int)len;
	out->buf[len] = '\0';
	out->len = (uint32_t)len;
	return 0;
}

/* Find the guest path that a link below /proc/PID leads to. -ENOENT: it leads to an object without
 * one. */
static int link_path(struct sb_call *call, const struct sb_at *at, const struct sb_proc_entry *name,
		     const struct sb_proc_slot *slot, struct sb_path *out)
{
	struct sb_path *host = &call->work->found;
	int err = is_own(call, slot) ? 0 : host_text(at, host);

	if (err < 0) /* it has ended */
		return err;
	if (sb_proc_is_named(name, "exe"))
		return exe_path(call, slot, out);
	if (sb_proc_is_named(name, "root"))
		return is_own(call, slot) ? sb_path_set(out, call->fs->root, call->fs->root_len)
					  : sb_path_set(out, "/", 1);
	err = host_text(at, host);
	if (err < 0)
		return err;
	err = sb_proc_guest_text(call->fs, host->buf, host->len, out);
	if (err < 0)
		return err == -EACCES ? -ENOENT : err;
	/* The text was left as it is, and it is a host path: it is not in the tree. */
	if (out->buf[0] != '/' ||
	    (call->fs->tree->index != NULL && sb_same(out->buf, out->len, host->buf, host->len) &&
	     sb_tree_guest_path(call->fs, host->buf, host->len, out) < 0))
		return -ENOENT;
	return 0;
}

/* ---- objects ------------------------------------------------------------ */

/* Read the stat of the object behind the link at->host. */
static int stat_behind(struct sb_call *call, struct sb_at *at, struct sb_stat *st, uint32_t *node)
{
	int fd = sb_proc_object_fd(call, at);
	int err;
	long temp;

	if (fd >= 0)
		return sb_tree_fstat(call->fs, fd, st, node);
	sb_commit_begin(call->fs);
	temp = sys_openat(AT_FDCWD, at->host.buf, O_PATH | O_CLOEXEC, 0);
	if (temp < 0)
		return (int)temp;
	err = sb_tree_fstat(call->fs, (int)temp, st, node);
	sys_close((int)temp);
	sb_commit_end(call->fs);
	return err;
}

static uint32_t type_of_mode(uint32_t mode)
{
	return mode & S_IFMT;
}

/* Set at to the object behind the link whose host path is link. */
static int object(struct sb_at *at, const struct sb_path *link, const struct sb_path *guest,
		  uint32_t mount, const struct sb_stat *st, uint32_t node)
{
	int err = sb_path_set(&at->host, link->buf, link->len);

	if (err == 0)
		err = sb_path_set(&at->guest, guest->buf, guest->len);
	if (err < 0)
		return err;
	memset(&at->spot, 0, sizeof(at->spot));
	at->spot.place = SB_PLACE_MOUNT;
	at->spot.node = node;
	at->spot.mount = mount;
	at->spot.type = type_of_mode(st->mode);
	at->dir = at->spot;
	at->dir.node = SB_NO_NODE;
	at->dir.type = S_IFDIR;
	at->name = sb_path_name(&at->guest);
	at->slash = false;
	at->dots = false;
	at->has_stat = true;
	at->has_look = false;
	at->st = *st;
	return 0;
}

static bool is_same(const struct sb_at *at, const struct sb_stat *st)
{
	return at->spot.place != SB_PLACE_ABSENT && at->st.ino == st->ino &&
	       at->st.dev == st->dev && type_of_mode(at->st.mode) == type_of_mode(st->mode);
}

/* Look up the entry at a canonical path without following it. Its directory is the base, so
 * permissions above are not checked again; the kernel jumps likewise. */
static int lookup_entry(struct sb_call *call, const struct sb_path *path, unsigned flags,
			struct sb_at *at)
{
	const uint32_t name = sb_path_name(path);

	flags |= SB_SEARCHED;
	if (path->len == 1)
		return sb_tree_lookup(call->fs, "/", 1, ".", flags, at);
	return sb_tree_lookup(call->fs, path->buf, name > 1 ? name - 1 : 1, path->buf + name, flags,
			      at);
}

/* The link at->guest ends the path: find the object behind it. */
static int resolve_end(struct sb_call *call, unsigned flags, const struct sb_proc_entry *name,
		       bool has_path, struct sb_at *at)
{
	struct sb_path *path = &call->work->link_target;
	struct sb_path *link = &call->work->host;
	struct sb_path *guest = &call->work->guest;
	const unsigned keep = (flags & SB_WANT_STAT) | SB_WANT_STAT;
	const uint32_t mount = at->spot.mount;
	struct sb_stat st;
	uint32_t node = SB_NO_NODE;
	int err;

	if (!sb_proc_leads_to_object(name))
		return has_path ? lookup_entry(call, path, (flags & SB_WANT_DIR) | keep, at)
				: -ENOENT;
	err = stat_behind(call, at, &st, &node);
	if (err < 0)
		return err;
	if ((flags & SB_WANT_DIR) != 0 && type_of_mode(st.mode) != S_IFDIR)
		return -ENOTDIR;
	*link = at->host;
	*guest = at->guest;
	if (has_path && lookup_entry(call, path, keep, at) == 0 && is_same(at, &st))
		return 0;
	return object(at, link, guest, mount, &st, node);
}

/* Go on with the text of a symlink of /proc that is no magic link. */
static int resolve_text(struct sb_call *call, unsigned flags, struct sb_at *at)
{
	struct sb_path *text = &call->work->found;
	int err = host_text(at, text);

	if (err == 0)
		err = sb_tasks_show(call->fs->tree, text, 0);
	if (err == 0)
		err = sb_path_add(text, call->work->todo, strlen(call->work->todo));
	if (err < 0)
		return err;
	sb_path_pop(&at->guest);
	return sb_tree_lookup(call->fs, at->guest.buf, at->guest.len, text->buf, flags, at);
}

static int resolve_once(struct sb_call *call, unsigned flags, struct sb_at *at)
{
	struct sb_path *path = &call->work->link_target;
	const char *rest = call->work->todo;
	const struct sb_proc_slot *slot;
	struct sb_proc_entry name;
	struct statx sx;
	int err;

	if (!sb_proc_entry(call->fs, at, &name))
		return -ENOENT;
	if (name.pid == 0)
		return resolve_text(call, flags, at);
	slot = owner_of(call, &name);
	if (slot == NULL)
		return -EACCES;
	err = link_path(call, at, &name, slot, path);
	if (err < 0 && err != -ENOENT)
		return err;
	while (*rest == '/')
		rest++;
	if (*rest == '\0') {
		if (rest != call->work->todo)
			flags |= SB_WANT_DIR;
		return resolve_end(call, flags, &name, err == 0, at);
	}
	if (err < 0)
		return err;
	if (sb_proc_is_named(&name, "exe"))
		return -ENOTDIR;
	err = (int)sys_statx(AT_FDCWD, at->host.buf, 0, STATX_TYPE | STATX_NLINK, &sx);
	if (err < 0)
		return err;
	if ((sx.stx_mode & S_IFMT) != S_IFDIR)
		return -ENOTDIR;
	if (sx.stx_nlink == 0)
		return -ENOENT;
	return sb_tree_lookup(call->fs, path->buf, path->len, rest, flags, at);
}

int sb_magic_link_follow(struct sb_call *call, unsigned flags, struct sb_at *at)
{
	for (unsigned i = 0; i < MAX_LINKS; i++) {
		const int err = resolve_once(call, flags, at);

		if (err != -SB_EMAGIC)
			return err;
	}
	return -ELOOP;
}

/* ---- open, readlink ----------------------------------------------------- */

/* The host may deny an object that another user owns (a terminal, a log) although the guest has it
 * open. Then a copy of the descriptor serves, if it allows as much. */
static long copy_descriptor(const struct sb_call *call, const struct sb_at *at, int flags)
{
	const int fd = sb_proc_object_fd(call, at);
	long have;

	if (fd < 0)
		return -EACCES;
	have = sb_syscall(__NR_fcntl, fd, F_GETFL, 0, 0, 0, 0);
	if (have < 0)
		return have;
	if ((have & O_PATH) != 0 ||
	    ((have & O_ACCMODE) != O_RDWR && (have & O_ACCMODE) != (flags & O_ACCMODE)))
		return -EACCES;
	return sb_syscall(__NR_fcntl, fd, (flags & O_CLOEXEC) != 0 ? F_DUPFD_CLOEXEC : F_DUPFD, 0,
			  0, 0, 0);
}

long sb_magic_link_open(struct sb_call *call, struct sb_at *at, int flags)
{
	const bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0;
	const int host_flags = flags & ~(O_NOFOLLOW | O_CREAT | O_EXCL);
	long ret;

	if (writes && (flags & O_PATH) == 0 && at->spot.node != SB_NO_NODE)
		return -EROFS;
	ret = writes && (flags & O_PATH) == 0 ? sb_program_check(call, at) : 0;
	if (ret < 0)
		return ret;
	ret = sb_guest_block(call, __NR_openat, AT_FDCWD, SB_P(at->host.buf), host_flags, 0, 0, 0);
	if (ret == -EACCES)
		ret = copy_descriptor(call, at, flags);
	return ret;
}

static long copy_out(const char *text, size_t text_len, char *buf, size_t len)
{
	const size_t count = SB_MIN(text_len, len);

	memcpy(buf, text, count);
	return (long)count;
}

/* A process in a chroot sees paths relative to its root. */
static long copy_path(const struct sb_fs *fs, const struct sb_path *path, char *buf, size_t len)
{
	if (fs->root_len > 1 && sb_path_within(path->buf, path->len, fs->root, fs->root_len)) {
		if (path->len == fs->root_len)
			return copy_out("/", 1, buf, len);
		return copy_out(path->buf + fs->root_len, path->len - fs->root_len, buf, len);
	}
	return copy_out(path->buf, path->len, buf, len);
}

/* Was the file moved into the work directory and removed there, where a whiteout replaced it? Then
 * its name is lost. */
static bool is_removed_in_work(const struct sb_tree *tree, const struct sb_path *host)
{
	const struct sb_control *control = tree->control;

	return sb_path_within(host->buf, host->len, sb_text_at(control, control->work),
			      control->work.len);
}

/* Write "/#NUMBER (deleted)", as the kernel shows a file that never had a name. */
static long copy_nameless(struct sb_path *host, char *buf, size_t len)
{
	uint32_t from = host->len;

	while (from > 0 && host->buf[from - 1] != '/')
		from--;
	memcpy(host->buf + from - 2, "/#", 2);
	return copy_out(host->buf + from - 2, host->len - from + 2, buf, len);
}

long sb_magic_link_read(struct sb_call *call, struct sb_at *at, char *buf, size_t len)
{
	struct sb_path *host = &call->work->found;
	struct sb_path *path = &call->work->link_target;
	const struct sb_proc_slot *slot;
	struct sb_proc_entry name;
	int err;

	if (!sb_proc_entry(call->fs, at, &name) || at->spot.type != S_IFLNK)
		return -SB_EMAGIC;
	if (name.pid != 0) {
		slot = owner_of(call, &name);
		if (slot == NULL)
			return -EACCES;
		if (sb_proc_is_named(&name, "exe") || sb_proc_is_named(&name, "root")) {
			err = link_path(call, at, &name, slot, path);
			return err < 0 ? err : copy_path(call->fs, path, buf, len);
		}
	}
	err = host_text(at, host);
	if (err < 0)
		return err;
	if (name.pid == 0)
		err = sb_tasks_show(call->fs->tree, host, 0);
	if (err < 0)
		return err;
	if (name.pid == 0 || host->buf[0] != '/')
		return copy_out(host->buf, host->len, buf, len);
	if (is_removed_in_work(call->fs->tree, host))
		return copy_nameless(host, buf, len);
	err = sb_proc_guest_text(call->fs, host->buf, host->len, path);
	return err < 0 ? err : copy_path(call->fs, path, buf, len);
}
