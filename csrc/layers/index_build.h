/* SPDX-License-Identifier: MIT */
/*
 * index_build.h - make the index of an image from the tables of its layers.
 *
 * Hosted build only. cffi reads this, too: abi.h says what that forbids.
 */
#ifndef SB_INDEX_BUILD_H
#define SB_INDEX_BUILD_H

#include <stdint.h>

/* One member of a layer, packed: this head, then path, link target, xattrs. */
struct sb_row {
	uint16_t path_len;   /* relative, no slash at either end; "." is the layer's root */
	uint8_t type;        /* f d l c b p s, w whiteout, o opaque directory */
	uint8_t reserved;
	uint32_t mode;       /* 07777 bits */
	uint32_t uid;
	uint32_t gid;
	int64_t mtime;       /* nanoseconds */
	uint64_t rdev;
	uint32_t link_len;   /* symlink target */
	uint32_t xattr_len;  /* packed as in struct sb_node */
};

struct sb_layer_rows {
	const char *diff;     /* host path of the layer's files */
	const char *relative; /* the same relative to the store root */
	const char *rows; /* struct sb_row and its bytes, repeated; a later row of the same path
			     counts */
	uint64_t rows_len;
};

/* Write the index of the layers, lowest first, to a new file. Returns 0 or -errno; then problem
 * (256 bytes) names the path in question, if there is one. */
int sb_index_build(const struct sb_layer_rows *layers, uint32_t count, const char *dest,
		   char *problem);

#endif
