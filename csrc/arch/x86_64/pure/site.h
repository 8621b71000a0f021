/* SPDX-License-Identifier: MIT */
/*
 * site.h - what a system call site looks like on x86-64, and its trampoline.
 *
 * Pure: bytes in, bytes out; tests/c/test_site.c has the cases.
 *
 * Form 1, "mov $nr,%eax; syscall": the five bytes of mov become a jump, and the syscall instruction
 * stays where it is. mov %r11,N(%rsp) and mov N(%rsp),%rax may stand in mov's place: glibc since
 * 2.41 (and musl) makes every call that can be cancelled this way, from two sites.
 * Form 2, "syscall; cmp/mov/...": the syscall and the first three bytes behind it become a jump.
 * The displaced instruction runs in the trampoline.
 * A system call instruction stands before the address where a call goes on, also in form 2.
 */
#ifndef SB_ARCH_SITE_H
#define SB_ARCH_SITE_H

#include "base/base.h"

#define SB_SITE_NONE 0
#define SB_SITE_BEFORE 1
#define SB_SITE_BEHIND 2

#define SB_TRAMPOLINE_SIZE 48
#define SB_JUMP_SIZE 5

struct sb_site {
	uint32_t form;
	unsigned char head[5]; /* form 1: the instruction before the syscall, which moves */
	uint64_t start;      /* of the five bytes that change */
	uint64_t after;      /* behind the syscall instruction */
	uint32_t displaced;  /* form 2: the length of the instruction behind the syscall */
};

/* Find the form of the site whose syscall instruction ends at after. before are the 16 bytes that
 * end there, behind the 16 that follow. nr is the number of the call. */
void sb_site_decode(const unsigned char before[16], const unsigned char behind[16], uint64_t after,
		    uint32_t nr, struct sb_site *site);
/* Return the address of the instruction that makes the call again once the site is rewritten. */
uint64_t sb_site_restart(const struct sb_site *site);
/* Return how many bytes of the trampoline run before it enters the runtime. */
uint32_t sb_site_lead(const struct sb_site *site);
/* Do the five bytes lie in one aligned word, so that one store changes them? */
bool sb_site_is_atomic(const struct sb_site *site);
/* Does a jump in the code, which is text[from] to text[to], lead to target? Rather says yes: all
 * bytes within 4 KiB that could be a jump count. (No code jumps into the middle of an instruction,
 * and at a SB_SITE_BEFORE the bytes behind its jump are still the syscall instruction.) */
bool sb_site_is_target(const unsigned char *text, uint64_t from, uint64_t to, uint64_t target);
/* Write the jump of the site; false: target is out of reach. */
bool sb_site_jump(const struct sb_site *site, uint64_t target, unsigned char jump[SB_JUMP_SIZE]);
/* Write the trampoline for address at, which enters the runtime at entry. Returns its length;
 * *resume is the return address that the runtime will see. */
uint32_t sb_site_trampoline(const struct sb_site *site, const unsigned char behind[16], uint64_t at,
			    uint64_t entry, unsigned char code[SB_TRAMPOLINE_SIZE],
			    uint64_t *resume);

/* ---- copies of a text in the store -------------------------------------- */

/* The size of the common way into the runtime. */
#define SB_STUB_COMMON 14
/* The size of the longest stub of a site. */
#define SB_STUB_SIZE 40
/* Stands in a form 2 stub. The distance from the resume address to the site follows, where a call
 * that is rolled back begins again, then a system call instruction (sb_entry), then the resume
 * address. */
#define SB_STUB_MAGIC 0x5bc0de5bU

/* Write the common way: a jump to entry. */
void sb_stub_common(uint64_t entry, unsigned char code[SB_STUB_COMMON]);
/* Write the stub of a site for address at, with the common way at common. Addresses are those of
 * the unrelocated file. Returns its length. */
uint32_t sb_stub(const struct sb_site *site, const unsigned char behind[16], uint64_t at,
		 uint64_t common, unsigned char code[SB_STUB_SIZE]);
/* Return the site of the call that goes on at after; after - 2 if that is not in a stub. Reads the
 * ten bytes before after. */
uint64_t sb_stub_origin(uint64_t after);

#endif
