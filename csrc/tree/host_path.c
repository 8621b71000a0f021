/* SPDX-License-Identifier: MIT */
/*
 * host_path.c - host paths of the tree's files, and the way back from a host path.
 *
 * How it works
 *   The kernel names an open file or the working directory by its host path. Each part of the
 *   tree has a prefix on the host, and cutting it off gives the guest path: the upper and the
 *   layers begin at the root, a mount at its guest path. Where two mounts fit, the longer host
 *   path decides.
 * Rules
 *   Signal-safe. The host paths of the control file have no symlinks in them, as the kernel's
 *   have none.
 */
#include "tree/host_path.h"

#include <errno.h>

#include "base/stat.h"
#include "tree/index.h"
#include "tree/rewritten.h"
#include "tree/tasks.h"

int sb_tree_upper_path(const struct sb_fs *fs, const char *guest, size_t len, struct sb_path *out)
{
	const struct sb_control *control = fs->tree->control;
	uint32_t prefix = control->upper.len;

	if (len == 1)
		len = 0;
	if (prefix + len >= SB_PATH_MAX)
		return -ENAMETOOLONG;
	memmove(out->buf + prefix, guest, len);
	memcpy(out->buf, sb_text_at(control, control->upper), prefix);
	out->len = prefix + (uint32_t)len;
	out->buf[out->len] = '\0';
	return 0;
}

/* Put the rest of host behind prefix below guest. */
static int rebase(const char *host, size_t len, size_t prefix, const char *guest, size_t guest_len,
		  struct sb_path *out)
{
	size_t rest = len - prefix;

	if (guest_len == 1 && rest > 0)
		guest_len = 0;
	if (guest_len + rest >= SB_PATH_MAX)
		return -ENAMETOOLONG;
	memmove(out->buf + guest_len, host + prefix, rest);
	memcpy(out->buf, guest, guest_len);
	out->len = (uint32_t)(guest_len + rest);
	out->buf[out->len] = '\0';
	return 0;
}

static int strip_layer(const struct sb_tree *tree, const char *host, size_t len,
		       struct sb_path *out)
{
	const struct sb_control *control = tree->control;
	const char *store = sb_text_at(control, control->store);
	size_t prefix = (size_t)control->store.len + 1;
	const struct sb_text *layers;

	if (tree->index == NULL || len <= prefix ||
	    !sb_path_within(host, len, store, control->store.len))
		return -ENOENT;
	layers = sb_index_layers(tree);
	for (uint32_t i = 0; i < tree->index->layer_count; i++) {
		const char *name = tree->strings + layers[i].off;

		if (sb_path_within(host + prefix, len - prefix, name, layers[i].len))
			return rebase(host, len, prefix + layers[i].len, "/", 1, out);
	}
	return -ENOENT;
}

static int strip_mount(const struct sb_tree *tree, const char *host, size_t len,
		       struct sb_path *out)
{
	const struct sb_control *control = tree->control;
	const struct sb_mount *best = NULL;
	int err;

	for (uint32_t i = 0; i < control->mount_count; i++) {
		const struct sb_mount *m = &control->mounts[i];

		if (m->kind != SB_MOUNT_LINK && (best == NULL || m->host.len > best->host.len) &&
		    sb_path_within(host, len, sb_text_at(control, m->host), m->host.len))
			best = m;
	}
	if (best == NULL)
		return -ENOENT;
	err = rebase(host, len, best->host.len == 1 ? 0 : best->host.len,
		     sb_text_at(control, best->guest), best->guest.len, out);
	if (err == 0 && best->kind == SB_MOUNT_PROC && out->len > best->guest.len + 1)
		err = sb_tasks_show(tree, out, best->guest.len + 1);
	return err;
}

int sb_tree_guest_path(const struct sb_fs *fs, const char *host, size_t len, struct sb_path *out)
{
	const struct sb_tree *tree = fs->tree;
	const struct sb_control *control = tree->control;
	const char *upper = sb_text_at(control, control->upper);
	const struct sb_patched_text *copy;
	int err;

	if (len == 0 || host[0] != '/')
		return -ENOENT;
	if (sb_path_within(host, len, upper, control->upper.len))
		return rebase(host, len, control->upper.len, "/", 1, out);
	copy = sb_rewritten_of_host(tree, host, len);
	if (copy != NULL)
		return sb_index_guest_path(tree, copy->node, out);
	err = strip_layer(tree, host, len, out);
	if (err == -ENOENT)
		err = strip_mount(tree, host, len, out);
	if (err == -ENOENT && tree->index == NULL)
		err = sb_path_set(out, host, len);
	return err;
}

bool sb_find_stand_in(const struct sb_tree *tree, const char *guest, struct sb_path *host,
		      struct statx *sx)
{
	static const char folder[] = "/stand-ins";
	const struct sb_control *control = tree->control;

	return sb_path_set(host, sb_text_at(control, control->run), control->run.len) == 0 &&
	       sb_path_add(host, folder, sizeof(folder) - 1) == 0 &&
	       sb_path_add(host, guest, strlen(guest)) == 0 && sb_host_stat(host->buf, sx) == 0;
}

/* ---- descriptors -------------------------------------------------------- */

void sb_fd_name(int fd, char out[32])
{
	static const char prefix[] = "/proc/self/fd/";
	size_t at = sizeof(prefix) - 1;
	unsigned number = (unsigned)fd;
	unsigned unit = 1;

	memcpy(out, prefix, sizeof(prefix));
	while (number / unit >= 10)
		unit *= 10;
	for (; unit != 0; unit /= 10)
		out[at++] = (char)('0' + number / unit % 10);
	out[at] = '\0';
}

int sb_fd_path(int fd, struct sb_path *out)
{
	char name[32];
	long len;

	sb_fd_name(fd, name);
	len = sys_readlinkat(AT_FDCWD, name, out->buf, sizeof(out->buf) - 1);
	if (len < 0)
		return (int)len;
	out->len = (uint32_t)len;
	out->buf[len] = '\0';
	return 0;
}

bool sb_upper_owns_fd(const struct sb_fs *fs, int fd)
{
	const struct sb_control *control = fs->tree->control;
	struct sb_path *host = &fs->work->host;

	if (sb_fd_path(fd, host) < 0)
		return false;
	return sb_path_within(host->buf, host->len, sb_text_at(control, control->upper),
			      control->upper.len) ||
	       sb_path_within(host->buf, host->len, sb_text_at(control, control->work),
			      control->work.len);
}
