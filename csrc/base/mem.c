/* SPDX-License-Identifier: MIT */
/*
 * mem.c - the libc-named functions that gcc may call, for the guest build.
 *
 * Rules
 *   No vector registers: they belong to the guest. Short pieces are copied by words, long ones by
 *   the processor's own instruction (arch.h), which takes a while to begin.
 */
#include "base/mem.h"

#include "arch.h"

#define SHORT 256

static void copy_words(unsigned char *to, const unsigned char *from, size_t len)
{
	uint64_t word;

	while (len >= sizeof(word)) {
		__builtin_memcpy(&word, from, sizeof(word));
		__builtin_memcpy(to, &word, sizeof(word));
		to += sizeof(word);
		from += sizeof(word);
		len -= sizeof(word);
	}
	while (len--)
		*to++ = *from++;
}

void *memcpy(void *restrict dst, const void *restrict src, size_t len)
{
	if (len < SHORT)
		copy_words(dst, src, len);
	else
		sb_arch_copy(dst, src, len);
	return dst;
}

void *memmove(void *dst, const void *src, size_t len)
{
	unsigned char *to = dst;
	const unsigned char *from = src;
	uint64_t word;

	if (to <= from || to >= from + len)
		return memcpy(dst, src, len);
	while (len >= sizeof(word)) {
		len -= sizeof(word);
		__builtin_memcpy(&word, from + len, sizeof(word));
		__builtin_memcpy(to + len, &word, sizeof(word));
	}
	while (len--)
		to[len] = from[len];
	return dst;
}

void *memset(void *dst, int byte, size_t len)
{
	const uint64_t word = 0x0101010101010101ULL * (unsigned char)byte;
	unsigned char *to = dst;

	if (len >= SHORT) {
		sb_arch_fill(dst, byte, len);
		return dst;
	}
	for (; len >= sizeof(word); len -= sizeof(word), to += sizeof(word))
		__builtin_memcpy(to, &word, sizeof(word));
	while (len--)
		*to++ = (unsigned char)byte;
	return dst;
}

int memcmp(const void *a, const void *b, size_t len)
{
	const unsigned char *x = a;
	const unsigned char *y = b;
	uint64_t left;
	uint64_t right;

	for (; len >= sizeof(left); len -= sizeof(left), x += sizeof(left), y += sizeof(left)) {
		__builtin_memcpy(&left, x, sizeof(left));
		__builtin_memcpy(&right, y, sizeof(right));
		if (left != right)
			break;
	}
	for (size_t i = 0; i < len; i++) {
		if (x[i] != y[i])
			return x[i] - y[i];
	}
	return 0;
}

size_t strlen(const char *text)
{
	size_t len = 0;

	while (text[len])
		len++;
	return len;
}
