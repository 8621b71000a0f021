/* SPDX-License-Identifier: MIT */
/*
 * test_instruction.c - the lengths of instructions, and where they begin.
 *
 * The bytes come from a disassembler.
 */
#include "instruction.h"
#include "check.h"

struct sample {
	unsigned char bytes[16];
	uint32_t length;
};

static const struct sample samples[] = {
	{{0x90}, 1},             /* nop */
	{{0xf3, 0x0f, 0x1e, 0xfa}, 4},           /* endbr64 */
	{{0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0}, 10},        /* cs nopw 0(%rax,%rax) */
	{{0x48, 0x8b, 0x44, 0x24, 0x10}, 5},          /* mov 16(%rsp),%rax */
	{{0x48, 0x8d, 0x3d, 1, 2, 3, 4}, 7},          /* lea 0x4030201(%rip),%rdi */
	{{0x8b, 0x04, 0x25, 1, 2, 3, 4}, 7},          /* mov 0x4030201,%eax */
	{{0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8}, 10},         /* movabs */
	{{0x66, 0xb8, 1, 2}, 4},           /* mov $0x201,%ax */
	{{0xb8, 1, 1, 0, 0}, 5},           /* mov $257,%eax */
	{{0x48, 0xa1, 1, 2, 3, 4, 5, 6, 7, 8}, 10},         /* movabs 0x...,%rax */
	{{0x67, 0xa1, 1, 2, 3, 4}, 6},           /* addr32 mov 0x4030201,%eax */
	{{0x0f, 0x05}, 2},            /* syscall */
	{{0xf6, 0xc0, 0x40}, 3},           /* test $0x40,%al */
	{{0xf6, 0xd8}, 2},            /* neg %al */
	{{0x66, 0xf7, 0x00, 1, 2}, 5},           /* testw $0x201,(%rax) */
	{{0xf7, 0xd8}, 2},            /* neg %eax */
	{{0x66, 0x81, 0x38, 1, 2}, 5},           /* cmpw $0x201,(%rax) */
	{{0xc8, 1, 2, 3}, 4},            /* enter */
	{{0x8f, 0xc0}, 2},            /* pop %rax */
	{{0x0f, 0x84, 1, 2, 3, 4}, 6},           /* je */
	{{0x66, 0x0f, 0x3a, 0x0f, 0xc1, 8}, 6},          /* palignr $8,%xmm1,%xmm0 */
	{{0x66, 0x0f, 0x38, 0x00, 0xc1}, 5},          /* pshufb %xmm1,%xmm0 */
	{{0xc5, 0xf8, 0x77}, 3},           /* vzeroupper */
	{{0xc5, 0xfd, 0x70, 0xc1, 1}, 5},          /* vpshufd $1,%ymm1,%ymm0 */
	{{0xc4, 0xe3, 0x7d, 0x39, 0xc1, 1}, 6},          /* vextracti128 */
	{{0xc4, 0xe2, 0x7d, 0x18, 0x07}, 5},          /* vbroadcastss (%rdi),%ymm0 */
	{{0x62, 0xf1, 0x7c, 0x48, 0x10, 0x47, 1}, 7},         /* vmovups 64(%rdi),%zmm0 */
	{{0x62, 0xf3, 0x7d, 0x48, 0x3f, 0xc1, 0}, 7},         /* vpcmpub */
	{{0x8f, 0xe8, 0x78, 0xc2, 0xc1, 1}, 6},          /* vprotd $1 (XOP) */
	{{0x06}, 0},             /* none in 64-bit mode */
	{{0x0f, 0x04}, 0},            /* none */
	{{0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66},
	 0}, /* nothing but prefixes */
};

static void test_lengths_are_those_of_the_disassembler(void)
{
	for (size_t i = 0; i < SB_ARRAY_LEN(samples); i++)
		CHECK_INT(sb_instruction_length(samples[i].bytes, 16), samples[i].length);
}

static void test_an_instruction_that_does_not_fit_has_no_length(void)
{
	for (size_t i = 0; i < SB_ARRAY_LEN(samples); i++) {
		for (uint32_t room = 0; room < samples[i].length; room++)
			CHECK_INT(sb_instruction_length(samples[i].bytes, room), 0);
	}
}

static void test_no_bytes_are_read_behind_the_end(void)
{
	unsigned seed = 1;

	for (unsigned round = 0; round < 100000; round++) {
		unsigned char bytes[16];
		uint32_t length;

		for (unsigned i = 0; i < sizeof(bytes); i++) {
			seed = seed * 1103515245 + 12345;
			bytes[i] = (unsigned char)(seed >> 16);
		}
		length = sb_instruction_length(bytes + 8, 8);
		CHECK(length <= 8);
	}
}

/* movabs $..., %rdi again and again: its bytes hold other instructions. */
static void test_only_the_instructions_of_the_code_begin(void)
{
	static const unsigned char unit[] = {0x48, 0xbf, 0xb8, 0x01, 0x01, 0,    0,    0x0f, 0x05,
					     0x90, 0x48, 0x89, 0xc7, 0x74, 0x02, 0x31, 0xc0};
	unsigned char code[64 * sizeof(unit)];
	uint64_t middle = 40 * sizeof(unit);

	for (size_t i = 0; i < sizeof(code); i++)
		code[i] = unit[i % sizeof(unit)];
	CHECK(sb_instruction_begins(code, 0, sizeof(code), middle));
	CHECK(!sb_instruction_begins(code, 0, sizeof(code), middle + 2));
	CHECK(!sb_instruction_begins(code, 0, sizeof(code), middle + 7));
	CHECK(sb_instruction_begins(code, 0, sizeof(code), middle + 10));
	CHECK(sb_instruction_begins(code, 0, sizeof(code), middle + 13));
	CHECK(!sb_instruction_begins(code, 0, sizeof(code), middle + 14));
	CHECK(sb_instruction_begins(code, 0, sizeof(code), 0));
	CHECK(!sb_instruction_begins(code, 0, sizeof(code), 2));
	CHECK(!sb_instruction_begins(code, sizeof(unit), sizeof(code), 0));
	CHECK(!sb_instruction_begins(code, 0, sizeof(code), sizeof(code)));
}

int main(void)
{
	test_lengths_are_those_of_the_disassembler();
	test_an_instruction_that_does_not_fit_has_no_length();
	test_no_bytes_are_read_behind_the_end();
	test_only_the_instructions_of_the_code_begin();
	return 0;
}
