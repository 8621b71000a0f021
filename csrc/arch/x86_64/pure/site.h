/* SPDX-License-Identifier: MIT */
/*
 * site.h - what a system call site looks like on x86-64, and its trampoline.
 *
 * Level 1. Pure: bytes in, bytes out; tests/c/test_site.c has the cases.
 *
 * Form 1   mov $nr,%eax; syscall      the five bytes of mov become a jump; the
 *                                     syscall instruction stays where it is; also mov %r11,N(%rsp)
 *                                     and mov N(%rsp),%rax in mov's place, which is how glibc since
 *                                     2.41 (and musl) makes every call that can be cancelled, from
 *                                     two sites
 * Form 2   syscall; cmp/mov/...       the syscall and the first three bytes
 *                                     behind it become a jump; the displaced
 *                                     instruction runs in the trampoline
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
	unsigned char head[5]; /* form 1: the instruction before it, which moves */
	uint64_t start;      /* address of the five bytes that change */
	uint64_t after;      /* address behind the syscall instruction */
	uint32_t displaced;  /* form 2: length of the instruction behind it */
};

/* Which form has the site whose syscall instruction ends at after? before are
 * the 16 bytes that end there, behind the 16 that follow. known_nr tells
 * whether nr is what eax held. */
void sb_site_decode(const unsigned char before[16], const unsigned char behind[16], uint64_t after,
		    uint32_t nr, struct sb_site *site);
/* Address of the instruction that makes the call again once the site is rewritten. */
uint64_t sb_site_restart(const struct sb_site *site);
/* How many bytes of the trampoline are run before it enters the runtime. */
uint32_t sb_site_lead(const struct sb_site *site);
/* Does one aligned word hold the five bytes, so that one store changes them? */
bool sb_site_is_atomic(const struct sb_site *site);
/* Does a jump of the code, which has the offsets from to to of text, lead to target? Over-careful:
 * any bytes within 4 KiB that could be one count. (Nobody jumps into the middle of an instruction,
 * and the bytes of a SB_SITE_BEFORE that follow its jump are still the syscall instruction.) */
bool sb_site_is_target(const unsigned char *text, uint64_t from, uint64_t to, uint64_t target);
/* The jump at the site. false when target is out of reach. */
bool sb_site_jump(const struct sb_site *site, uint64_t target, unsigned char jump[SB_JUMP_SIZE]);
/* Code of the trampoline at address at, which enters the runtime at entry.
 * Returns its length; resume gets the return address the runtime will see. */
uint32_t sb_site_trampoline(const struct sb_site *site, const unsigned char behind[16], uint64_t at,
			    uint64_t entry, unsigned char code[SB_TRAMPOLINE_SIZE],
			    uint64_t *resume);

/* ---- copies of a text in the store -------------------------------------- */

/* Bytes that the common way into the runtime takes. */
#define SB_STUB_COMMON 14
/* At most this many bytes for the stub of one site. */
#define SB_STUB_SIZE 40
/* Stands before the resume address of a form 2 stub, followed by the distance
 * to the site: where a rolled back call begins again. */
#define SB_STUB_MAGIC 0x5bc0de5bU

/* The common way: a jump to entry. */
void sb_stub_common(uint64_t entry, unsigned char code[SB_STUB_COMMON]);
/* The stub of a site at address at, using the common way at common; addresses
 * are those of the unrelocated file. Returns its length. */
uint32_t sb_stub(const struct sb_site *site, const unsigned char behind[16], uint64_t at,
		 uint64_t common, unsigned char code[SB_STUB_SIZE]);
/* The site that a call belongs to which goes on at after; after - 2 when
 * that is no stub. Reads the ten bytes before after. */
uint64_t sb_stub_origin(uint64_t after);

#endif
