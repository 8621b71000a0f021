/* SPDX-License-Identifier: MIT */
/*
 * layer_rows.h - make the table of a layer (meta.jsonl) from the records of its draft.
 *
 * Hosted build only.
 */
#ifndef SB_LAYER_ROWS_H
#define SB_LAYER_ROWS_H

#include "base/base.h"
#include "layers/layer_draft.h"
#include "layers/layer_table.h"

#define SB_ROWS_WINDOW (64 * 1024)

/* A reader of all records, in order. */
struct sb_rows_scan {
	const struct sb_draft *draft;
	uint64_t at;
	uint64_t from;   /* the offset of what the window holds */
	size_t len;
	char window[SB_ROWS_WINDOW];
};

struct sb_rows_out {
	int fd;
	int err;         /* the first error */
	size_t used;
	char bytes[SB_ROWS_WINDOW];
};

struct sb_rows {
	struct sb_draft draft;
	struct sb_rows_scan scan;
	struct sb_rows_out out;
	char text[4096];
	uint64_t size;   /* bytes of all files */
	bool has_marks;
};

/* Is there a directory at the path? 1, 0, or -ENOENT when nothing is there. */
typedef int sb_is_directory(void *context, const char *path, uint32_t len);

int64_t sb_rows_write(struct sb_rows *rows, int fd, sb_is_directory *ask, void *context);
int sb_rows_set_times(struct sb_rows *rows, int top, char *problem);

/* A time in nanoseconds, twice, as utimensat takes it. */
struct sb_timespec;
void sb_rows_times(int64_t mtime, struct sb_timespec *two);

#endif
