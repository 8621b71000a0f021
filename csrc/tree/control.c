/* SPDX-License-Identifier: MIT */
/*
 * control.c - find the parts of a container's mapped files, and of the index that they name.
 *
 * Rules
 *   The caller maps the files; nothing here makes a system call.
 */
#include "tree/control.h"

#include <errno.h>

#include "base/shared_abi.h"
#include "tree/index.h"
#include "tree/mounts.h"

static bool is_text(const struct sb_control *control, struct sb_text text)
{
	return text.off < control->strings_len && text.len < control->strings_len - text.off &&
	       control->strings[text.off + text.len] == '\0';
}

static bool has_texts(const struct sb_control *control)
{
	return is_text(control, control->store) && is_text(control, control->run) &&
	       is_text(control, control->upper) && is_text(control, control->work) &&
	       is_text(control, control->owners) && is_text(control, control->index) &&
	       is_text(control, control->hostname) && is_text(control, control->net) &&
	       is_text(control, control->net_log);
}

int sb_tree_attach(struct sb_tree *tree, const void *map, uint64_t size)
{
	static const char magic[8] = "SBCTL";
	const struct sb_control *control = map;

	if (size < sizeof(*control) || memcmp(control->magic, magic, sizeof(magic)) != 0 ||
	    control->version != SB_ABI_VERSION)
		return -EINVAL;
	if (control->strings_len > SB_STRINGS_SIZE || !has_texts(control) ||
	    control->mount_count > SB_MAX_MOUNTS || control->text_count > SB_MAX_TEXTS)
		return -EINVAL;
	for (uint32_t i = 0; i < control->mount_count; i++) {
		if (!is_text(control, control->mounts[i].guest) ||
		    !is_text(control, control->mounts[i].host))
			return -EINVAL;
	}
	*tree = (struct sb_tree){.control = control};
	sb_mounts_find_pure(tree);
	return 0;
}

uint64_t sb_tree_shared_size(const struct sb_control *control)
{
	return sb_shared_size(control->node_count);
}

void sb_tree_attach_shared(struct sb_tree *tree, void *map)
{
	tree->shared = map;
	tree->state = tree->shared->state;
}

int sb_tree_attach_index(struct sb_tree *tree, const void *map, uint64_t size)
{
	const struct sb_index *index = map;
	int err = sb_index_check(index, size);

	if (err < 0)
		return err;
	if (index->node_count != tree->control->node_count)
		return -EINVAL;
	tree->index = index;
	tree->nodes = (const struct sb_node *)(const void *)((const char *)map + index->nodes_off);
	tree->strings = (const char *)map + index->strings_off;
	return 0;
}
