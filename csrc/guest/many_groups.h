/* SPDX-License-Identifier: MIT */
/*
 * many_groups.h - supplementary groups that do not fit into struct sb_ids.
 *
 * They lie in memory of their own, which is never changed: threads and forked children share it. A
 * new program gets them in a file without a name.
 */
#ifndef SB_MANY_GROUPS_H
#define SB_MANY_GROUPS_H

#include "guest/guest.h"

/* Copy count groups from the guest to new memory. */
int sb_many_groups_read(uint64_t addr, uint32_t count, uint32_t **groups) SB_MUST_CHECK;
/* Memory that no credentials use after all. */
void sb_many_groups_drop(uint32_t *groups, uint32_t count);
/* A descriptor for the next program, or -1 when ids need none; else -errno. */
int sb_many_groups_keep(const struct sb_ids *ids, int *fd) SB_MUST_CHECK;
/* In the next program: take them, and close the descriptor. */
int sb_many_groups_take(struct sb_ids *ids, int fd) SB_MUST_CHECK;

#endif
