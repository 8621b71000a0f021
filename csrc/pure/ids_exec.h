/* SPDX-License-Identifier: MIT */
/*
 * ids_exec.h - what execve(2) makes of ids and capabilities.
 *
 * Level 1. Pure.
 */
#ifndef SB_IDS_EXEC_H
#define SB_IDS_EXEC_H

#include "pure/ids.h"

/* What execve makes of ids for a program file of that mode, owner and file
 * capabilities (security.capability value, NULL when it has none). mode 0
 * for a file on a nosuid mount. Returns 1 when the program must see AT_SECURE,
 * else 0; -EPERM (ids unchanged) when the file demands capabilities that the
 * bounding set lacks. */
int sb_ids_exec(struct sb_ids *ids, uint32_t mode, uint32_t uid, uint32_t gid,
		const unsigned char *file_caps, uint32_t file_caps_len);

#endif
