/* SPDX-License-Identifier: MIT */
/*
 * test_dirlist.c - list a directory while it changes. Entries that exist all the time are listed
 * exactly once, with the inode number and the type of stat, for every size of the buffer.
 */
#include "view/view.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/dirent.h"
#include "check.h"
#include "hosted/internal.h"
#include "layers/index_build.h"
#include "change/internal.h"

#define FILES 150
#define must(result) CHECK_INT(result, 0)

static char base[2048];   /* absolute path of the test's folder */
static char dir[2200];    /* guest path of the directory to list */
static struct sb_hosted *h;
static int seen[2 * FILES + 20];
static bool live;
static bool narrow;

static const char *below(const char *name)
{
	static char path[16][4096];
	static int turn;

	turn = (turn + 1) % 16;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", base, name);
	return path[turn];
}

/* Return the path of "f12" or "g12" in the listed directory. */
static const char *name_of(int number)
{
	static char name[2300];

	snprintf(name, sizeof(name), "%s/%c%d", dir, number < FILES ? 'f' : 'g', number % FILES);
	return name;
}

static void make_file(const char *host)
{
	FILE *file = fopen(host, "w");

	CHECK(file != NULL);
	CHECK_INT(fclose(file), 0);
}

/* Write a packed row to *to. */
static char *add_row(char *to, const char *path, char type)
{
	struct sb_row row = {
		.path_len = (uint16_t)strlen(path), .type = (uint8_t)type, .mode = 0755};

	memcpy(to, &row, sizeof(row));
	memcpy(to + sizeof(row), path, row.path_len);
	return to + sizeof(row) + row.path_len;
}

/* Make layer `number`: d/ with FILES files whose names begin with letter. */
static void make_layer(int number, char letter, struct sb_layer_rows *layer, char *rows)
{
	static char relative[2][32];
	static char diff[2][4096];
	char name[64];
	char *to = rows;

	snprintf(relative[number], sizeof(relative[number]), "layer%d", number);
	snprintf(diff[number], sizeof(diff[number]), "%s", below(relative[number]));
	must(mkdir(diff[number], 0755));
	snprintf(name, sizeof(name), "layer%d/d", number);
	must(mkdir(below(name), 0755));
	to = add_row(to, "d", 'd');
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "layer%d/d/%c%d", number, letter, i);
		make_file(below(name));
		to = add_row(to, strchr(name, '/') + 1, 'f');
	}
	*layer = (struct sb_layer_rows){.diff = diff[number],
					.relative = relative[number],
					.rows = rows,
					.rows_len = (uint64_t)(to - rows)};
}

static void open_tree(const char *index)
{
	struct sb_hosted_spec spec = {
		.store = base,
		.run = base,
		.upper = below("upper"),
		.work = below("work"),
		.owners = below("owners"),
		.index = index,
		.hostname = "box",
		.host_uid = getuid(),
		.host_gid = getgid(),
	};
	int error;

	must(mkdir(spec.upper, 0755));
	must(mkdir(spec.work, 0755));
	must(sb_hosted_create(below("control"), &spec));
	h = sb_hosted_open_draft(below("control"), &error);
	CHECK(h != NULL);
	if (narrow)
		h->draft->flags |= SB_CONTROL_SHORT_POSITIONS;
}

/* Make d/ from so many layers, or from a live lower when layers is 0. */
static void set_up(const char *folder, int layers)
{
	static char rows[2][FILES * 64 + 64];
	struct sb_layer_rows list[2];
	char problem[256];
	char name[64];

	CHECK(getcwd(base, sizeof(base) - 100) != NULL);
	snprintf(base + strlen(base), 50, "/%s", folder);
	must(mkdir(base, 0755));
	live = layers == 0;
	for (int i = 0; i < layers; i++)
		make_layer(i, i == 0 ? 'f' : 'g', &list[i], rows[i]);
	if (!live) {
		must(sb_index_build(list, (uint32_t)layers, below("index"), problem));
		snprintf(dir, sizeof(dir), "/d");
		open_tree(below("index"));
		return;
	}
	must(mkdir(below("d"), 0755));
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "d/f%d", i);
		make_file(below(name));
	}
	snprintf(dir, sizeof(dir), "%s/d", base);
	open_tree("");
}

static int open_dir(void)
{
	int fd;

	must(sb_tree_lookup(&h->fs, "/", 1, dir, 0, &h->work.a));
	fd = open(h->work.a.host.buf, O_RDONLY | O_DIRECTORY);
	CHECK(fd >= 0);
	memset(seen, 0, sizeof(seen));
	return fd;
}

/* Return the index of a name in seen[]. */
static int slot_of(const char *name)
{
	if (strcmp(name, ".") == 0)
		return 2 * FILES;
	if (strcmp(name, "..") == 0)
		return 2 * FILES + 1;
	if (strcmp(name, "new") == 0)
		return 2 * FILES + 2;
	CHECK(name[0] == 'f' || name[0] == 'g');
	return (name[0] == 'g' ? FILES : 0) + atoi(name + 1);
}

static void check_entry(const struct sb_dirent *entry)
{
	struct sb_hosted_stat st;
	char path[2500];

	snprintf(path, sizeof(path), "%s/%.255s", dir, entry->name);
	must(sb_hosted_stat(h, path, 0, &st));
	CHECK_INT(entry->ino, st.ino);
	CHECK_INT(entry->type, st.mode >> 12);
	seen[slot_of(entry->name)]++;
}

/* Read a portion of the directory as level 3 does: the index lists an untouched directory of an
 * image, the kernel a native one. Returns the number of bytes. */
static long read_some(int fd, size_t size)
{
	_Alignas(8) char buf[4096];
	struct sb_at *at = &h->work.a;
	long pos;
	long len = sb_dirlist_read_untouched(&h->fs, fd, buf, size, &pos);

	must(sb_tree_lookup(&h->fs, "/", 1, dir, 0, at));
	if (len == -SB_ELIST && sb_dirlist_is_native(&h->fs, at))
		len = syscall(SYS_getdents64, fd, buf, size);
	else if (len == -SB_ELIST)
		len = sb_dirlist_read(&h->fs, fd, at, buf, size);
	CHECK(len >= 0);
	for (long i = 0; i < len;) {
		const struct sb_dirent *entry = (const void *)(buf + i);

		i += entry->reclen;
		if (strcmp(entry->name, "..") == 0) /* a native list has the layer's own parent */
			seen[slot_of("..")]++;
		else
			check_entry(entry);
	}
	return len;
}

static void read_all(int fd, size_t size)
{
	while (read_some(fd, size) > 0)
		;
	CHECK_INT(read_some(fd, size), 0);
}

static void check_once(int from, int to, int expected)
{
	for (int i = from; i < to; i++)
		CHECK_INT(seen[i], expected);
}

static void check_dots(void)
{
	CHECK_INT(seen[2 * FILES], 1);
	CHECK_INT(seen[2 * FILES + 1], 1);
}

static void make_new(void)
{
	char path[2300];
	int fd;

	snprintf(path, sizeof(path), "%s/new", dir);
	fd = sb_hosted_create_file(h, path, 0644);
	CHECK(fd >= 0);
	close(fd);
}

static void tear_down(int fd)
{
	close(fd);
	sb_hosted_close(h);
}

/* Change entries, so that the upper has copies, whiteouts and new names. */
static void change_everything(void)
{
	for (int i = 0; i < FILES; i += 3)
		must(sb_hosted_chmod(h, name_of(i), 04755));
	for (int i = 1; i < FILES; i += 3)
		must(sb_hosted_unlink(h, name_of(i)));
	make_new();
}

static void test_every_buffer_size_lists_each_entry_once(int layers, const char *folder)
{
	static const size_t sizes[] = {32, 64, 100, 1000, 4096};
	int total = layers == 2 ? 2 * FILES : FILES;
	int fd;

	set_up(folder, layers);
	change_everything();
	fd = open_dir();
	for (size_t i = 0; i < SB_ARRAY_LEN(sizes); i++) {
		memset(seen, 0, sizeof(seen));
		CHECK_INT(lseek(fd, 0, SEEK_SET), 0);
		read_all(fd, sizes[i]);
		for (int n = 0; n < total; n++)
			CHECK_INT(seen[n], n >= FILES || n % 3 != 1);
		CHECK_INT(seen[2 * FILES + 2], 1);
		check_dots();
	}
	must(sb_tree_lookup(&h->fs, "/", 1, dir, 0, &h->work.a));
	CHECK_INT(lseek(fd, 0, SEEK_SET), 0);
	CHECK_INT(sb_dirlist_read(&h->fs, fd, &h->work.a, (char[16]){0}, 16), -EINVAL);
	tear_down(fd);
}

/* The directory becomes a merged one after the first portion was read. */
static void test_a_change_while_reading_hides_and_repeats_nothing(int layers, const char *folder)
{
	int total = layers == 2 ? 2 * FILES : FILES;
	int fd;

	set_up(folder, layers);
	fd = open_dir();
	CHECK(read_some(fd, 500) > 0);
	change_everything();
	while (read_some(fd, 500) > 0)
		;
	for (int n = 0; n < total; n++) {
		if (n >= FILES || n % 3 != 1)
			CHECK_INT(seen[n], 1);
	}
	check_dots();
	CHECK(seen[2 * FILES + 2] <= 1);
	tear_down(fd);
}

/* Like rm -r: remove the entries of each portion. */
static void test_removing_while_reading_lists_each_entry_once(int layers, const char *folder)
{
	int total = layers == 2 ? 2 * FILES : FILES;
	bool gone[2 * FILES] = {false};
	int fd;

	set_up(folder, layers);
	fd = open_dir();
	while (read_some(fd, 300) > 0) {
		for (int n = 0; n < total; n++) {
			if (seen[n] == 0 || gone[n])
				continue;
			gone[n] = true;
			must(sb_hosted_unlink(h, name_of(n)));
		}
	}
	check_once(0, total, 1);
	must(sb_tree_lookup(&h->fs, "/", 1, dir, 0, &h->work.a));
	CHECK_INT(sb_dirlist_is_empty(&h->fs, &h->work.a), 1);
	must(sb_hosted_rmdir(h, dir));
	tear_down(fd);
}

/* Read a descriptor that was opened before the first change. */
static void test_a_descriptor_from_before_the_first_change_is_reopened(int layers,
								       const char *folder)
{
	const char *upper;
	int fd;
	int fresh;

	set_up(folder, layers);
	fd = open_dir();
	must(sb_tree_lookup(&h->fs, "/", 1, dir, 0, &h->work.a));
	CHECK(sb_dirlist_reopen(&h->fs, fd, &h->work.a) == NULL);
	make_new();
	must(sb_tree_lookup(&h->fs, "/", 1, dir, 0, &h->work.a));
	upper = sb_dirlist_reopen(&h->fs, fd, &h->work.a);
	CHECK(upper != NULL);
	fresh = open(upper, O_RDONLY | O_DIRECTORY);
	CHECK(fresh >= 0);
	close(fd);
	read_all(fresh, 1000);
	check_once(0, FILES, 1);
	CHECK_INT(seen[2 * FILES + 2], 1);
	must(sb_tree_lookup(&h->fs, "/", 1, dir, 0, &h->work.a));
	CHECK(sb_dirlist_reopen(&h->fs, fresh, &h->work.a) == NULL);
	tear_down(fresh);
}

static void test_seek_back_repeats_the_rest(int layers, const char *folder)
{
	int first[SB_ARRAY_LEN(seen)];
	off_t middle;
	int fd;

	set_up(folder, layers);
	change_everything();
	fd = open_dir();
	CHECK(read_some(fd, 700) > 0);
	middle = lseek(fd, 0, SEEK_CUR);
	memset(seen, 0, sizeof(seen));
	read_all(fd, 700);
	memcpy(first, seen, sizeof(first));
	memset(seen, 0, sizeof(seen));
	CHECK(lseek(fd, middle, SEEK_SET) == middle);
	read_all(fd, 123);
	CHECK(memcmp(first, seen, sizeof(first)) == 0);
	tear_down(fd);
}

/* The index lists an untouched directory: entries, positions, and the cases that it declines. */
static void test_the_index_lists_an_untouched_directory(int layers, const char *folder)
{
	char buf[64];
	long pos;
	int fd;

	set_up(folder, layers);
	fd = open_dir();
	if (layers == 0) {
		CHECK_INT(sb_dirlist_read_untouched(&h->fs, fd, buf, 64, &pos), -SB_ELIST);
		tear_down(fd);
		return;
	}
	CHECK_INT(sb_dirlist_read_untouched(&h->fs, fd, buf, 23, &pos), -EINVAL);
	CHECK_INT(sb_dirlist_read_untouched(&h->fs, fd, buf, 47, &pos), 24); /* "." */
	CHECK_INT(pos, 0);
	CHECK_INT(sb_dirlist_read_untouched(&h->fs, fd, buf, 64, &pos), 48); /* "..", "f0" */
	CHECK_STR(buf + 24 + offsetof(struct sb_dirent, name), "f0");
	CHECK_INT(sb_dirlist_read_untouched(&h->fs, dup(fd), buf, 24, &pos), 24);
	CHECK_STR(buf + offsetof(struct sb_dirent, name), "f1");
	CHECK(lseek(fd, pos + 1000, SEEK_SET) > 0);
	CHECK_INT(sb_dirlist_read_untouched(&h->fs, fd, buf, 64, &pos), 0);
	CHECK_INT(sb_dirlist_read_untouched(&h->fs, -1, buf, 64, &pos), -SB_ELIST);
	CHECK_INT(lseek(fd, 0, SEEK_SET), 0);
	make_new();
	CHECK_INT(sb_dirlist_read_untouched(&h->fs, fd, buf, 64, &pos), -SB_ELIST);
	tear_down(fd);
}

static void with_each(void (*test)(int, const char *), const char *name)
{
	static const char *const kinds[] = {"live", "native", "merged"};
	char folder[64];

	for (int layers = 0; layers <= 2; layers++) {
		snprintf(folder, sizeof(folder), "%s-%s-%s", name, kinds[layers],
			 narrow ? "narrow" : "wide");
		test(layers, folder);
	}
}

static void test_all(void)
{
	with_each(test_every_buffer_size_lists_each_entry_once, "sizes");
	with_each(test_a_change_while_reading_hides_and_repeats_nothing, "change");
	with_each(test_removing_while_reading_lists_each_entry_once, "remove");
	with_each(test_the_index_lists_an_untouched_directory, "untouched");
	with_each(test_a_descriptor_from_before_the_first_change_is_reopened, "reopen");
	with_each(test_seek_back_repeats_the_rest, "seek");
}

int main(void)
{
	umask(022);
	test_all();
	narrow = true;
	test_all();
	return 0;
}
