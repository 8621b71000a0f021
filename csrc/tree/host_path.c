/* SPDX-License-Identifier: MIT */
/*
 * host_path.c - host paths of the upper, and the way back from a host path.
 *
 * How it works
 *   The kernel names an open file or the working directory by its host path.
 *   Cutting off the prefix that a part of the tree has on the host gives the
 *   guest path: the upper and the layers begin at the root, a mount at its
 *   place. Of two mounts the one with the longer host path is meant.
 * Rules
 *   Pure: strings only, no system call. The host paths of the control file
 *   have no symlinks in them, as the kernel's have none.
 */
#include <errno.h>

#include "base/mem.h"
#include "tree/rewritten.h"
#include "tree/tree.h"

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

/* The rest of host below prefix becomes a guest path below guest. */
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
	layers = (const struct sb_text *)(const void *)((const char *)tree->index +
							tree->index->layers_off);
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

	for (uint32_t i = 0; i < control->mount_count; i++) {
		const struct sb_mount *m = &control->mounts[i];

		if (m->kind != SB_MOUNT_LINK && (best == NULL || m->host.len > best->host.len) &&
		    sb_path_within(host, len, sb_text_at(control, m->host), m->host.len))
			best = m;
	}
	if (best == NULL)
		return -ENOENT;
	return rebase(host, len, best->host.len == 1 ? 0 : best->host.len,
		      sb_text_at(control, best->guest), best->guest.len, out);
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
	copy = sb_text_of_host(tree, host, len);
	if (copy != NULL)
		return sb_index_guest_path(tree, copy->node, out);
	err = strip_layer(tree, host, len, out);
	if (err == -ENOENT)
		err = strip_mount(tree, host, len, out);
	if (err == -ENOENT && tree->index == NULL)
		err = sb_path_set(out, host, len);
	return err;
}
