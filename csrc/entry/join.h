/* SPDX-License-Identifier: MIT */
/*
 * join.h - the stand-in of a process that joined a container.
 */
#ifndef SB_JOIN_H
#define SB_JOIN_H

#include "entry/keeper_socket.h"

/* Let the keeper start the program of this entry, and end as it ends. */
void sb_join(int keeper, const struct sb_entry *entry, char **argv, char **envp)
	__attribute__((noreturn));

#endif
