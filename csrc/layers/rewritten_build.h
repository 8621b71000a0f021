/* SPDX-License-Identifier: MIT */
/*
 * rewritten_build.h - make a copy of a program file with rewritten call sites.
 *
 * Hosted build only. cffi reads this, too: abi.h says what that forbids.
 */
#ifndef SB_TEXT_BUILD_H
#define SB_TEXT_BUILD_H

#include "base/abi.h"

/* Write dst, a new file: a copy of the ELF file src in which the sites jump into the runtime. A
 * site that does not fit is left alone; *done counts the others. -ENOEXEC when src is no
 * suitable ELF file; -ENOSPC when there is no room for a single stub. */
int sb_text_build(const char *src, const char *dst, const struct sb_learned_site *sites,
		  uint32_t count, uint32_t *done);

#endif
