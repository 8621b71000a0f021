/* SPDX-License-Identifier: MIT */
/*
 * layer_draft.h - the file that holds the records of a layer table.
 *
 * Hosted build only. Offsets are multiples of 8 and never 0.
 */
#ifndef SB_LAYER_DRAFT_H
#define SB_LAYER_DRAFT_H

#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

#define SB_DRAFT_FIRST 8
#define SB_DRAFT_BUFFER (128 * 1024)

struct sb_draft {
	int fd;
	uint64_t base;  /* what lies before this offset is in the file, the rest in bytes */
	size_t used;
	char bytes[SB_DRAFT_BUFFER];
};

/* The offset of the next record. */
static inline uint64_t sb_draft_end(const struct sb_draft *d)
{
	return d->base + d->used;
}
int sb_draft_append(struct sb_draft *d, const void *bytes, size_t len);
int sb_draft_flush(struct sb_draft *d);
int sb_draft_read(const struct sb_draft *d, uint64_t at, void *bytes, size_t len);
int sb_draft_rewrite(struct sb_draft *d, uint64_t at, const void *bytes, size_t len);

/* Write all bytes, or return -errno. */
int sb_write_all(int fd, const char *bytes, size_t len, int64_t at);

#endif
