/* SPDX-License-Identifier: MIT */
/*
 * site.c - what a system call site looks like on x86-64, and its trampoline.
 *
 * Rules
 *   A site is rewritten once. Behind form 1 the syscall instruction and all that follows stay,
 *   since the trampoline returns there. A displaced instruction must mean the same at another
 *   address: only register and immediate operands, no jump, no rip-relative memory.
 */
#include "site.h"

#include "base/mem.h"

#define MOV_EAX 0xb8
#define JMP_REL32 0xe9
#define SYSCALL_SIZE 2
#define REACH 0x7fff0000LL
#define PAGE 4096
#define LONGEST_JUMP 6
#define SEARCHED 4096

/* Return the length of the instruction if it may be moved, otherwise 0. */
static uint32_t movable(const unsigned char *p)
{
	const bool wide = p[0] == 0x48;

	if (wide && p[1] == 0x3d) /* cmp $imm32,%rax */
		return 6;
	if (wide && p[1] == 0x83 && p[2] == 0xf8) /* cmp $imm8,%rax */
		return 4;
	if (wide && (p[1] == 0x89 || p[1] == 0x8b) && p[2] >= 0xc0) /* mov %r,%r */
		return 3;
	if (p[0] == 0x49 && p[1] == 0x89 && p[2] >= 0xc0) /* mov %rax,%r8.. */
		return 3;
	if (wide && p[1] == 0x85 && p[2] >= 0xc0) /* test %r,%r */
		return 3;
	if (p[0] == 0x3d) /* cmp $imm32,%eax */
		return 5;
	if (p[0] == 0x83 && p[1] == 0xf8) /* cmp $imm8,%eax */
		return 3;
	return 0;
}

/* Five bytes that may be moved like mov $nr,%eax. The last byte, an offset, is left out. glibc
 * since 2.41 makes every call that can be cancelled this way. */
static const unsigned char heads[][4] = {
	{0x4c, 0x89, 0x5c, 0x24}, /* mov %r11,N(%rsp): __syscall_cancel_arch, and musl */
	{0x48, 0x8b, 0x44, 0x24}, /* mov N(%rsp),%rax: __internal_syscall_cancel, with one thread */
};

static bool is_head(const unsigned char *p)
{
	for (unsigned i = 0; i < SB_ARRAY_LEN(heads); i++) {
		if (memcmp(p, heads[i], sizeof(heads[i])) == 0)
			return true;
	}
	return false;
}

/* Is mov $nr,%eax in front of the syscall instruction? */
static bool loads(const unsigned char before[16], uint32_t nr)
{
	const bool has_prefix = (before[8] & 0xf0) == 0x40;
	uint32_t imm;

	memcpy(&imm, before + 10, 4);
	return before[9] == MOV_EAX && imm == nr && !has_prefix;
}

void sb_site_decode(const unsigned char before[16], const unsigned char behind[16], uint64_t after,
		    uint32_t nr, struct sb_site *site)
{
	const unsigned char *head = before + 9;

	*site = (struct sb_site){.form = SB_SITE_NONE, .after = after};
	if (before[14] != 0x0f || before[15] != 0x05)
		return;
	if (head[0] == JMP_REL32) /* rewritten already, and rolled back */
		return;
	if (loads(before, nr) || is_head(head)) {
		site->form = SB_SITE_BEFORE;
		memcpy(site->head, head, sizeof(site->head));
		site->start = after - 7;
		return;
	}
	site->displaced = movable(behind);
	if (site->displaced < 3)
		return;
	site->form = SB_SITE_BEHIND;
	site->start = after - 2;
}

uint64_t sb_site_restart(const struct sb_site *site)
{
	return site->form == SB_SITE_BEFORE ? site->after - SYSCALL_SIZE : site->start;
}

uint32_t sb_site_lead(const struct sb_site *site)
{
	return site->form == SB_SITE_BEFORE ? 26 : 23;
}

bool sb_site_is_atomic(const struct sb_site *site)
{
	return (site->start & 7) + SB_JUMP_SIZE <= 8;
}

/* Return the target of the jump in the bytes at p, whose offset is at; -1: it is no jump. */
static int64_t jump_target(const unsigned char *p, uint64_t at)
{
	const bool is_wide = p[0] == 0x0f && (p[1] & 0xf0) == 0x80;
	const unsigned len = is_wide ? 6 : 5;
	int32_t rel;

	if (p[0] == 0xeb || (p[0] & 0xf0) == 0x70)
		return (int64_t)at + 2 + (int8_t)p[1];
	if (!is_wide && p[0] != 0xe8 && p[0] != JMP_REL32)
		return -1;
	memcpy(&rel, p + len - 4, 4);
	return (int64_t)at + len + rel;
}

bool sb_site_is_target(const unsigned char *text, uint64_t from, uint64_t to, uint64_t target)
{
	uint64_t at = target > from + SEARCHED ? target - SEARCHED : from;
	uint64_t last = to - target > SEARCHED ? target + SEARCHED : to - LONGEST_JUMP;

	for (; at < last; at++) {
		if (jump_target(text + at, at) == (int64_t)target)
			return true;
	}
	return false;
}

static bool relative(uint64_t from, uint64_t to, int32_t *out)
{
	int64_t distance = (int64_t)(to - from);

	*out = (int32_t)distance;
	return distance < REACH && distance > -REACH;
}

bool sb_site_jump(const struct sb_site *site, uint64_t target, unsigned char jump[SB_JUMP_SIZE])
{
	int32_t rel;

	if (!relative(site->start + SB_JUMP_SIZE, target, &rel))
		return false;
	jump[0] = JMP_REL32;
	memcpy(jump + 1, &rel, 4);
	return true;
}

/* Write lea TARGET(%rip),%rcx for address at. */
static uint32_t put_lea_rcx(unsigned char *code, uint64_t at, uint64_t target)
{
	int32_t rel = 0;

	(void)relative(at + 7, target, &rel);
	code[0] = 0x48;
	code[1] = 0x8d;
	code[2] = 0x0d;
	memcpy(code + 3, &rel, 4);
	return 7;
}

/* Write the instruction that a program with its own gs executes (entry.S). */
static uint32_t put_syscall(unsigned char *code)
{
	code[0] = 0x0f;
	code[1] = 0x05;
	return SYSCALL_SIZE;
}

/* Write jmp *(%rip) and the address behind it. */
static uint32_t put_far_jump(unsigned char *code, uint64_t target)
{
	static const unsigned char jump[6] = {0xff, 0x25, 0, 0, 0, 0};

	memcpy(code, jump, 6);
	memcpy(code + 6, &target, 8);
	return 14;
}

uint32_t sb_site_trampoline(const struct sb_site *site, const unsigned char behind[16], uint64_t at,
			    uint64_t entry, unsigned char code[SB_TRAMPOLINE_SIZE],
			    uint64_t *resume)
{
	struct sb_site back;
	uint32_t len = 0;

	memset(code, 0xcc, SB_TRAMPOLINE_SIZE);
	if (site->form == SB_SITE_BEFORE) {
		memcpy(code, site->head, sizeof(site->head));
		len = sizeof(site->head);
		*resume = site->after;
		len += put_lea_rcx(code + len, at + len, *resume);
		return len + put_far_jump(code + len, entry);
	}
	/* 7 + 14 + 2 bytes, then the displaced instruction and the way back. */
	*resume = at + 23;
	len += put_lea_rcx(code, at, *resume);
	len += put_far_jump(code + len, entry);
	len += put_syscall(code + len);
	memcpy(code + len, behind, site->displaced);
	len += site->displaced;
	back = (struct sb_site){.start = at + len};
	(void)sb_site_jump(&back, site->after + site->displaced, code + len);
	return len + SB_JUMP_SIZE;
}

/* Write jmp TARGET for address at. */
static uint32_t put_near_jump(unsigned char *code, uint64_t at, uint64_t target)
{
	const struct sb_site here = {.start = at};

	(void)sb_site_jump(&here, target, code);
	return SB_JUMP_SIZE;
}

void sb_stub_common(uint64_t entry, unsigned char code[SB_STUB_COMMON])
{
	put_far_jump(code, entry);
}

uint32_t sb_stub(const struct sb_site *site, const unsigned char behind[16], uint64_t at,
		 uint64_t common, unsigned char code[SB_STUB_SIZE])
{
	const uint32_t magic = SB_STUB_MAGIC;
	uint32_t len = 0;
	uint64_t resume;
	int32_t back = 0;

	if (site->form == SB_SITE_BEFORE) {
		memcpy(code, site->head, sizeof(site->head));
		len = sizeof(site->head);
		len += put_lea_rcx(code + len, at + len, site->after);
		return len + put_near_jump(code + len, at + len, common);
	}
	resume = at + 7 + SB_JUMP_SIZE + 8 + SYSCALL_SIZE;
	len += put_lea_rcx(code, at, resume);
	len += put_near_jump(code + len, at + len, common);
	(void)relative(resume, site->start, &back);
	memcpy(code + len, &magic, 4);
	memcpy(code + len + 4, &back, 4);
	len += 8;
	len += put_syscall(code + len);
	memcpy(code + len, behind, site->displaced);
	len += site->displaced;
	return len + put_near_jump(code + len, at + len, site->after + site->displaced);
}

uint64_t sb_stub_origin(uint64_t after)
{
	const unsigned char *p = (const unsigned char *)(uintptr_t)after;
	uint32_t magic;
	int32_t back;

	if (after % PAGE < 8 + SYSCALL_SIZE) /* not a stub: those of a text lie in one page */
		return after - 2;
	memcpy(&magic, p - SYSCALL_SIZE - 8, 4);
	if (magic != SB_STUB_MAGIC)
		return after - 2;
	memcpy(&back, p - SYSCALL_SIZE - 4, 4);
	return after + (uint64_t)(int64_t)back;
}
