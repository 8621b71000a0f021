/* SPDX-License-Identifier: MIT */
/*
 * on_mmap.c - mmap of program text.
 *
 * Only executable mappings come here (seccomp_filter.c). Of a layer file with a rewritten copy in
 * the store, the copy is mapped.
 */
#include <linux/mman.h>

#include "guest/handlers.h"
#include "tree/rewritten.h"

static const struct sb_patched_text *copy_of(struct sb_call *call)
{
	const struct sb_tree *tree = call->fs->tree;
	struct sb_stat st;
	uint32_t node;

	if (tree->control->text_count == 0 || !(sb_arg(call, 2) & PROT_EXEC) ||
	    (sb_arg(call, 3) & MAP_ANONYMOUS) || (sb_arg(call, 3) & MAP_TYPE) != MAP_PRIVATE ||
	    (sb_arg(call, 2) & PROT_WRITE))
		return NULL;
	if (sb_tree_fstat(call->fs, (int)sb_arg(call, 4), &st, &node) < 0 || node == SB_NO_NODE)
		return NULL;
	return sb_rewritten_of_node(tree, node);
}

long on_mmap(struct sb_call *call)
{
	const struct sb_patched_text *copy = copy_of(call);
	const struct sb_control *control = call->fs->tree->control;
	long fd = -1;
	long ret;

	if (copy) {
		sb_commit_begin(call->fs);
		fd = sys_openat(AT_FDCWD, sb_text_at(control, copy->host), O_RDONLY | O_CLOEXEC, 0);
	}
	if (fd < 0) /* there is no copy, or the store has lost it meanwhile */
		return sb_guest_pass(call, __NR_mmap);
	ret = sb_guest_block(call, __NR_mmap, (long)sb_arg(call, 0), (long)sb_arg(call, 1),
			     (long)sb_arg(call, 2), (long)sb_arg(call, 3), fd,
			     (long)sb_arg(call, 5));
	sys_close((int)fd);
	return ret;
}
