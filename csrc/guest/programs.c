/* SPDX-License-Identifier: MIT */
/*
 * programs.c - files that are executed and written: ETXTBSY.
 */
#include "guest/programs.h"

#include <asm/signal.h>
#include <errno.h>

#include "base/shared_abi.h"
#include "guest/process_table.h"

#ifndef F_SETLEASE /* <fcntl.h> may hide them */
#define F_SETLEASE 1024
#define F_SETSIG 10
#endif

uint64_t sb_program_of(const struct sb_stat *st)
{
	const uint64_t words[2] = {st->ino, st->dev};

	return sb_hash((const char *)words, sizeof(words)) | 1;
}

static unsigned char *mark_of(const struct sb_tree *tree, uint64_t program)
{
	return &tree->shared->programs[(program >> 1) % SB_PROGRAM_MARKS];
}

void sb_program_mark(const struct sb_tree *tree, uint64_t program)
{
	__atomic_store_n(mark_of(tree, program), 1, __ATOMIC_SEQ_CST);
}

static bool runs(const struct sb_proc *self, uint64_t program)
{
	const struct sb_tree *tree = &self->tree;

	for (uint32_t i = 0; i < SB_PROC_SLOTS; i++) {
		const struct sb_proc_slot *slot = sb_proc_at(tree, i);

		if (slot->pid != 0 && slot->program == program && sb_proc_has_program(self, slot))
			return true;
	}
	return false;
}

int sb_program_check(struct sb_call *call, struct sb_at *at)
{
	const struct sb_tree *tree = call->fs->tree;
	uint64_t program;
	int err;

	if (at->spot.type != S_IFREG)
		return 0;
	err = at->has_stat ? 0 : sb_tree_stat(call->fs, at);
	if (err < 0)
		return err == -ENOENT ? 0 : err; /* the open itself will say so */
	program = sb_program_of(&at->st);
	if (__atomic_load_n(mark_of(tree, program), __ATOMIC_RELAXED) == 0)
		return 0;
	return runs(call->proc, program) ? -ETXTBSY : 0;
}

int sb_program_check_opened(struct sb_call *call, int fd)
{
	const struct sb_tree *tree = call->fs->tree;
	struct sb_stat st;
	uint64_t program;
	int err = sb_tree_fstat(call->fs, fd, &st, NULL);

	if (err < 0)
		return err;
	program = sb_program_of(&st);
	if (__atomic_load_n(mark_of(tree, program), __ATOMIC_RELAXED) == 0)
		return 0;
	return runs(call->proc, program) ? -ETXTBSY : 0;
}

void sb_program_planned(const struct sb_tree *tree, const struct sb_at *at)
{
	if (at->spot.place == SB_PLACE_UPPER || at->spot.place == SB_PLACE_MOUNT)
		__atomic_store_n(&tree->shared->own_programs, 1, __ATOMIC_SEQ_CST);
}

bool sb_program_may_run(const struct sb_tree *tree)
{
	return __atomic_load_n(&tree->shared->own_programs, __ATOMIC_RELAXED) != 0;
}

/* Whoever opens the file to write while the lease holds waits for two calls, and this process gets
 * a SIGURG, which programs ignore. */
int sb_program_check_fd(int fd)
{
	long ret = sb_syscall(__NR_fcntl, fd, F_SETSIG, SIGURG, 0, 0, 0);

	if (ret == 0)
		ret = sb_syscall(__NR_fcntl, fd, F_SETLEASE, F_RDLCK, 0, 0, 0);
	if (ret == 0)
		sb_syscall(__NR_fcntl, fd, F_SETLEASE, F_UNLCK, 0, 0, 0);
	/* Other errors: the file system has no leases, or the file is another user's. */
	return ret == -EAGAIN ? -ETXTBSY : 0;
}
