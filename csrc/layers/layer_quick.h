/* SPDX-License-Identifier: MIT */
/*
 * layer_quick.h - make the plain members of a layer's tar, many with one call.
 *
 * Hosted build only. cffi reads this, too: abi.h says what that forbids.
 */
#ifndef SB_LAYER_QUICK_H
#define SB_LAYER_QUICK_H

#include <stdint.h>

#include "layers/layer_table.h"

struct sb_quick;

/* top is the directory of the layer's files; the caller closes it. taken_bits is the umask. */
struct sb_quick *sb_quick_open(struct sb_table *table, int top, uint32_t taken_bits);
void sb_quick_close(struct sb_quick *q);
/* Forget what is known of directories: it may be wrong now. */
void sb_quick_forget(struct sb_quick *q);
/* Make the members at the start of bytes, up to the first that is not plain, not whole or not
 * new, and count them. Returns how many bytes they took; *error is 0, or the -errno of the
 * member that follows. */
int64_t sb_quick_run(struct sb_quick *q, const char *bytes, uint64_t len, uint32_t *members,
		     int *error);

#endif
