/* SPDX-License-Identifier: MIT */
/*
 * check.h - assertions of the C unit tests. A failure prints what differed and ends the test.
 */
#ifndef SB_TEST_CHECK_H
#define SB_TEST_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                          \
	do {                                                                                      \
		if (!(condition)) {                                                               \
			fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
			exit(1);                                                                  \
		}                                                                                 \
	} while (0)

#define CHECK_INT(actual, expected)                                                               \
	do {                                                                                      \
		long long check_a = (long long)(actual);                                          \
		long long check_e = (long long)(expected);                                        \
		if (check_a != check_e) {                                                         \
			fprintf(stderr, "%s:%d: %s is %lld, expected %lld\n", __FILE__, __LINE__, \
				#actual, check_a, check_e);                                       \
			exit(1);                                                                  \
		}                                                                                 \
	} while (0)

#define CHECK_STR(actual, expected)                                                         \
	do {                                                                                \
		const char *check_a = (actual);                                             \
		const char *check_e = (expected);                                           \
		if (strcmp(check_a, check_e) != 0) {                                        \
			fprintf(stderr, "%s:%d: %s is \"%s\", expected \"%s\"\n", __FILE__, \
				__LINE__, #actual, check_a, check_e);                       \
			exit(1);                                                            \
		}                                                                           \
	} while (0)

#endif
