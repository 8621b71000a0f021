/* SPDX-License-Identifier: MIT */
/*
 * test_log.c - a log entry is always one line, however strange or long its parts are.
 */
#include "pure/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "check.h"

/* Write an entry and return it, NUL-terminated. */
static const char *written(struct sb_line *line)
{
	static char text[SB_LINE_MAX * 2];
	int ends[2];
	ssize_t len;

	CHECK_INT(pipe(ends), 0);
	sb_line_write(line, ends[1]);
	len = read(ends[0], text, sizeof(text) - 1);
	CHECK(len > 0);
	text[len] = '\0';
	close(ends[0]);
	close(ends[1]);
	return text;
}

static void test_the_smallest_and_largest_numbers_are_written(void)
{
	struct sb_line line;

	sb_line_start(&line);
	sb_line_dec(&line, INT64_MIN);
	sb_line_add(&line, " ");
	sb_line_dec(&line, INT64_MAX);
	sb_line_add(&line, " ");
	sb_line_dec(&line, 0);
	sb_line_add(&line, " ");
	sb_line_hex(&line, UINT64_MAX);
	CHECK_STR(written(&line),
		  "-9223372036854775808 9223372036854775807 0 0xffffffffffffffff\n");
}

static void test_results_are_written_as_errno_names(void)
{
	struct sb_line line;

	sb_line_start(&line);
	sb_line_result(&line, -ENOENT);
	sb_line_add(&line, " ");
	sb_line_result(&line, 7);
	CHECK_STR(written(&line), "-ENOENT 7\n");
	CHECK_STR(sb_errno_name(EPERM), "EPERM");
	CHECK(sb_errno_name(0) == NULL);
	CHECK(sb_errno_name(-1) == NULL);
	CHECK(sb_errno_name(100000) == NULL);
}

static void test_unprintable_bytes_are_escaped(void)
{
	struct sb_line line;

	sb_line_start(&line);
	sb_line_bytes(&line, "a\n\xff", 3);
	CHECK_STR(written(&line), "a\\x0a\\xff\n");
}

static void test_a_line_that_is_too_long_is_cut_and_marked(void)
{
	static char bytes[5000];
	struct sb_line line;
	const char *text;
	size_t len;

	memset(bytes, '\n', sizeof(bytes));
	sb_line_start(&line);
	sb_line_bytes(&line, bytes, sizeof(bytes));
	sb_line_add(&line, "more");
	sb_line_dec(&line, 1);
	text = written(&line);
	len = strlen(text);
	CHECK(len <= sizeof(line.text));
	CHECK_STR(text + len - 4, "...\n");
	CHECK(strchr(text, '\n') == text + len - 1);
}

static void test_append_only_adds_to_an_existing_file(void)
{
	struct sb_line line;
	char text[64];
	ssize_t len;
	int fd = open("trace", O_CREAT | O_RDWR, 0600);

	for (int i = 0; i < 2; i++) {
		sb_line_start(&line);
		sb_line_add(&line, "row");
		sb_line_append(&line, "trace");
	}
	len = read(fd, text, sizeof(text));
	CHECK_INT(len, 8);
	CHECK(memcmp(text, "row\nrow\n", 8) == 0);
	close(fd);
	sb_line_start(&line);
	sb_line_append(&line, "absent");
	CHECK_INT(access("absent", F_OK), -1);
}

int main(void)
{
	test_the_smallest_and_largest_numbers_are_written();
	test_results_are_written_as_errno_names();
	test_unprintable_bytes_are_escaped();
	test_a_line_that_is_too_long_is_cut_and_marked();
	test_append_only_adds_to_an_existing_file();
	return 0;
}
