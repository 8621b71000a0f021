/* SPDX-License-Identifier: MIT */
/*
 * test_path.c - path strings never overflow and never change on failure.
 */
#include "path.h"

#include <errno.h>

#include "check.h"

static void set(struct sb_path *path, const char *text)
{
	CHECK_INT(sb_path_set(path, text, strlen(text)), 0);
}

static bool within(const char *inner, const char *outer)
{
	return sb_path_within(inner, strlen(inner), outer, strlen(outer));
}

static void test_join_adds_one_slash_between(void)
{
	struct sb_path path;

	set(&path, "/");
	CHECK_INT(sb_path_join(&path, "usr", 3), 0);
	CHECK_STR(path.buf, "/usr");
	CHECK_INT(sb_path_join(&path, "binary", 3), 0);
	CHECK_STR(path.buf, "/usr/bin");
	CHECK_INT(path.len, 8);
	CHECK_STR(path.buf + sb_path_name(&path), "bin");
}

static void test_pop_stops_at_the_root(void)
{
	struct sb_path path;

	set(&path, "/a/b");
	sb_path_pop(&path);
	CHECK_STR(path.buf, "/a");
	sb_path_pop(&path);
	CHECK_STR(path.buf, "/");
	sb_path_pop(&path);
	CHECK_STR(path.buf, "/");
	CHECK_INT(path.len, 1);
	CHECK_INT(sb_path_name(&path), 1);
}

static void test_longest_path_fits_and_one_more_byte_does_not(void)
{
	static char bytes[SB_PATH_MAX];
	struct sb_path path;

	memset(bytes, 'x', sizeof(bytes));
	bytes[0] = '/';
	CHECK_INT(sb_path_set(&path, bytes, SB_PATH_MAX - 1), 0);
	CHECK_INT(path.buf[SB_PATH_MAX - 1], 0);
	CHECK_INT(sb_path_set(&path, bytes, SB_PATH_MAX), -ENAMETOOLONG);
	CHECK_INT(sb_path_add(&path, "y", 1), -ENAMETOOLONG);
	CHECK_INT(sb_path_join(&path, "", 0), -ENAMETOOLONG);
	CHECK_INT(path.len, SB_PATH_MAX - 1);
	CHECK_INT(path.buf[SB_PATH_MAX - 1], 0);
	CHECK_INT(sb_path_set(&path, bytes, SB_PATH_MAX - 3), 0);
	CHECK_INT(sb_path_join(&path, "yz", 2), -ENAMETOOLONG);
	CHECK_INT(sb_path_join(&path, "y", 1), 0);
	CHECK_INT(path.len, SB_PATH_MAX - 1);
}

static void test_within_compares_whole_components(void)
{
	CHECK(within("/a/b", "/a"));
	CHECK(within("/a", "/a"));
	CHECK(within("/anything", "/"));
	CHECK(within("/", "/"));
	CHECK(!within("/ab", "/a"));
	CHECK(!within("/", "/a"));
	CHECK(!within("/b/a", "/a"));
}

int main(void)
{
	test_join_adds_one_slash_between();
	test_pop_stops_at_the_root();
	test_longest_path_fits_and_one_more_byte_does_not();
	test_within_compares_whole_components();
	return 0;
}
