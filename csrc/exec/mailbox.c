/* SPDX-License-Identifier: MIT */
/*
 * mailbox.c - what execve leaves for the new program, in the shared file.
 */
#include "exec/mailbox.h"

#include <errno.h>

#define CLAIM_ROUNDS 2000

static struct sb_mailbox *mailbox_at(const struct sb_proc *proc, uint32_t i)
{
	return &proc->tree.shared->mailboxes[i % SB_MAX_MAILBOXES];
}

/* A mailbox whose process has ended is free. */
static struct sb_mailbox *claim(const struct sb_proc *proc)
{
	uint32_t pid = proc->pid;

	for (int round = 0; round < CLAIM_ROUNDS; round++) {
		for (uint32_t i = 0; i < SB_MAX_MAILBOXES; i++) {
			struct sb_mailbox *box = mailbox_at(proc, pid + i);
			uint32_t owner = __atomic_load_n(&box->owner, __ATOMIC_ACQUIRE);

			if (owner && owner != pid && sys_kill((int)owner, 0) != -ESRCH)
				continue;
			if (__atomic_compare_exchange_n(&box->owner, &owner, pid, false,
							__ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
				return box;
		}
		sb_syscall6(__NR_sched_yield, 0, 0, 0, 0, 0, 0);
	}
	return NULL;
}

static int put_text(struct sb_mailbox *box, uint32_t *used, struct sb_text *text, const char *bytes,
		    uint32_t len)
{
	if (*used + len + 1 > SB_MAILBOX_TEXT)
		return -ENAMETOOLONG;
	text->off = *used;
	text->len = len;
	memcpy(box->text + *used, bytes, len);
	box->text[*used + len] = '\0';
	*used += len + 1;
	return 0;
}

static int fill(const struct sb_proc *proc, const struct sb_exec_plan *plan, struct sb_mailbox *box)
{
	uint32_t used = 0;
	int ret;

	box->flags = plan->not_dumpable ? SB_MAILBOX_NOT_DUMPABLE : 0;
	box->fs_group = proc->fs_group;
	box->groups_fd = plan->groups_fd;
	box->program = plan->program;
	box->fd = plan->fd;
	box->umask = proc->umask;
	box->secure = plan->secure;
	box->seccomp_mode = proc->seccomp_mode;
	box->mask = plan->mask;
	box->ids = plan->ids;
	ret = put_text(box, &used, &box->elf, plan->host.buf, plan->fd < 0 ? plan->host.len : 0);
	if (ret == 0)
		ret = put_text(box, &used, &box->interp, plan->interp.buf, plan->interp.len);
	if (ret == 0)
		ret = put_text(box, &used, &box->execfn, plan->execfn.buf, plan->execfn.len);
	if (ret == 0)
		ret = put_text(box, &used, &box->exe, plan->exe.buf, plan->exe.len);
	if (ret == 0)
		ret = put_text(box, &used, &box->root, proc->root, proc->root_len);
	return ret;
}

int sb_mailbox_post(const struct sb_proc *proc, const struct sb_exec_plan *plan,
		    struct sb_mailbox **out)
{
	struct sb_mailbox *box = claim(proc);

	*out = box;
	return box ? fill(proc, plan, box) : -EAGAIN;
}

void sb_mailbox_free(struct sb_mailbox *box)
{
	__atomic_store_n(&box->owner, 0, __ATOMIC_RELEASE);
}

struct sb_mailbox *sb_mailbox_own(const struct sb_proc *proc)
{
	for (uint32_t i = 0; i < SB_MAX_MAILBOXES; i++) {
		struct sb_mailbox *box = mailbox_at(proc, proc->pid + i);

		if (__atomic_load_n(&box->owner, __ATOMIC_ACQUIRE) == proc->pid)
			return box;
	}
	return NULL;
}
