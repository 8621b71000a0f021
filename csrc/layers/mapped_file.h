/* SPDX-License-Identifier: MIT */
/*
 * mapped_file.h - map a whole file. Hosted build only.
 */
#ifndef SB_MAPPED_FILE_H
#define SB_MAPPED_FILE_H

#include "base/base.h"

struct sb_map {
	void *at;
	uint64_t size;
};

int sb_map_file(const char *host, bool writable, struct sb_map *out) SB_MUST_CHECK;
void sb_unmap(struct sb_map *map);

#endif
