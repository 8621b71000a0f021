/* SPDX-License-Identifier: MIT */
/*
 * maps.h - what the kernel says about one address of this process.
 */
#ifndef SB_MAPS_H
#define SB_MAPS_H

#include "base/base.h"

struct sb_mapping {
	uint64_t start;
	uint64_t end;
	uint64_t offset;      /* in the file */
	uint64_t inode;
	bool is_private_text; /* r-xp of a file */
};

/* Find the mapping of address. buf is scratch memory. -ENOENT: there is none, or no /proc. */
int sb_maps_find(uint64_t address, char *buf, size_t size, struct sb_mapping *out) SB_MUST_CHECK;

#endif
