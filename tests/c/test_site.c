/* SPDX-License-Identifier: MIT */
/*
 * test_site.c - which system call sites may be rewritten, and what they become.
 *
 * The bytes come from compilers and libraries; the addresses are made up.
 */
#include <stdint.h>

#include "site.h"
#include "check.h"

#define AFTER 0x7f0000001010ULL
#define NR 257

struct sample {
	unsigned char before[16]; /* ends with the syscall instruction */
	unsigned char behind[16];
};

/* mov $257,%eax; syscall / cmp $-4096,%rax */
static const struct sample with_mov = {
	{0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0xb8, 0x01, 0x01, 0, 0, 0x0f, 0x05},
	{0x48, 0x3d, 0x00, 0xf0, 0xff, 0xff, 0x77, 0x10},
};
/* mov %rcx,%r8; syscall / cmp $-4095,%rax (Go) */
static const struct sample with_next = {
	{0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x49, 0x89, 0xc8, 0x0f,
	 0x05},
	{0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff, 0x76, 0x20},
};

/* mov %r9,%r10; mov 8(%rsp),%r8; mov 16(%rsp),%r9 cut off; mov %r11,8(%rsp); syscall / ret
 * (glibc 2.41's __syscall_cancel_arch) */
static const struct sample with_save = {
	{0x4d, 0x89, 0xca, 0x4c, 0x8b, 0x4c, 0x24, 0x10, 0x90, 0x4c, 0x89, 0x5c, 0x24, 0x08, 0x0f,
	 0x05},
	{0xc3, 0x66, 0x90},
};

/* test $16,%al cut off; jne; mov 16(%rsp),%rax; syscall / pop %rbx; ret (glibc 2.41's
 * __internal_syscall_cancel) */
static const struct sample with_load = {
	{0x01, 0x75, 0x40, 0xa8, 0x10, 0x75, 0x3c, 0x41, 0x51, 0x48, 0x8b, 0x44, 0x24, 0x10, 0x0f,
	 0x05},
	{0x5b, 0xc3, 0x0f, 0x1f},
};

static void decode(const struct sample *s, uint32_t nr, struct sb_site *site)
{
	sb_site_decode(s->before, s->behind, AFTER, nr, site);
}

static void test_a_mov_of_the_number_right_before_is_replaced(void)
{
	struct sb_site site;

	decode(&with_mov, NR, &site);
	CHECK_INT(site.form, SB_SITE_BEFORE);
	CHECK_INT(site.start, AFTER - 7);
	CHECK(memcmp(site.head, with_mov.before + 9, 5) == 0);
}

static void test_another_instruction_right_before_is_moved_into_the_stub(const struct sample *s)
{
	unsigned char code[SB_STUB_SIZE];
	struct sb_site site;

	for (uint32_t nr = 0; nr < 400; nr += 399) {
		decode(s, nr, &site);
		CHECK_INT(site.form, SB_SITE_BEFORE);
		CHECK_INT(site.start, AFTER - 7);
		CHECK_INT(sb_stub(&site, s->behind, AFTER + 0x100, AFTER + 0x80, code), 17);
		CHECK(memcmp(code, s->before + 9, 5) == 0);
	}
}

static void test_a_mov_of_another_number_is_not_replaced(void)
{
	struct sb_site site;

	decode(&with_mov, NR + 1, &site); /* a jump led here, so eax was set elsewhere */
	CHECK_INT(site.form, SB_SITE_BEHIND);
}

static void test_a_mov_with_a_prefix_is_another_instruction(void)
{
	struct sample s = with_mov;
	struct sb_site site;

	s.before[8] = 0x41; /* mov $257,%r8d */
	s.behind[0] = 0xc3;
	decode(&s, NR, &site);
	CHECK_INT(site.form, SB_SITE_NONE);
}

static void test_a_compare_after_the_call_is_moved_into_the_stub(void)
{
	struct sb_site site;

	decode(&with_next, NR, &site);
	CHECK_INT(site.form, SB_SITE_BEHIND);
	CHECK_INT(site.displaced, 6);
	CHECK_INT(site.start, AFTER - 2);
}

static void test_an_instruction_that_depends_on_its_address_is_not_moved(void)
{
	static const unsigned char never[][3] = {
		{0xc3, 0xcc, 0xcc}, /* ret */
		{0x77, 0x10, 0x90}, /* ja */
		{0xe8, 0x00, 0x00}, /* call */
		{0x48, 0x8b, 0x05}, /* mov x(%rip),%rax */
		{0x48, 0x89, 0x04}, /* mov %rax,(%rsp) */
	};
	struct sample s = with_next;
	struct sb_site site;

	for (size_t i = 0; i < SB_ARRAY_LEN(never); i++) {
		memcpy(s.behind, never[i], 3);
		decode(&s, NR, &site);
		CHECK_INT(site.form, SB_SITE_NONE);
	}
}

/* A call that was rolled back traps at the syscall instruction, which is kept after the jump. */
static void test_a_rewritten_site_is_not_rewritten_again(void)
{
	static const struct sample *const firsts[] = {&with_mov, &with_save, &with_load};
	struct sb_site site;

	for (size_t i = 0; i < SB_ARRAY_LEN(firsts); i++) {
		struct sample s = *firsts[i];

		memcpy(s.behind, with_next.behind, sizeof(s.behind));
		decode(&s, NR, &site);
		CHECK(sb_site_jump(&site, AFTER + 0x1000, s.before + 9));
		decode(&s, NR, &site);
		CHECK_INT(site.form, SB_SITE_NONE);
	}
}

static void test_any_bytes_that_may_be_a_jump_to_an_address_make_it_a_target(void)
{
	static const struct {
		unsigned char code[6];
		int target; /* relative to the start of the code */
	} jumps[] = {
		{{0xeb, 0x10}, 0x12},
		{{0x75, 0xf0}, -0x0e},
		{{0xe9, 0x00, 0x01, 0, 0}, 0x105},
		{{0xe8, 0x00, 0xff, 0xff, 0xff}, -0xfb},
		{{0x0f, 0x84, 0x00, 0x02, 0, 0}, 0x206},
	};
	static unsigned char text[9000];
	const uint64_t at = 4200;

	for (size_t i = 0; i < SB_ARRAY_LEN(jumps); i++) {
		const uint64_t target = at + (uint64_t)jumps[i].target;

		memset(text, 0x90, sizeof(text));
		CHECK(!sb_site_is_target(text, 0, sizeof(text), target));
		memcpy(text + at, jumps[i].code, sizeof(jumps[i].code));
		CHECK(sb_site_is_target(text, 0, sizeof(text), target));
		CHECK(!sb_site_is_target(text, 0, sizeof(text), target + 1));
		CHECK(!sb_site_is_target(text, at + 1, sizeof(text), target));
	}
	CHECK(!sb_site_is_target(text, 0, sizeof(text), 0));
	CHECK(!sb_site_is_target(text, 0, sizeof(text), sizeof(text) - 1));
}

static void test_other_instructions_are_not_sites(void)
{
	struct sample s = with_mov;
	struct sb_site site;

	s.before[15] = 0x34; /* sysenter */
	decode(&s, NR, &site);
	CHECK_INT(site.form, SB_SITE_NONE);
}

static void test_five_bytes_in_one_word_are_atomic(void)
{
	struct sb_site site = {.form = SB_SITE_BEFORE};

	for (uint64_t at = 0; at < 16; at++) {
		site.start = 0x1000 + at;
		CHECK_INT(sb_site_is_atomic(&site), at % 8 <= 3);
	}
}

static void test_a_jump_reaches_at_most_two_gigabytes(void)
{
	const struct sb_site site = {.start = 0x7f0000000000};
	unsigned char jump[SB_JUMP_SIZE];
	int32_t rel;

	CHECK(sb_site_jump(&site, site.start + 0x1000, jump));
	CHECK_INT(jump[0], 0xe9);
	memcpy(&rel, jump + 1, 4);
	CHECK_INT(rel, 0x1000 - SB_JUMP_SIZE);
	CHECK(!sb_site_jump(&site, site.start + 0x80000000ULL, jump));
	CHECK(!sb_site_jump(&site, site.start - 0x80000000ULL, jump));
}

static void test_a_stub_for_a_replaced_mov_loads_the_number_and_the_return_address(void)
{
	unsigned char code[SB_STUB_SIZE];
	struct sb_site site;
	uint32_t nr;
	int32_t rel;

	decode(&with_mov, NR, &site);
	CHECK_INT(sb_stub(&site, with_mov.behind, AFTER + 0x100, AFTER + 0x80, code), 17);
	CHECK_INT(code[0], 0xb8);
	memcpy(&nr, code + 1, 4);
	CHECK_INT(nr, NR);
	memcpy(&rel, code + 8, 4);
	CHECK_INT(AFTER + 0x100 + 12 + (uint64_t)(int64_t)rel, AFTER);
	CHECK_INT(code[12], 0xe9);
}

static void test_a_stub_that_is_rolled_back_begins_again_at_its_site(void)
{
	static unsigned char text[256];
	uint64_t base = (uintptr_t)text;
	unsigned char code[SB_STUB_SIZE];
	struct sb_site site;
	uint32_t len;

	sb_site_decode(with_next.before, with_next.behind, base + 16, NR, &site);
	len = sb_stub(&site, with_next.behind, base + 64, base + 32, code);
	memcpy(text + 64, code, len);
	/* The guest goes on after lea (7 bytes), jump (5), magic, distance (8) and syscall (2). */
	CHECK_INT(sb_stub_origin(base + 64 + 22), base + 14);
	CHECK(memcmp(text + 64 + 22, with_next.behind, 6) == 0);
	CHECK_INT(sb_stub_origin(base + 16), base + 14);
}

/* sb_entry needs it, when gs is the program's. */
static void test_a_call_instruction_stands_before_the_address_where_a_call_goes_on(void)
{
	static const unsigned char call[2] = {0x0f, 0x05};
	unsigned char stub[SB_STUB_SIZE];
	unsigned char trampoline[SB_TRAMPOLINE_SIZE];
	struct sb_site site;
	uint64_t resume;

	decode(&with_next, NR, &site);
	(void)sb_stub(&site, with_next.behind, AFTER + 0x100, AFTER + 0x80, stub);
	CHECK(memcmp(stub + 20, call, 2) == 0);
	(void)sb_site_trampoline(&site, with_next.behind, AFTER + 0x100, AFTER, trampoline,
				 &resume);
	CHECK_INT(resume, AFTER + 0x100 + 23);
	CHECK(memcmp(trampoline + 21, call, 2) == 0);
	CHECK_INT(sb_site_lead(&site), 23);
}

int main(void)
{
	test_a_mov_of_the_number_right_before_is_replaced();
	test_another_instruction_right_before_is_moved_into_the_stub(&with_save);
	test_another_instruction_right_before_is_moved_into_the_stub(&with_load);
	test_a_mov_of_another_number_is_not_replaced();
	test_a_rewritten_site_is_not_rewritten_again();
	test_any_bytes_that_may_be_a_jump_to_an_address_make_it_a_target();
	test_a_mov_with_a_prefix_is_another_instruction();
	test_a_compare_after_the_call_is_moved_into_the_stub();
	test_an_instruction_that_depends_on_its_address_is_not_moved();
	test_other_instructions_are_not_sites();
	test_five_bytes_in_one_word_are_atomic();
	test_a_jump_reaches_at_most_two_gigabytes();
	test_a_stub_for_a_replaced_mov_loads_the_number_and_the_return_address();
	test_a_stub_that_is_rolled_back_begins_again_at_its_site();
	test_a_call_instruction_stands_before_the_address_where_a_call_goes_on();
	return 0;
}
