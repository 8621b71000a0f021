/* SPDX-License-Identifier: MIT */
/*
 * test_mem.c - the guest's own memcpy, memmove, memset, memcmp and strlen work like libc's.
 *
 * mem.c defines libc's names, so this test includes it under other names.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "check.h"

#define memcpy guest_memcpy
#define memmove guest_memmove
#define memset guest_memset
#define memcmp guest_memcmp
#define strlen guest_strlen
#include "base/mem.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen

#define SIZE 64

static void fill(unsigned char *bytes)
{
	for (unsigned i = 0; i < SIZE; i++)
		bytes[i] = (unsigned char)(i * 7 + 1);
}

static void test_memmove_handles_every_overlap(void)
{
	unsigned char ours[SIZE];
	unsigned char theirs[SIZE];

	for (size_t from = 0; from < SIZE; from++) {
		for (size_t to = 0; to < SIZE; to++) {
			size_t len = SIZE - (from > to ? from : to);

			fill(ours);
			fill(theirs);
			CHECK(guest_memmove(ours + to, ours + from, len) == ours + to);
			memmove(theirs + to, theirs + from, len);
			CHECK(memcmp(ours, theirs, SIZE) == 0);
		}
	}
}

static void test_memcpy_and_memset_only_change_their_range(void)
{
	unsigned char source[SIZE];
	unsigned char ours[SIZE];

	fill(source);
	for (size_t len = 0; len < SIZE - 2; len++) {
		memset(ours, 0xee, SIZE);
		CHECK(guest_memcpy(ours + 1, source, len) == ours + 1);
		CHECK(memcmp(ours + 1, source, len) == 0);
		CHECK(ours[0] == 0xee && ours[len + 1] == 0xee);
		CHECK(guest_memset(ours + 1, 0x1ab, len) == ours + 1);
		for (size_t i = 0; i < len; i++)
			CHECK_INT(ours[i + 1], 0xab);
		CHECK(ours[0] == 0xee && ours[len + 1] == 0xee);
	}
}

static void test_memcmp_compares_unsigned_bytes(void)
{
	CHECK(guest_memcmp("a", "b", 1) < 0);
	CHECK(guest_memcmp("\xff", "\x01", 1) > 0);
	CHECK_INT(guest_memcmp("same", "same", 5), 0);
	CHECK_INT(guest_memcmp("x", "y", 0), 0);
}

static void test_strlen_stops_at_the_first_nul(void)
{
	CHECK_INT(guest_strlen(""), 0);
	CHECK_INT(guest_strlen("four"), 4);
	CHECK_INT(guest_strlen("a\0b"), 1);
}

static void test_the_hash_reads_no_byte_beyond_the_length(void)
{
	for (size_t len = 0; len < SIZE; len++) {
		char *exact = malloc(len ? len : 1); /* AddressSanitizer guards its end */
		char padded[SIZE + 8];

		memset(exact, 'x', len);
		memset(padded, 'y', sizeof(padded));
		memset(padded, 'x', len);
		CHECK(sb_hash(exact, len) == sb_hash(padded, len));
		free(exact);
	}
	CHECK(sb_hash("a", 1) != sb_hash("b", 1));
	CHECK(sb_hash("\0", 1) != sb_hash("\0\0", 2));
}

int main(void)
{
	test_memmove_handles_every_overlap();
	test_memcpy_and_memset_only_change_their_range();
	test_memcmp_compares_unsigned_bytes();
	test_strlen_stops_at_the_first_nul();
	test_the_hash_reads_no_byte_beyond_the_length();
	return 0;
}
