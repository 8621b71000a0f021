/* SPDX-License-Identifier: MIT */
/*
 * rewritten_build.h - make a copy of a program file with rewritten call sites.
 *
 * Hosted build only. cffi reads this, too: abi.h says what that forbids.
 */
#ifndef SB_TEXT_BUILD_H
#define SB_TEXT_BUILD_H

#include "base/abi.h"

/* Write dst, a new file: a copy of an ELF file, given by its bytes, in which sites jump into the
 * runtime. offsets are those behind the system calls of the sites. They may be a stranger's:
 * is_site tells which ones are sites. Returns how many were rewritten, the others do not fit;
 * nothing is written when it is 0. -ENOEXEC when the file is no suitable one. */
int sb_text_build(const unsigned char *bytes, uint64_t size, const char *dst,
		  const uint32_t *offsets, uint32_t count, unsigned char *is_site);

#endif
