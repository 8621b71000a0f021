/* SPDX-License-Identifier: MIT */
/*
 * on_map.c - mmap of program text.
 *
 * Level 3. Only executable mappings come here (trap.c); of a layer file with a
 * rewritten copy in the store, the copy is mapped.
 */
#include <linux/mman.h>

#include "calls/dispatch.h"
#include "tree/rewritten.h"

static long map(struct sb_call *call, int fd)
{
	const struct sb_regs *r = call->regs;

	return sb_guest_block(call, __NR_mmap, (long)r->rdi, (long)r->rsi, (int)r->rdx, (int)r->r10,
			      fd, (long)r->r9);
}

static const struct sb_patched_text *copy_of(struct sb_call *call)
{
	const struct sb_tree *tree = call->fs->tree;
	const struct sb_regs *r = call->regs;
	struct sb_stat st;
	uint32_t node;

	if (tree->control->text_count == 0 || !(r->rdx & PROT_EXEC) || (r->r10 & MAP_ANONYMOUS) ||
	    (r->r10 & MAP_TYPE) != MAP_PRIVATE || (r->rdx & PROT_WRITE))
		return NULL;
	if (sb_tree_fstat(call->fs, (int)r->r8, &st, &node) < 0 || node == SB_NO_NODE)
		return NULL;
	return sb_rewritten_of_node(tree, node);
}

long on_mmap(struct sb_call *call)
{
	const struct sb_patched_text *copy = copy_of(call);
	const struct sb_control *control = call->fs->tree->control;
	long fd;
	long ret;

	if (!copy)
		return map(call, (int)call->regs->r8);
	sb_commit_begin(call->fs);
	fd = sys_openat(AT_FDCWD, sb_text_at(control, copy->host), O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0) /* removed from the store meanwhile */
		return map(call, (int)call->regs->r8);
	ret = map(call, (int)fd);
	sys_close((int)fd);
	return ret;
}
