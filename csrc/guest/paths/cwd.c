/* SPDX-License-Identifier: MIT */
/*
 * cwd.c - remember the guest path of the working directory.
 */
#include "guest/paths/cwd.h"

#include "tree/mounts.h"

#define PURE_BITS 8
#define COUNT_MASK 0x7fffffffU

static uint64_t sum_of(const struct sb_cwd *cwd, const char *text)
{
	return sb_hash(text, cwd->len) ^ ((uint64_t)cwd->age.moved << 32 | cwd->count) ^
	       (uint64_t)cwd->age.named << 24;
}

struct sb_cwd_mark sb_cwd_mark(const struct sb_call *call)
{
	const struct sb_proc *proc = call->proc;

	return (struct sb_cwd_mark){
		.count = __atomic_load_n(&proc->cwd_count, __ATOMIC_SEQ_CST),
		.quiet = __atomic_load_n(&proc->cwd_changing, __ATOMIC_SEQ_CST) == 0,
		.generation = sb_dircache_generation(call->fs->tree),
	};
}

bool sb_cwd_find(const struct sb_call *call, struct sb_path *out)
{
	const struct sb_proc *proc = call->proc;
	struct sb_cwd_mark now = sb_cwd_mark(call);
	struct sb_cwd cwd;

	cwd.sum = proc->cwd.sum;
	cwd.age = proc->cwd.age;
	cwd.count = proc->cwd.count;
	cwd.len = proc->cwd.len;
	if (cwd.len == 0 || cwd.len >= sizeof(cwd.text) || !now.quiet || proc->cwd_given_up != 0 ||
	    cwd.count != now.count)
		return false;
	memcpy(out->buf, proc->cwd.text, cwd.len);
	out->buf[cwd.len] = '\0';
	out->len = cwd.len;
	return cwd.sum == sum_of(&cwd, out->buf) &&
	       sb_dircache_has_age(call->fs->tree, out->buf, out->len, &cwd.age);
}

uint32_t sb_cwd_pure(const struct sb_call *call, uint64_t *state)
{
	const struct sb_proc *proc = call->proc;
	const uint64_t pure = __atomic_load_n(&proc->cwd_pure, __ATOMIC_SEQ_CST);
	const uint32_t count = __atomic_load_n(&proc->cwd_count, __ATOMIC_SEQ_CST) & COUNT_MASK;

	*state = pure;
	if (pure >> PURE_BITS != count || proc->cwd_given_up != 0 ||
	    __atomic_load_n(&proc->cwd_changing, __ATOMIC_SEQ_CST) != 0) {
		*state = 0;
		return 0;
	}
	return (uint32_t)pure & ((1U << PURE_BITS) - 1);
}

void sb_cwd_learn_pure(struct sb_call *call, const struct sb_cwd_mark *mark, uint32_t pure)
{
	if (mark->quiet && pure < 1U << PURE_BITS)
		__atomic_store_n(&call->proc->cwd_pure,
				 (uint64_t)(mark->count & COUNT_MASK) << PURE_BITS | pure,
				 __ATOMIC_SEQ_CST);
}

void sb_cwd_put(struct sb_call *call, const struct sb_cwd_mark *mark, const char *guest,
		uint32_t len)
{
	struct sb_cwd *cwd = &call->proc->cwd;
	struct sb_dir_age age;

	if (!mark->quiet || len >= sizeof(cwd->text) || call->fs->tree->index == NULL ||
	    sb_tree_mount_of(call->fs->tree, guest, len) != SB_NO_MOUNT ||
	    !sb_dircache_age(call->fs->tree, guest, len, mark->generation, &age))
		return;
	cwd->sum = 0;
	cwd->age = age;
	cwd->count = mark->count;
	cwd->len = len;
	memcpy(cwd->text, guest, len);
	cwd->sum = sum_of(cwd, cwd->text);
}

void sb_cwd_changing(struct sb_call *call)
{
	__atomic_fetch_add(&call->proc->cwd_changing, 1, __ATOMIC_SEQ_CST);
}

void sb_cwd_changed(struct sb_call *call)
{
	__atomic_fetch_add(&call->proc->cwd_count, 1, __ATOMIC_SEQ_CST);
	__atomic_fetch_sub(&call->proc->cwd_changing, 1, __ATOMIC_SEQ_CST);
}

void sb_cwd_give_up(struct sb_proc *proc)
{
	proc->cwd_given_up = 1;
}

void sb_cwd_forked(struct sb_proc *proc)
{
	if (proc->cwd_changing == 0)
		return;
	proc->cwd_changing = 0;
	proc->cwd_count++;
}
