/* SPDX-License-Identifier: MIT */
/*
 * keeper_socket.h - the socket of a container's keeper, and the messages on it.
 */
#ifndef SB_KEEPER_SOCKET_H
#define SB_KEEPER_SOCKET_H

#include "base/abi.h"
#include "base/base.h"

#define SB_KEEPER_FDS 4
#define SB_KEEPER_TEXT 3 /* the descriptor with the strings of argv and envp */
#define SB_KEEPER_SOCKET "keeper" /* in the run directory */
#define SB_KEEPER_CPUS 128 /* bytes: 1024 processors */

/* The first message, with four descriptors: 0, 1, 2 and one with the strings of argv and envp. */
struct sb_join {
	struct sb_entry entry;
	uint32_t argc;
	uint32_t envc;
	uint32_t has_terminal; /* descriptor 0 becomes the controlling terminal */
	uint64_t mask; /* of signals */
	uint64_t size; /* of the strings */
	uint32_t cpus_len;
	uint32_t pad;
	unsigned char cpus[SB_KEEPER_CPUS];
};

/* Later messages are a signal to send. The answer is a wait status, or this and an errno. */
#define SB_JOIN_FAILED 0x7f000000

/* Make the socket; -errno if there is one already. */
int sb_keeper_listen(const char *run) SB_MUST_CHECK;
/* Connect to the keeper; -errno if there is none. */
int sb_keeper_connect(const char *run) SB_MUST_CHECK;
int sb_keeper_accept(int listener) SB_MUST_CHECK;

/* Send the first message. */
int sb_keeper_ask(int socket, const struct sb_join *join,
		  const int fds[SB_KEEPER_FDS]) SB_MUST_CHECK;
/* Receive it: 0, or -errno. Descriptors that came are in fds in any case; the others are -1. */
int sb_keeper_receive(int socket, struct sb_join *join, int fds[SB_KEEPER_FDS]) SB_MUST_CHECK;
/* A later message, or the answer. */
long sb_keeper_put(int socket, int word);
/* 0 at the end of the other side. */
long sb_keeper_get(int socket, int *word) SB_MUST_CHECK;

#endif
