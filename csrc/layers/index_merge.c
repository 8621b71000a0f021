/* SPDX-License-Identifier: MIT */
/*
 * index_merge.c - merge the tables of layers to one tree in memory.
 *
 * How it works
 *   The layers are applied from the lowest to the highest: first a layer's whiteouts and opaque
 *   directories, which concern only what is below, then its members. A hash of parent and name
 *   finds an item.
 * Rules
 *   Hosted build only: it uses libc. Rows come from archives that are not trusted: paths are
 *   checked again here. No single item is freed: a removed one is marked dead, and may come back
 *   to life.
 */
#include "layers/index_merge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void sb_build_problem(struct sb_build *b, const char *path, size_t len)
{
	snprintf(b->problem, 256, "%.*s", (int)SB_MIN(len, (size_t)255), path);
}

/* ---- the tree in memory -------------------------------------------------- */

static uint32_t hash_of(uint32_t parent, const char *name, uint32_t len)
{
	return (uint32_t)(sb_hash(name, len) ^ (parent * 0x9e3779b9U));
}

static void insert(struct sb_build *b, uint32_t item)
{
	const struct sb_item *it = &b->items[item];
	uint32_t at = hash_of(it->parent, it->name, it->name_len) & b->mask;

	while (b->table[at] != 0)
		at = (at + 1) & b->mask;
	b->table[at] = item + 1;
}

static int grow(struct sb_build *b)
{
	uint32_t room = b->room == 0 ? 4096 : b->room * 2;
	struct sb_item *items = realloc(b->items, room * sizeof(*items));
	uint32_t *table = calloc((size_t)room * 2, sizeof(*table));

	if (items != NULL)
		b->items = items;
	if (items == NULL || table == NULL) {
		free(table);
		return -ENOMEM;
	}
	free(b->table);
	b->table = table;
	b->room = room;
	b->mask = room * 2 - 1;
	for (uint32_t i = 1; i < b->count; i++)
		insert(b, i);
	return 0;
}

/* The child of this name, dead or alive, or SB_NO_ITEM. */
static uint32_t find(const struct sb_build *b, uint32_t parent, const char *name, uint32_t len)
{
	uint32_t at = hash_of(parent, name, len) & b->mask;

	while (b->table[at] != 0) {
		const struct sb_item *it = &b->items[b->table[at] - 1];

		if (it->parent == parent && sb_same(it->name, it->name_len, name, len))
			return b->table[at] - 1;
		at = (at + 1) & b->mask;
	}
	return SB_NO_ITEM;
}

/* Add a dead child; SB_NO_ITEM when there is no memory. */
static uint32_t add(struct sb_build *b, uint32_t parent, const char *name, uint32_t len)
{
	uint32_t item = b->count;

	if (item == b->room && grow(b) < 0)
		return SB_NO_ITEM;
	b->items[item] = (struct sb_item){
		.parent = parent,
		.next = SB_NO_ITEM,
		.child = SB_NO_ITEM,
		.name = name,
		.name_len = len,
		.dead = true,
	};
	b->count++;
	if (parent != SB_NO_ITEM) {
		b->items[item].next = b->items[parent].child;
		b->items[parent].child = item;
		insert(b, item);
	}
	return item;
}

/* Remove everything below item. */
static void clear(struct sb_build *b, uint32_t item)
{
	uint32_t at = b->items[item].child;

	while (at != SB_NO_ITEM) {
		struct sb_item *it = &b->items[at];

		if (!it->dead && it->child != SB_NO_ITEM) {
			it->dead = true;
			at = it->child;
			continue;
		}
		it->dead = true;
		while (at != item && b->items[at].next == SB_NO_ITEM)
			at = b->items[at].parent;
		if (at == item)
			break;
		at = b->items[at].next;
	}
}

/* Make item a directory with default looks, until a row describes it. */
static void make_dir(struct sb_item *it, uint32_t layer)
{
	it->dead = false;
	it->layer = layer;
	it->row = (struct sb_row){.type = 'd', .mode = 0755};
	it->link = NULL;
	it->xattrs = NULL;
}

static bool is_bad_name(const char *name, uint32_t len)
{
	return len == 0 || len > 255 || memchr(name, '\0', len) != NULL ||
	       (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')));
}

/* Find the item of a path. make: make directories on the way in that layer, in place of
 * whatever is there, and add the last item, dead. */
static int resolve(struct sb_build *b, const char *path, uint32_t len, bool make, uint32_t layer,
		   uint32_t *out)
{
	uint32_t at = 0;
	uint32_t from = 0;

	if (len == 1 && path[0] == '.') {
		*out = 0;
		return 0;
	}
	if (len == 0 || len >= SB_PATH_MAX - 1)
		return -EINVAL;
	while (from <= len) {
		const char *slash = memchr(path + from, '/', len - from);
		uint32_t end = slash != NULL ? (uint32_t)(slash - path) : len;
		uint32_t next;

		if (is_bad_name(path + from, end - from))
			return -EINVAL;
		if (make && (b->items[at].dead || !sb_item_is_dir(&b->items[at]))) {
			if (!b->items[at].dead)
				clear(b, at);
			make_dir(&b->items[at], layer);
		}
		next = find(b, at, path + from, end - from);
		if (next == SB_NO_ITEM && make) {
			next = add(b, at, path + from, end - from);
			if (next == SB_NO_ITEM)
				return -ENOMEM;
		}
		if (next == SB_NO_ITEM || (!make && b->items[next].dead))
			return -ENOENT;
		at = next;
		from = end + 1;
	}
	*out = at;
	return 0;
}

/* ---- one layer ------------------------------------------------------------ */

struct cursor {
	const char *at;
	const char *end;
	struct sb_row row;
	const char *path;
	const char *link;
	const char *xattrs;
};

/* 1 and the next row, 0 at the end, -EINVAL. */
static int next_row(struct cursor *c)
{
	size_t left = (size_t)(c->end - c->at);
	size_t tail;

	if (left == 0)
		return 0;
	if (left < sizeof(c->row))
		return -EINVAL;
	memcpy(&c->row, c->at, sizeof(c->row));
	left -= sizeof(c->row);
	tail = (size_t)c->row.path_len + c->row.link_len + c->row.xattr_len;
	if (tail > left || c->row.link_len >= SB_PATH_MAX)
		return -EINVAL;
	c->path = c->at + sizeof(c->row);
	c->link = c->path + c->row.path_len;
	c->xattrs = c->link + c->row.link_len;
	c->at = c->path + tail;
	return 1;
}

static int hide_lower(struct sb_build *b, const struct cursor *c)
{
	uint32_t item;
	int err = resolve(b, c->path, c->row.path_len, false, 0, &item);

	if (err == -ENOENT)
		return 0; /* it hides nothing */
	if (err < 0)
		return err;
	clear(b, item);
	if (c->row.type != 'o' && item != 0)
		b->items[item].dead = true;
	return 0;
}

static int put_member(struct sb_build *b, const struct cursor *c, uint32_t layer)
{
	uint32_t item;
	struct sb_item *it;
	bool merges;
	int err;

	if (strchr("fdlcbps", c->row.type) == NULL || c->row.type == '\0')
		return -EINVAL;
	err = resolve(b, c->path, c->row.path_len, true, layer, &item);
	if (err < 0)
		return err;
	it = &b->items[item];
	if (item == 0 && c->row.type != 'd')
		return -EINVAL;
	merges = !it->dead && sb_item_is_dir(it) && c->row.type == 'd';
	if (!merges && !it->dead)
		clear(b, item);
	it->dead = false;
	it->layer = layer;
	it->row = c->row;
	it->link = c->link;
	it->xattrs = c->xattrs;
	return 0;
}

int sb_build_apply(struct sb_build *b, uint32_t layer)
{
	for (int pass = 0; pass < 2; pass++) {
		struct cursor c = {
			.at = b->layers[layer].rows,
			.end = b->layers[layer].rows + b->layers[layer].rows_len,
		};
		int err;

		while ((err = next_row(&c)) == 1) {
			bool hides = c.row.type == 'w' || c.row.type == 'o';

			err = 0;
			if (pass == 0 && hides)
				err = hide_lower(b, &c);
			else if (pass == 1 && !hides)
				err = put_member(b, &c, layer);
			if (err < 0) {
				sb_build_problem(b, c.path, c.row.path_len);
				return err;
			}
		}
		if (err < 0)
			return err;
	}
	return 0;
}

int sb_build_start(struct sb_build *b)
{
	if (add(b, SB_NO_ITEM, "", 0) == SB_NO_ITEM)
		return -ENOMEM;
	make_dir(&b->items[0], 0);
	return 0;
}
