/* SPDX-License-Identifier: MIT */
/*
 * ids_exec.h - what execve(2) makes of ids and capabilities. Pure.
 */
#ifndef SB_IDS_EXEC_H
#define SB_IDS_EXEC_H

#include "pure/ids.h"

/* Change ids as execve of a program file with this mode, owner and security.capability value
 * (NULL: it has none) does. mode is 0 for a file on a nosuid mount. Returns 1 when the program
 * must see AT_SECURE, else 0; -EPERM, with ids unchanged, when the file demands capabilities
 * that the bounding set lacks. shares_fs: another process shares the directories
 * (CLONE_FS) and could change its root, so nothing is gained. */
int sb_ids_exec(struct sb_ids *ids, uint32_t mode, uint32_t uid, uint32_t gid,
		const unsigned char *file_caps, uint32_t file_caps_len, bool shares_fs);

#endif
