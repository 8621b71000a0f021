/* SPDX-License-Identifier: MIT */
/*
 * path.c - path strings in fixed buffers.
 *
 * Rules
 *   Pure: no system call, no state. Safe in a signal handler.
 */
#include "pure/path.h"

#include <errno.h>

#include "base/mem.h"

int sb_path_set(struct sb_path *path, const char *text, size_t len)
{
	if (len >= SB_PATH_MAX)
		return -ENAMETOOLONG;
	memmove(path->buf, text, len);
	path->buf[len] = '\0';
	path->len = (uint32_t)len;
	return 0;
}

int sb_path_add(struct sb_path *path, const char *text, size_t len)
{
	if (len >= SB_PATH_MAX - path->len)
		return -ENAMETOOLONG;
	memmove(path->buf + path->len, text, len);
	path->len += (uint32_t)len;
	path->buf[path->len] = '\0';
	return 0;
}

int sb_path_join(struct sb_path *path, const char *name, size_t len)
{
	bool slash = path->len == 0 || path->buf[path->len - 1] != '/';

	if (len + slash >= SB_PATH_MAX - path->len)
		return -ENAMETOOLONG;
	if (slash)
		path->buf[path->len++] = '/';
	memmove(path->buf + path->len, name, len);
	path->len += (uint32_t)len;
	path->buf[path->len] = '\0';
	return 0;
}

int sb_path_go(struct sb_path *path, const char *from, size_t len)
{
	while (len > 1 && from[0] == '.') {
		size_t dots = from[1] == '.' ? 2 : 1;

		if (dots == len || from[dots] != '/')
			break;
		if (dots == 2)
			sb_path_pop(path);
		while (dots < len && from[dots] == '/')
			dots++;
		from += dots;
		len -= dots;
	}
	return sb_path_join(path, from, len);
}

void sb_path_pop(struct sb_path *path)
{
	uint32_t name = sb_path_name(path);

	path->len = name > 1 ? name - 1 : 1;
	path->buf[path->len] = '\0';
}

uint32_t sb_path_name(const struct sb_path *path)
{
	uint32_t at = path->len;

	while (at > 0 && path->buf[at - 1] != '/')
		at--;
	return at;
}

bool sb_path_within(const char *inner, size_t inner_len, const char *outer, size_t outer_len)
{
	if (outer_len == 1)
		return inner_len >= 1 && inner[0] == '/';
	if (inner_len < outer_len || memcmp(inner, outer, outer_len) != 0)
		return false;
	return inner_len == outer_len || inner[outer_len] == '/';
}

uint32_t sb_path_canonical(const char *path)
{
	uint32_t at = 1;

	if (path[0] != '/' || path[1] == '\0')
		return 0;
	for (;;) {
		uint32_t name = at;

		while (path[at] != '/' && path[at] != '\0')
			at++;
		if (at == name || (path[name] == '.' &&
				   (at - name == 1 || (at - name == 2 && path[name + 1] == '.'))))
			return 0;
		if (at >= SB_PATH_MAX)
			return 0;
		if (path[at] == '\0')
			return at;
		at++;
	}
}
