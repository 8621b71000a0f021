/* SPDX-License-Identifier: MIT */
/*
 * control_file.h - the control file of a container, as the host side opens it.
 *
 * Guests map it read-only, and Landlock lets them write nothing in the run directory that holds it.
 */
#ifndef SB_CONTROL_FILE_H
#define SB_CONTROL_FILE_H

#include "base/abi.h"
#include "layers/mapped_file.h"

/* Map the file. -EPERM when it is not a regular file of this user, -EINVAL when it has not the
 * size of a control file. */
int sb_control_map(const char *path, bool writable, struct sb_map *out) SB_MUST_CHECK;
/* Is this the start of a control file of this version? */
bool sb_control_is_valid(const struct sb_control *control);

#endif
