/* SPDX-License-Identifier: MIT */
/*
 * shared_file.h - the shared file of a container, which its guests write, for the host side.
 *
 * Rules
 *   The only functions of the host side that open what a guest can write here. Each bounds what it
 *   returns; what it returns may still be a lie. A path is that of the control file: the shared
 * file lies beside it.
 */
#ifndef SB_SHARED_FILE_H
#define SB_SHARED_FILE_H

#include "base/abi.h"
#include "layers/mapped_file.h"

struct sb_shared;

/* Make the file of a container that has no process yet. */
int sb_shared_make(const char *control, uint32_t node_count) SB_MUST_CHECK;
/* Open it to read and write: a descriptor. */
int sb_shared_open(const char *control) SB_MUST_CHECK;
/* Map an open file; -EINVAL when it is shorter than one with so many state bytes. */
int sb_shared_map(int fd, uint32_t node_count, struct sb_map *out) SB_MUST_CHECK;

/* The processes that the table names, with the times of their rows. Pids are possible ones. Returns
 * how many. */
int sb_shared_processes(int fd, uint32_t *pids, uint64_t *started, uint32_t room) SB_MUST_CHECK;
/* Set sb_proc_slot.paced of a process, if the table names it. */
int sb_shared_pace(int fd, uint32_t pid, uint32_t mark) SB_MUST_CHECK;
/* Copy the noted call site number at; -ENOENT behind the last. */
int sb_shared_site(int fd, uint32_t at, struct sb_learned_site *out) SB_MUST_CHECK;

/* Wait until the number of requests is not seen any more, or a signal comes. Returns the number. */
uint32_t sb_shared_requests(const struct sb_shared *shared);
void sb_shared_wait_request(const struct sb_shared *shared, uint32_t seen);
/* Take request number i of SB_MAX_ADOPTIONS: the thread that asks for a tracer, or 0. *pointer is
 * the value of the runtime's thread pointer in its registers, and is for them alone. */
int sb_shared_take_request(struct sb_shared *shared, uint32_t i, uint64_t *pointer);
void sb_shared_answer_request(struct sb_shared *shared, uint32_t i, int tid, bool done);

#endif
