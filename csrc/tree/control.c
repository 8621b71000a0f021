/* SPDX-License-Identifier: MIT */
/*
 * control.c - find the parts of a mapped control file, and of the index that it names.
 *
 * Rules
 *   The caller maps the files; nothing here makes a system call.
 */
#include "tree/control.h"

#include <errno.h>

#include "tree/index.h"

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

static bool has_room(const struct sb_control *control, uint64_t off, uint64_t count, uint64_t each)
{
	return off % 8 == 0 && off <= control->size && count <= (control->size - off) / each;
}

int sb_tree_attach(struct sb_tree *tree, void *map, uint64_t size)
{
	static const char magic[8] = "SBCTL";
	struct sb_control *control = map;

	if (size < sizeof(*control) || memcmp(control->magic, magic, sizeof(magic)) != 0 ||
	    control->version != SB_ABI_VERSION || control->size != size)
		return -EINVAL;
	if (control->strings_len > SB_STRINGS_SIZE || !has_texts(control) ||
	    control->mount_count > SB_MAX_MOUNTS ||
	    !has_room(control, control->state_off, control->node_count, 1) ||
	    !has_room(control, control->procs_off, SB_PROC_SLOTS, sizeof(struct sb_proc_slot)) ||
	    !has_room(control, control->mailboxes_off, SB_MAX_MAILBOXES,
		      sizeof(struct sb_mailbox)) ||
	    !has_room(control, control->entries_off, SB_MAX_ENTRIES, sizeof(struct sb_entry)) ||
	    !has_room(control, control->pids_off, SB_MAX_PIDS, sizeof(uint64_t)))
		return -EINVAL;
	for (uint32_t i = 0; i < control->mount_count; i++) {
		if (!is_text(control, control->mounts[i].guest) ||
		    !is_text(control, control->mounts[i].host))
			return -EINVAL;
	}
	*tree = (struct sb_tree){
		.control = control,
		.state = (unsigned char *)map + control->state_off,
	};
	return 0;
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
