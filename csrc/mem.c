/* SPDX-License-Identifier: MIT */
/*
 * mem.c - the libc-named functions that gcc may call in the guest build.
 *
 * Level 0. "rep" string instructions: no vector registers, which belong to the
 * guest.
 */
#include "mem.h"

#if defined(__x86_64__)
#include "arch/x86_64/rep.h"
#endif

void *memcpy(void *restrict dst, const void *restrict src, size_t len)
{
	sb_rep_copy(dst, src, len);
	return dst;
}

void *memmove(void *dst, const void *src, size_t len)
{
	unsigned char *to = dst;
	const unsigned char *from = src;

	if (to <= from || to >= from + len) {
		sb_rep_copy(dst, src, len);
		return dst;
	}
	while (len--)
		to[len] = from[len];
	return dst;
}

void *memset(void *dst, int byte, size_t len)
{
	sb_rep_fill(dst, byte, len);
	return dst;
}

int memcmp(const void *a, const void *b, size_t len)
{
	const unsigned char *x = a;
	const unsigned char *y = b;

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
