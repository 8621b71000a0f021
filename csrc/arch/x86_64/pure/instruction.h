/* SPDX-License-Identifier: MIT */
/*
 * instruction.h - where the instructions of x86-64 begin.
 *
 * Pure: bytes in, lengths out.
 */
#ifndef SB_ARCH_INSTRUCTION_H
#define SB_ARCH_INSTRUCTION_H

#include "base/base.h"

#define SB_INSTRUCTION_MAX 15

/* Return the length of the instruction in the first bytes of code, of which there are room; 0 when
 * no instruction begins there, or it is longer. */
uint32_t sb_instruction_length(const unsigned char *code, size_t room);
/* Does an instruction of the code, which is text[from] to text[to], begin at? Rather says no. How
 * it knows: whoever decodes from a wrong place meets the right instructions soon. So decoding
 * begins at many places before, and nearly all ways must lead there. */
bool sb_instruction_begins(const unsigned char *text, uint64_t from, uint64_t to, uint64_t at);

#endif
