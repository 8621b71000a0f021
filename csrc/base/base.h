/* SPDX-License-Identifier: MIT */
/*
 * base.h - compiler helpers for every file.
 *
 * Rules
 *   No function here makes a system call.
 */
#ifndef SB_BASE_H
#define SB_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SB_MUST_CHECK __attribute__((warn_unused_result))
#define SB_UNUSED __attribute__((unused))
#define SB_NORETURN __attribute__((noreturn))
#define SB_COLD __attribute__((cold, noinline))
#define SB_ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))
#define SB_LIKELY(x) __builtin_expect(!!(x), 1)
#define SB_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define SB_MIN(a, b) ((a) < (b) ? (a) : (b))
#define SB_MAX(a, b) ((a) > (b) ? (a) : (b))

/* The guest ELF is one piece: with hidden declarations gcc reaches every symbol relative to the
 * instruction, without a table of addresses. */
#if !__STDC_HOSTED__
#pragma GCC visibility push(hidden)
#endif

/* Exit status of a guest when the runtime finds a broken invariant of its own. */
#define SB_EXIT_BUG 123

#endif
