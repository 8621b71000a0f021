/* SPDX-License-Identifier: MIT */
/* test_index.c - build an index from layers, check it and search it. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "layers/index_build.h"
#include "tree/control.h"
#include "tree/index.h"

static char rows[2][65536];
static struct sb_layer_rows layers[2];
static struct sb_control control;
static struct sb_tree tree;
static char problem[256];
static unsigned char state[4096];

static void add_row(unsigned layer, const char *path, char type, const char *link)
{
	struct sb_row row = {
		.path_len = (uint16_t)strlen(path),
		.type = (uint8_t)type,
		.mode = 0640,
		.uid = 3,
		.mtime = -1,
		.link_len = (uint32_t)strlen(link),
	};
	char *at = rows[layer] + layers[layer].rows_len;

	memcpy(at, &row, sizeof(row));
	memcpy(at + sizeof(row), path, row.path_len);
	memcpy(at + sizeof(row) + row.path_len, link, row.link_len);
	layers[layer].rows_len += sizeof(row) + row.path_len + row.link_len;
}

static void make_file(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	CHECK(fd >= 0);
	CHECK_INT(write(fd, "12345", 5), 5);
	close(fd);
}

static void start(unsigned count)
{
	static const char *const diffs[] = {"store/0", "store/1"};
	static const char *const names[] = {"0", "1"};

	mkdir("store", 0700);
	for (unsigned i = 0; i < count; i++) {
		mkdir(diffs[i], 0700);
		layers[i] = (struct sb_layer_rows){
			.diff = diffs[i],
			.relative = names[i],
			.rows = rows[i],
		};
	}
	unlink("index");
}

static uint32_t find(const char *path)
{
	return sb_index_find_path(&tree, path, strlen(path));
}

static void map_index(void)
{
	struct stat st;
	int fd = open("index", O_RDONLY);
	const struct sb_index *map;

	CHECK(fd >= 0);
	CHECK_INT(fstat(fd, &st), 0);
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(map != MAP_FAILED);
	close(fd);
	CHECK_INT(sb_index_check(map, (uint64_t)st.st_size), 0);
	CHECK_INT(sb_index_check(map, (uint64_t)st.st_size - 1), -EINVAL);
	control.node_count = map->node_count;
	memcpy(control.strings, "store", 6);
	control.strings_len = 6;
	control.store = (struct sb_text){.off = 0, .len = 5};
	tree = (struct sb_tree){.control = &control, .state = state};
	CHECK_INT(sb_tree_attach_index(&tree, map, (uint64_t)st.st_size), 0);
}

static void test_an_index_merges_two_layers(void)
{
	struct sb_path path;
	struct stat st;
	uint32_t node;

	start(2);
	mkdir("store/0/dir", 0700);
	make_file("store/0/dir/a");
	make_file("store/0/dir/b");
	CHECK_INT(link("store/0/dir/b", "store/0/hard"), 0);
	CHECK_INT(symlink("dir/a", "store/0/link"), 0);
	make_file("store/0/device");
	mkdir("store/1/new", 0700);
	make_file("store/1/new/file");
	add_row(0, "dir", 'd', "");
	add_row(0, "dir/a", 'f', "");
	add_row(0, "dir/b", 'f', "");
	add_row(0, "hard", 'f', "");
	add_row(0, "link", 'l', "dir/a");
	add_row(0, "device", 'p', "");
	add_row(1, "new/file", 'f', "");
	add_row(1, "dir/a", 'w', "");
	CHECK_INT(sb_index_build(layers, 2, "index", problem), 0);
	map_index();

	CHECK_INT(find("/"), 0);
	CHECK_INT(find("/dir/a"), SB_NO_NODE);
	CHECK_INT(find("/dir/b/"), SB_NO_NODE);
	CHECK_INT(find("dir"), SB_NO_NODE);
	CHECK_INT(tree.nodes[find("/dir")].child_count, 1);
	CHECK_INT(tree.nodes[find("/new")].child_count, 1);
	CHECK_INT(tree.nodes[find("/device")].flags, SB_NODE_PLACEHOLDER);
	CHECK_INT(tree.nodes[find("/device")].mode, S_IFIFO | 0640);
	CHECK_INT(tree.nodes[find("/hard")].nlink, 2);
	CHECK_INT(tree.nodes[find("/")].nlink, 4);
	CHECK_INT(tree.nodes[find("/hard")].mtime_sec, -1);
	CHECK_INT(tree.nodes[find("/hard")].mtime_nsec, 999999999);
	CHECK_STR(tree.strings + tree.nodes[find("/link")].link_off, "dir/a");
	CHECK_INT(sb_index_find_child(&tree, find("/dir"), "bee", 1), find("/dir/b"));
	CHECK_INT(sb_index_find_child(&tree, find("/dir"), "bee", 2), SB_NO_NODE);
	CHECK_INT(sb_index_find_child(&tree, find("/hard"), "b", 1), SB_NO_NODE);

	node = find("/new/file");
	CHECK_INT(sb_index_guest_path(&tree, node, &path), 0);
	CHECK_STR(path.buf, "/new/file");
	CHECK_INT(sb_index_host_path(&tree, node, &path), 0);
	CHECK_STR(path.buf, "store/1/new/file");
	CHECK_INT(stat(path.buf, &st), 0);
	CHECK_INT(sb_index_find_inode(&tree, st.st_ino), node);
	CHECK_INT(sb_index_find_inode(&tree, 1ULL << 60), SB_NO_NODE);
	CHECK_INT(sb_index_host_path(&tree, 0, &path), 0);
	CHECK_STR(path.buf, "store/0");
}

static void test_a_directory_with_many_children_is_searched(void)
{
	char name[64];

	start(1);
	for (unsigned i = 0; i < 600; i++) {
		snprintf(name, sizeof(name), "store/0/n%u", i * 7 % 600);
		make_file(name);
		add_row(0, name + 8, 'f', "");
	}
	CHECK_INT(sb_index_build(layers, 1, "index", problem), 0);
	map_index();
	CHECK_INT(tree.nodes[0].child_count, 600);
	for (unsigned i = 0; i < 600; i++) {
		uint32_t child;

		snprintf(name, sizeof(name), "/n%u", i);
		child = sb_index_find_child(&tree, 0, name + 1, strlen(name + 1));
		CHECK(child != SB_NO_NODE);
		CHECK_INT(child, find(name));
	}
}

static void test_broken_rows_are_refused(void)
{
	start(1);
	add_row(0, "a", 'f', "");
	layers[0].rows_len--;
	CHECK_INT(sb_index_build(layers, 1, "index", problem), -EINVAL);
	start(1);
	add_row(0, "a", 'x', "");
	CHECK_INT(sb_index_build(layers, 1, "index", problem), -EINVAL);
	start(1);
	add_row(0, "a/../b", 'f', "");
	CHECK_INT(sb_index_build(layers, 1, "index", problem), -EINVAL);
	CHECK_STR(problem, "a/../b");
	start(1);
	add_row(0, "not there", 'f', "");
	CHECK_INT(sb_index_build(layers, 1, "index", problem), -ENOENT);
	CHECK_STR(problem, "not there");
	CHECK_INT(access("index", F_OK), -1);
}

static void test_a_damaged_index_is_refused(void)
{
	static char bytes[4096];

	CHECK_INT(sb_index_check((const void *)bytes, sizeof(bytes)), -EINVAL);
	CHECK_INT(sb_index_check((const void *)bytes, 0), -EINVAL);
	for (size_t at = 0; at < sizeof(struct sb_index); at += 4) {
		struct sb_index head;
		uint32_t bad = 0xfffffff1;

		memcpy(&head, tree.index, sizeof(head));
		memcpy((char *)&head + at, &bad, 4);
		if (at == offsetof(struct sb_index, reserved))
			continue;
		CHECK(sb_index_check(&head, tree.index->size) < 0);
	}
}

int main(void)
{
	test_an_index_merges_two_layers();
	CHECK_INT(system("rm -r store"), 0);
	test_a_directory_with_many_children_is_searched();
	test_a_damaged_index_is_refused();
	test_broken_rows_are_refused();
	return 0;
}
