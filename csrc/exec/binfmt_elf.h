/* SPDX-License-Identifier: MIT */
/*
 * binfmt_elf.h - read and map ELF programs.
 *
 * sb_elf_read only reads, so execve can still refuse the program. sb_elf_map comes after the point
 * of no return.
 */
#ifndef SB_BINFMT_ELF_H
#define SB_BINFMT_ELF_H

#include <elf.h>

#include "base/base.h"

#define SB_ELF_MAX_PHDRS 64

struct sb_elf {
	Elf64_Ehdr header; /* that of a 32-bit program is widened */
	Elf64_Phdr phdrs[SB_ELF_MAX_PHDRS]; /* only those that matter here, widened, too */
	uint32_t count; /* of phdrs */
	uint32_t interp_len; /* 0: none */
	bool is_32;
};

/* Read and check the headers of a program. -ENOEXEC: it is no ELF executable or shared object for
 * this processor. Otherwise errors are those of read(2). interp (max bytes) gets the PT_INTERP
 * string. */
int sb_elf_read(int fd, struct sb_elf *elf, char *interp, size_t max) SB_MUST_CHECK;

struct sb_elf_image {
	uint64_t base;  /* load bias */
	uint64_t entry;
	uint64_t phdr;  /* address of the program headers */
	uint64_t low;   /* first and last mapped byte */
	uint64_t high;
	bool exec_stack;
};

/* Map the segments. hint: the address of a position-independent program; with 0 the kernel
 * chooses. */
int sb_elf_map(int fd, const struct sb_elf *elf, uint64_t hint,
	       struct sb_elf_image *image) SB_MUST_CHECK;

#endif
