/* SPDX-License-Identifier: MIT */
/* test_path.c - path strings in fixed buffers. */
#include <errno.h>

#include "check.h"
#include "pure/path.h"

static struct sb_path path;
static char long_name[SB_PATH_MAX + 1];

static void test_names_are_appended(void)
{
	CHECK_INT(sb_path_set(&path, "/", 1), 0);
	CHECK_INT(sb_path_join(&path, "usr", 3), 0);
	CHECK_STR(path.buf, "/usr");
	CHECK_INT(sb_path_join(&path, "bin/more", 3), 0);
	CHECK_STR(path.buf, "/usr/bin");
	CHECK_INT(path.len, 8);
	CHECK_INT(sb_path_add(&path, ".old", 4), 0);
	CHECK_STR(path.buf, "/usr/bin.old");
}

static void test_the_last_name_is_removed(void)
{
	CHECK_INT(sb_path_set(&path, "/usr/bin", 8), 0);
	CHECK_INT(sb_path_name(&path), 5);
	sb_path_pop(&path);
	CHECK_STR(path.buf, "/usr");
	CHECK_INT(sb_path_name(&path), 1);
	sb_path_pop(&path);
	CHECK_STR(path.buf, "/");
	sb_path_pop(&path);
	CHECK_STR(path.buf, "/");
	CHECK_INT(sb_path_name(&path), 1);
}

static void test_a_name_that_does_not_fit_leaves_the_path_unchanged(void)
{
	memset(long_name, 'n', sizeof(long_name) - 1);
	CHECK_INT(sb_path_set(&path, long_name, SB_PATH_MAX), -ENAMETOOLONG);
	CHECK_INT(sb_path_set(&path, "/", 1), 0);
	CHECK_INT(sb_path_join(&path, long_name, SB_PATH_MAX - 1), -ENAMETOOLONG);
	CHECK_STR(path.buf, "/");
	CHECK_INT(sb_path_join(&path, long_name, SB_PATH_MAX - 2), 0);
	CHECK_INT(path.len, SB_PATH_MAX - 1);
	CHECK_INT(sb_path_add(&path, "x", 1), -ENAMETOOLONG);
	CHECK_INT(sb_path_join(&path, "", 0), -ENAMETOOLONG);
	CHECK_INT(path.len, SB_PATH_MAX - 1);
}

static bool within(const char *inner, const char *outer)
{
	return sb_path_within(inner, strlen(inner), outer, strlen(outer));
}

static void test_within_compares_whole_names(void)
{
	CHECK(within("/", "/"));
	CHECK(within("/a", "/"));
	CHECK(within("/a", "/a"));
	CHECK(within("/a/b", "/a"));
	CHECK(!within("/ab", "/a"));
	CHECK(!within("/", "/a"));
	CHECK(!within("/b/a", "/a"));
}

static void goes(const char *base, const char *from, const char *to)
{
	CHECK_INT(sb_path_set(&path, base, strlen(base)), 0);
	CHECK_INT(sb_path_go(&path, from, strlen(from)), 0);
	CHECK_STR(path.buf, to);
}

static void test_dots_at_the_beginning_are_followed(void)
{
	goes("/w/a", "f", "/w/a/f");
	goes("/w/a", "./f", "/w/a/f");
	goes("/w/a", ".//b/f", "/w/a/b/f");
	goes("/w/a", "../f", "/w/f");
	goes("/w/a", "./../.././../f", "/f");
	goes("/w/a", "../.../f", "/w/.../f");
	goes("/w/a", "..f", "/w/a/..f");
	goes("/", "../f", "/f");
}

static void test_other_dots_leave_a_path_that_is_not_canonical(void)
{
	static const char *const others[] = {".",     "..",     "./",   "../",
					     "../..", "b/../f", "b//f", "b/"};

	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		CHECK_INT(sb_path_set(&path, "/w/a", 4), 0);
		CHECK_INT(sb_path_go(&path, others[i], strlen(others[i])), 0);
		CHECK_INT(sb_path_canonical(path.buf), 0);
	}
}

int main(void)
{
	test_names_are_appended();
	test_the_last_name_is_removed();
	test_a_name_that_does_not_fit_leaves_the_path_unchanged();
	test_within_compares_whole_names();
	test_dots_at_the_beginning_are_followed();
	test_other_dots_leave_a_path_that_is_not_canonical();
	return 0;
}
