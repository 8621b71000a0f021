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

int main(void)
{
	test_names_are_appended();
	test_the_last_name_is_removed();
	test_a_name_that_does_not_fit_leaves_the_path_unchanged();
	test_within_compares_whole_names();
	return 0;
}
