/* SPDX-License-Identifier: MIT */
/*
 * test_layer.c - the table of a layer that is being unpacked, and the plain members of its tar.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "layers/layer_quick.h"
#include "layers/layer_table.h"

static int new_file(void)
{
	char name[] = "draft-XXXXXX";
	int fd = mkstemp(name);

	CHECK(fd >= 0);
	CHECK_INT(unlink(name), 0);
	return fd;
}

static struct sb_table *new_table(int fd)
{
	int error = 1;
	struct sb_table *t = sb_table_open(fd, &error);

	CHECK(t != NULL);
	CHECK_INT(error, 0);
	return t;
}

static int put(struct sb_table *t, const char *path, char kind, uint64_t size)
{
	struct sb_record row = {.kind = (uint8_t)kind, .mode = 0755, .size = size};

	return sb_table_put(t, path, (uint32_t)strlen(path), &row, "", "", 0);
}

/* More names than the buffer holds, so most are read from the file. */
static void many_names_are_found(void)
{
	enum { COUNT = 9000 };
	int fd = new_file();
	struct sb_table *t = new_table(fd);
	char path[64];

	for (int i = 0; i < COUNT; i++) {
		snprintf(path, sizeof(path), "folder/name-%d", i);
		CHECK_INT(put(t, path, 'f', 1), 0);
	}
	CHECK_INT(put(t, "folder/name-1", 'f', 1), -EEXIST);
	for (int i = 0; i < COUNT; i += 3) {
		snprintf(path, sizeof(path), "folder/name-%d", i);
		CHECK_INT(sb_table_remove(t, path, (uint32_t)strlen(path)), 0);
		CHECK_INT(sb_table_find(t, path, (uint32_t)strlen(path)), -ENOENT);
		CHECK_INT(sb_table_remove(t, path, (uint32_t)strlen(path)), -ENOENT);
	}
	CHECK_INT(sb_table_size(t), COUNT / 3 * 2);
	sb_table_close(t);
	close(fd);
}

static void too_long_names_are_refused(void)
{
	static char path[5000];
	int fd = new_file();
	struct sb_table *t = new_table(fd);

	memset(path, 'a', sizeof(path) - 1);
	CHECK_INT(put(t, path, 'f', 0), -ENAMETOOLONG);
	CHECK_INT(sb_table_mark(t, path, 4095, 'w'), -ENAMETOOLONG);
	CHECK_INT(sb_table_mark(t, path, 4094, 'w'), 0);
	path[4095] = '\0';
	CHECK_INT(put(t, path, 'f', 0), 0);
	CHECK_INT(sb_table_link(t, "b", 1, path, 4095), 0);
	CHECK_INT(sb_table_write(t, new_file()), 3);
	sb_table_close(t);
	close(fd);
}

static void add_header(char *block, const char *name, char kind, unsigned size)
{
	unsigned sum = 0;

	memset(block, 0, 512);
	strcpy(block, name);
	memcpy(block + 100, "0000644\0000000000\0000000000", 24);
	snprintf(block + 124, 12, "%011o", size);
	memcpy(block + 136, "00000000007", 12);
	memcpy(block + 148, "        ", 8);
	block[156] = kind;
	memcpy(block + 257, "ustar\00000", 8);
	for (int i = 0; i < 512; i++)
		sum += (unsigned char)block[i];
	snprintf(block + 148, 8, "%06o", sum);
}

/* Unpack a copy of exactly len bytes, so that the sanitizer finds a read beyond them. */
static int64_t run(struct sb_quick *q, const char *bytes, size_t len, uint32_t members)
{
	char *exact = malloc(len);
	uint32_t made;
	int error;
	int64_t taken;

	memcpy(exact, bytes, len);
	taken = sb_quick_run(q, exact, len, &made, &error);
	CHECK_INT(made, members);
	CHECK_INT(error, 0);
	free(exact);
	return taken;
}

static void plain_members_are_unpacked_and_others_are_left(void)
{
	static char tar[8 * 512];
	int fd = new_file();
	struct sb_table *t = new_table(fd);
	struct sb_quick *q;
	struct stat st;
	int top;

	CHECK_INT(mkdir("top", 0700), 0);
	top = open("top", O_RDONLY | O_DIRECTORY);
	q = sb_quick_open(t, top, umask(022));
	add_header(tar, "./d/", '5', 0);
	add_header(tar + 512, "d/f", '0', 600);
	memset(tar + 1024, 'x', 600);
	add_header(tar + 2048, "d/../g", '0', 0);
	CHECK_INT(run(q, tar, 2047, 1), 512);
	CHECK_INT(run(q, tar + 512, 2048, 1), 1536);
	CHECK_INT(run(q, tar + 512, 2048, 0), 0);
	CHECK_INT(run(q, tar + 2048, 512, 0), 0);
	add_header(tar + 2048, "none/g", '0', 0);
	CHECK_INT(run(q, tar + 2048, 512, 0), 0);
	add_header(tar + 2048, "d/f/g", '0', 0);
	CHECK_INT(run(q, tar + 2048, 512, 0), 0);
	CHECK_INT(fstatat(top, "d/f", &st, 0), 0);
	CHECK_INT(st.st_size, 600);
	CHECK_INT(st.st_mtime, 7);
	CHECK_INT(faccessat(top, "g", F_OK, 0), -1);
	sb_quick_close(q);
	sb_table_close(t);
	close(top);
	close(fd);
}

int main(void)
{
	many_names_are_found();
	too_long_names_are_refused();
	plain_members_are_unpacked_and_others_are_left();
	return 0;
}
