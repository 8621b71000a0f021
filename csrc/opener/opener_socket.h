/* SPDX-License-Identifier: MIT */
/*
 * opener_socket.h - the socket of the opener, and the messages on it.
 */
#ifndef SB_OPENER_SOCKET_H
#define SB_OPENER_SOCKET_H

#include "base/base.h"
#include "base/opener_abi.h"

struct sb_opener_question {
	struct sb_opener_request request;
	long sender; /* its pid, as the kernel says */
	int answer; /* descriptors; -1: none */
	int subject;
	int other;
};

/* Make the socket; -errno if there is one already. */
int sb_opener_listen(const char *run) SB_MUST_CHECK;
/* Receive a datagram: false when there is none. The caller closes the descriptors. */
bool sb_opener_receive(int listener, struct sb_opener_question *out);
/* Send a number, and a descriptor unless it is negative. */
void sb_opener_answer(int socket, long ret, int opened);

#endif
