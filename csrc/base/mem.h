/* SPDX-License-Identifier: MIT */
/*
 * mem.h - the few libc-named functions that gcc may call, and the hash of names.
 *
 * mem.c defines them for the guest build only: the hosted build has a libc.
 */
#ifndef SB_MEM_H
#define SB_MEM_H

#include "base/base.h"

void *memcpy(void *restrict dst, const void *restrict src, size_t len);
void *memmove(void *dst, const void *src, size_t len);
void *memset(void *dst, int byte, size_t len);
int memcmp(const void *a, const void *b, size_t len);
size_t strlen(const char *text);

/* A 64-bit hash of len bytes; part of the index format (SB_INDEX_VERSION). */
static inline uint64_t sb_hash(const char *bytes, size_t len)
{
	const uint64_t k = 0x9e3779b97f4a7c15ULL;
	uint64_t h = len * k;
	uint64_t word;

	while (len >= 8) {
		__builtin_memcpy(&word, bytes, 8);
		h = (h ^ word) * k;
		h ^= h >> 29;
		bytes += 8;
		len -= 8;
	}
	word = 0;
	for (size_t i = 0; i < len; i++)
		word |= (uint64_t)(unsigned char)bytes[i] << (8 * i);
	h = (h ^ word) * k;
	return h ^ (h >> 32);
}

static inline bool sb_same(const char *a, size_t alen, const char *b, size_t blen)
{
	return alen == blen && memcmp(a, b, alen) == 0;
}

#endif
