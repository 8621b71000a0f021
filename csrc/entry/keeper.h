/* SPDX-License-Identifier: MIT */
/*
 * keeper.h - how a process from outside joins a container that runs.
 *
 * How it works
 *   A Landlock domain is inherited and cannot be entered. So the first process of a container
 *   leaves a child in its domain, behind its filter: the keeper. It listens on a socket in the run
 *   directory, and starts what `exec` wants. Signals, abstract sockets and ptrace then work within
 *   one container and not beyond. The kernel asks the keeper about calls that change how another
 *   process runs (priorities, processors, limits); whom it may not signal is none of the
 *   container's. The process that asks (join.c) stays as a stand-in: it sends the
 *   signals that it gets, and ends as the other one does.
 * Rules
 *   The keeper has the rights of a guest and no others: who takes it over gains nothing. What it
 *   says is believed of its own child alone. Without a keeper, a process enters in a domain of its
 *   own.
 */
#ifndef SB_KEEPER_H
#define SB_KEEPER_H

#include "entry/keeper_socket.h"
#include "guest/thread.h"

/* Start the program of an entry, in a child of the keeper. */
typedef void sb_keeper_entrance(struct sb_thread *thread, const struct sb_entry *entry, char **argv,
				char **envp);

/* Leave a keeper behind. The caller is confined, and ends when the container does. asked is a
 * descriptor of the filter: by it the kernel asks about calls on other processes; 0: none. argv is
 * that of this process, which has another name in the keeper. */
void sb_keeper_start(struct sb_thread *thread, int listener, int asked, char **argv,
		     sb_keeper_entrance *entrance);

#endif
