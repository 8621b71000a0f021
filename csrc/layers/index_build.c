/* SPDX-License-Identifier: MIT */
/*
 * index_build.c - write the index of a stack of layers.
 *
 * How it works
 *   index_merge.c merges the tables. Then the inode number and size of the host file of every
 *   visible entry are read, and the nodes are written breadth first, so that children lie
 *   together, sorted.
 * Rules
 *   Hosted build only: it uses libc. The new file is complete, or there is an error.
 */
#include "layers/index_build.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sys.h"
#include "layers/index_merge.h"

/* ---- what the host files say ---------------------------------------------- */

static uint32_t mode_type(uint8_t type)
{
	switch (type) {
	case 'd':
		return S_IFDIR;
	case 'l':
		return S_IFLNK;
	case 'c':
		return S_IFCHR;
	case 'b':
		return S_IFBLK;
	case 'p':
		return S_IFIFO;
	case 's':
		return S_IFSOCK;
	default:
		return S_IFREG;
	}
}

static bool is_placeholder(const struct sb_item *it)
{
	return it->row.type == 'c' || it->row.type == 'b' || it->row.type == 'p' ||
	       it->row.type == 's';
}

static int path_of(struct sb_build *b, uint32_t item, const char **path)
{
	size_t at = sizeof(b->path) - 1;

	b->path[at] = '\0';
	for (uint32_t up = item; up != 0; up = b->items[up].parent) {
		const struct sb_item *it = &b->items[up];

		if (at < it->name_len + 1U)
			return -ENAMETOOLONG;
		at -= it->name_len;
		memcpy(b->path + at, it->name, it->name_len);
		if (b->items[up].parent != 0)
			b->path[--at] = '/';
	}
	*path = item == 0 ? "." : b->path + at;
	return 0;
}

static int look_at_host(struct sb_build *b, uint32_t item)
{
	struct sb_item *it = &b->items[item];
	uint32_t expected = is_placeholder(it) ? S_IFREG : mode_type(it->row.type);
	const char *path;
	struct statx sx;
	int err = path_of(b, item, &path);

	if (err < 0 || b->layer_count == 0)
		return err;
	err = (int)sys_statx(b->dirs[it->layer], path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &sx);
	if (err == 0 && (sx.stx_mode & S_IFMT) != expected)
		err = -EUCLEAN;
	if (err < 0) {
		sb_build_problem(b, path, strlen(path));
		return err;
	}
	it->ino = sx.stx_ino;
	it->size = is_placeholder(it) ? 0 : sx.stx_size;
	it->blocks = sx.stx_blocks;
	it->host_nlink = sx.stx_nlink;
	it->nlink = sb_item_is_dir(it) ? 2 : 1;
	if (sb_item_is_dir(it))
		it->size = 4096;
	return 0;
}

static int by_name(const void *a, const void *b, void *context)
{
	const struct sb_item *items = context;
	const struct sb_item *x = &items[*(const uint32_t *)a];
	const struct sb_item *y = &items[*(const uint32_t *)b];
	int order = memcmp(x->name, y->name, SB_MIN(x->name_len, y->name_len));

	if (order != 0)
		return order;
	return x->name_len < y->name_len ? -1 : x->name_len > y->name_len;
}

static int by_inode(const void *a, const void *b, void *context)
{
	const struct sb_item *items = context;
	const struct sb_item *x = &items[*(const uint32_t *)a];
	const struct sb_item *y = &items[*(const uint32_t *)b];

	if (x->layer != y->layer)
		return x->layer < y->layer ? -1 : 1;
	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

/* Number the visible items breadth first, children sorted by name. */
static int put_in_order(struct sb_build *b)
{
	b->order = malloc(b->count * sizeof(*b->order));
	if (b->order == NULL)
		return -ENOMEM;
	b->order[0] = 0;
	b->visible = 1;
	for (uint32_t at = 0; at < b->visible; at++) {
		struct sb_item *dir = &b->items[b->order[at]];
		uint32_t first = b->visible;
		int err = look_at_host(b, b->order[at]);

		if (err < 0)
			return err;
		dir->node = at;
		if (!sb_item_is_dir(dir))
			continue;
		for (uint32_t c = dir->child; c != SB_NO_ITEM; c = b->items[c].next) {
			if (b->items[c].dead)
				continue;
			b->order[b->visible++] = c;
			dir->nlink += sb_item_is_dir(&b->items[c]);
		}
		dir->child_count = b->visible - first;
		if (dir->child_count > 1)
			qsort_r(b->order + first, dir->child_count, sizeof(*b->order), by_name,
				b->items);
	}
	return 0;
}

/* The link count of a file is the number of its visible names. */
static int count_links(struct sb_build *b)
{
	uint32_t *linked = malloc(b->visible * sizeof(*linked));
	uint32_t count = 0;

	if (linked == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < b->visible; i++) {
		const struct sb_item *it = &b->items[b->order[i]];

		if (!sb_item_is_dir(it) && it->host_nlink > 1)
			linked[count++] = b->order[i];
	}
	qsort_r(linked, count, sizeof(*linked), by_inode, b->items);
	for (uint32_t from = 0; from < count;) {
		uint32_t end = from + 1;

		while (end < count && by_inode(&linked[from], &linked[end], b->items) == 0)
			end++;
		for (uint32_t i = from; i < end; i++)
			b->items[linked[i]].nlink = end - from;
		from = end;
	}
	free(linked);
	return 0;
}

/* ---- output ---------------------------------------------------------------- */

struct image {
	char *bytes;
	struct sb_index *head;
	struct sb_node *nodes;
	uint32_t *paths;
	uint32_t *inodes;
	char *strings;
	uint64_t used;       /* of strings */
};

static uint64_t round8(uint64_t value)
{
	return (value + 7) & ~7ULL;
}

static uint32_t mask_for(uint32_t count)
{
	uint32_t size = 2;

	while (size < count * 2)
		size *= 2;
	return size - 1;
}

static uint64_t count_strings(const struct sb_build *b)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < b->visible; i++) {
		const struct sb_item *it = &b->items[b->order[i]];

		sum += it->name_len + it->row.xattr_len;
		if (it->row.type == 'l')
			sum += it->row.link_len + 1;
	}
	for (uint32_t i = 0; i < b->layer_count; i++)
		sum += strlen(b->layers[i].relative) + 1;
	return sum;
}

static int lay_out(const struct sb_build *b, struct image *image)
{
	struct sb_index head = {
		.magic = "SBINDEX",
		.version = SB_INDEX_VERSION,
		.layer_count = b->layer_count,
		.node_count = b->visible,
		.path_mask = mask_for(b->visible),
		.inode_mask = mask_for(b->visible),
		.nodes_off = round8(sizeof(head)),
		.strings_len = count_strings(b),
	};

	head.path_off = head.nodes_off + b->visible * sizeof(struct sb_node);
	head.inode_off = head.path_off + round8(((uint64_t)head.path_mask + 1) * 4);
	head.layers_off = head.inode_off + round8(((uint64_t)head.inode_mask + 1) * 4);
	head.strings_off = head.layers_off + round8(b->layer_count * sizeof(struct sb_text));
	head.size = round8(head.strings_off + head.strings_len);
	if (head.strings_len >= UINT32_MAX)
		return -EFBIG;
	image->bytes = calloc(1, head.size);
	if (image->bytes == NULL)
		return -ENOMEM;
	image->head = (struct sb_index *)(void *)image->bytes;
	*image->head = head;
	image->nodes = (struct sb_node *)(void *)(image->bytes + head.nodes_off);
	image->paths = (uint32_t *)(void *)(image->bytes + head.path_off);
	image->inodes = (uint32_t *)(void *)(image->bytes + head.inode_off);
	image->strings = image->bytes + head.strings_off;
	return 0;
}

static uint32_t put_string(struct image *image, const char *text, size_t len)
{
	uint32_t off = (uint32_t)image->used;

	if (len > 0)
		memcpy(image->strings + off, text, len);
	image->used += len;
	return off;
}

static void put_hash(uint32_t *table, uint32_t mask, uint64_t hash, uint32_t node)
{
	uint32_t at = (uint32_t)hash & mask;

	while (table[at] != 0)
		at = (at + 1) & mask;
	table[at] = node + 1;
}

static void put_inode(struct image *image, uint32_t node)
{
	uint64_t ino = image->nodes[node].ino;
	uint64_t hash = sb_hash((const char *)&ino, sizeof(ino));

	for (uint32_t at = (uint32_t)hash & image->head->inode_mask; image->inodes[at] != 0;
	     at = (at + 1) & image->head->inode_mask) {
		if (image->nodes[image->inodes[at] - 1].ino == ino)
			return; /* a hard link: the first name has done it */
	}
	put_hash(image->inodes, image->head->inode_mask, hash, node);
}

static void put_texts(struct image *image, const struct sb_item *it, struct sb_node *node)
{
	node->name_off = put_string(image, it->name, it->name_len);
	node->name_len = it->name_len;
	if (it->row.type == 'l') {
		node->link_off = put_string(image, it->link, it->row.link_len);
		node->link_len = it->row.link_len;
		image->used++; /* its NUL */
		node->size = it->row.link_len;
	}
	if (it->row.xattr_len != 0) {
		node->xattr_off = put_string(image, it->xattrs, it->row.xattr_len);
		node->xattr_len = it->row.xattr_len;
		node->flags |= SB_NODE_XATTRS;
	}
}

static int put_node(struct sb_build *b, struct image *image, uint32_t number, uint32_t first)
{
	const struct sb_item *it = &b->items[b->order[number]];
	struct sb_node *node = &image->nodes[number];
	int64_t mtime = it->row.mtime;
	const char *path;
	int err;

	*node = (struct sb_node){
		.ino = it->ino,
		.size = it->size,
		.blocks = is_placeholder(it) ? 0 : it->blocks,
		.rdev = it->row.type == 'c' || it->row.type == 'b' ? it->row.rdev : 0,
		.mtime_sec = mtime / 1000000000 - (mtime % 1000000000 < 0),
		.mtime_nsec = (uint32_t)((mtime % 1000000000 + 1000000000) % 1000000000),
		.mode = mode_type(it->row.type) | (it->row.mode & 07777),
		.uid = it->row.uid,
		.gid = it->row.gid,
		.nlink = it->nlink,
		.parent = number == 0 ? 0 : b->items[it->parent].node,
		.layer = it->layer,
		.child_first = first,
		.child_count = it->child_count,
	};
	if (is_placeholder(it))
		node->flags |= SB_NODE_PLACEHOLDER;
	put_texts(image, it, node);
	err = path_of(b, b->order[number], &path);
	if (err < 0)
		return err;
	if (number == 0) {
		node->hash = sb_hash("/", 1);
	} else {
		char *with_slash = b->path + (path - b->path) - 1;

		*with_slash = '/';
		node->hash = sb_hash(with_slash, strlen(with_slash));
	}
	put_hash(image->paths, image->head->path_mask, node->hash, number);
	if (b->layer_count != 0)
		put_inode(image, number);
	return 0;
}

static int fill(struct sb_build *b, struct image *image)
{
	struct sb_text *layers = (struct sb_text *)(void *)(image->bytes + image->head->layers_off);
	uint32_t first = 1;

	for (uint32_t i = 0; i < b->visible; i++) {
		int err = put_node(b, image, i, first);

		if (err < 0)
			return err;
		first += b->items[b->order[i]].child_count;
	}
	for (uint32_t i = 0; i < b->layer_count; i++) {
		size_t len = strlen(b->layers[i].relative);

		layers[i].len = (uint32_t)len;
		layers[i].off = put_string(image, b->layers[i].relative, len + 1);
	}
	return 0;
}

static int write_file(const char *dest, const char *bytes, uint64_t len)
{
	long fd = sys_open_named(dest, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	long err = 0;

	if (fd < 0)
		return (int)fd;
	while (len > 0 && err >= 0) {
		err = sys_write((int)fd, bytes, len);
		if (err == -EINTR)
			err = 0;
		if (err > 0) {
			bytes += err;
			len -= (uint64_t)err;
		}
	}
	if (err >= 0 && fsync((int)fd) < 0)
		err = -errno;
	sys_close((int)fd);
	return err < 0 ? (int)err : 0;
}

static int run(struct sb_build *b, const char *dest)
{
	struct image image = {0};
	int err = sb_build_start(b);

	for (uint32_t i = 0; i < b->layer_count && err == 0; i++)
		err = sb_build_apply(b, i);
	if (err == 0)
		err = put_in_order(b);
	if (err == 0)
		err = count_links(b);
	if (err == 0)
		err = lay_out(b, &image);
	if (err == 0)
		err = fill(b, &image);
	if (err == 0)
		err = write_file(dest, image.bytes, image.head->size);
	free(image.bytes);
	return err;
}

int sb_index_build(const struct sb_layer_rows *layers, uint32_t count, const char *dest,
		   char *problem)
{
	struct sb_build *b = calloc(1, sizeof(*b));
	uint32_t opened = 0;
	int err = 0;

	problem[0] = '\0';
	if (b == NULL)
		return -ENOMEM;
	b->layers = layers;
	b->layer_count = count;
	b->problem = problem;
	b->dirs = calloc(count + 1, sizeof(*b->dirs));
	if (b->dirs == NULL)
		err = -ENOMEM;
	for (; opened < count && err == 0; opened++) {
		b->dirs[opened] = (int)sys_open_named(layers[opened].diff,
						      O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
		if (b->dirs[opened] < 0) {
			err = b->dirs[opened];
			sb_build_problem(b, layers[opened].diff, strlen(layers[opened].diff));
			break;
		}
	}
	if (err == 0)
		err = run(b, dest);
	for (uint32_t i = 0; i < opened; i++)
		sys_close(b->dirs[i]);
	free(b->dirs);
	free(b->items);
	free(b->table);
	free(b->order);
	free(b);
	return err;
}
