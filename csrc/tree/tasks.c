/* SPDX-License-Identifier: MIT */
/*
 * tasks.c - the processes and threads that a container has in /proc.
 *
 * Rules
 *   Signal-safe.
 */
#include "tree/tasks.h"

#include <errno.h>

#include "tree/mounts.h"

#define TASK "/task/"
#define TASK_LEN 6

uint32_t sb_tasks_number(const char *text, size_t len, size_t *used)
{
	uint64_t value = 0;
	size_t at = 0;

	while (at < len && text[at] >= '0' && text[at] <= '9' && value < UINT32_MAX)
		value = value * 10 + (uint64_t)(text[at++] - '0');
	if (value > UINT32_MAX || (at < len && text[at] != '/') || (at > 1 && text[0] == '0'))
		at = 0;
	*used = at;
	return at == 0 ? 0 : (uint32_t)value;
}

static uint32_t write_number(char room[12], uint32_t number)
{
	uint32_t len = 0;

	for (uint32_t rest = number; len == 0 || rest != 0; rest /= 10)
		len++;
	for (uint32_t at = len; at > 0; number /= 10)
		room[--at] = (char)('0' + number % 10);
	room[len] = '\0';
	return len;
}

static int add_number(struct sb_path *path, uint32_t number)
{
	char room[12];

	return sb_path_add(path, room, write_number(room, number));
}

/* Where a number begins behind "/task/" at the start of text, 0: nowhere. */
static uint32_t skip_task(const char *text, uint32_t len)
{
	return len > TASK_LEN && memcmp(text, TASK, TASK_LEN) == 0 ? TASK_LEN : 0;
}

int sb_tasks_add_host(const struct sb_tree *tree, struct sb_path *host, const char *rest,
		      uint32_t len)
{
	const struct sb_tasks *tasks = tree->tasks;
	uint32_t at = 1;

	while (tasks != NULL && at != 0 && at < len) {
		size_t used;
		const uint32_t number = sb_tasks_number(rest + at, len - at, &used);
		uint32_t real;
		int err;

		if (used == 0)
			break;
		real = number == 0 ? 0 : tasks->real(tree, number);
		if (real == 0)
			return -ENOENT;
		err = sb_path_add(host, rest, at);
		if (err == 0)
			err = add_number(host, real);
		if (err < 0)
			return err;
		rest += at + used;
		len -= at + (uint32_t)used;
		at = skip_task(rest, len);
	}
	return len == 0 ? 0 : sb_path_add(host, rest, len);
}

/* Replace the number at a place of the path; returns the place behind it, 0 when there is none. */
static int show_number(const struct sb_tree *tree, struct sb_path *path, uint32_t at)
{
	char room[12];
	size_t used;
	const uint32_t real = sb_tasks_number(path->buf + at, path->len - at, &used);
	const uint32_t shown = used == 0 || real == 0 ? 0 : tree->tasks->shown(tree, real);
	uint32_t len;

	if (shown == 0 || shown == real)
		return (int)(used == 0 ? 0 : at + used);
	len = write_number(room, shown);
	if (path->len - used + len >= SB_PATH_MAX)
		return -ENAMETOOLONG;
	memmove(path->buf + at + len, path->buf + at + used, path->len - at - used + 1);
	memcpy(path->buf + at, room, len);
	path->len = path->len - (uint32_t)used + len;
	return (int)(at + len);
}

int sb_tasks_show(const struct sb_tree *tree, struct sb_path *path, uint32_t from)
{
	int end;
	uint32_t skip;

	if (tree->tasks == NULL)
		return 0;
	end = show_number(tree, path, from);
	if (end <= 0)
		return end;
	skip = skip_task(path->buf + end, path->len - (uint32_t)end);
	if (skip == 0)
		return 0;
	end = show_number(tree, path, (uint32_t)end + skip);
	return end < 0 ? end : 0;
}

/* ---- listings ------------------------------------------------------------- */

bool sb_tasks_lists(const struct sb_tree *tree, const struct sb_spot *dir,
		    const struct sb_path *guest)
{
	static const char task[] = "/task";
	const uint32_t len = sizeof(task) - 1;
	const struct sb_mount *mount;

	if (tree->tasks == NULL || !sb_tree_is_proc(tree, dir))
		return false;
	mount = &tree->control->mounts[dir->mount];
	return guest->len == mount->guest.len ||
	       (guest->len > mount->guest.len + len &&
		memcmp(guest->buf + guest->len - len, task, len) == 0);
}

const char *sb_tasks_entry(const struct sb_tree *tree, const char *name, char room[12])
{
	size_t used;
	const uint32_t real = sb_tasks_number(name, strlen(name), &used);
	uint32_t shown;

	if (real == 0)
		return name;
	shown = tree->tasks->shown(tree, real);
	if (shown == 0)
		return NULL;
	if (shown == real)
		return name;
	write_number(room, shown);
	return room;
}

/* ---- owners ----------------------------------------------------------------- */

/* The task whose file has this host path; 0: none. */
static uint32_t task_of(const struct sb_tree *tree, const struct sb_spot *spot,
			const struct sb_path *host)
{
	const struct sb_mount *mount;
	size_t used;
	uint32_t skip;

	if (tree->tasks == NULL || !sb_tree_is_proc(tree, spot))
		return 0;
	mount = &tree->control->mounts[spot->mount];
	skip = mount->host.len + 1;
	return host->len <= skip ? 0 : sb_tasks_number(host->buf + skip, host->len - skip, &used);
}

bool sb_tasks_guards(const struct sb_tree *tree, const struct sb_spot *spot,
		     const struct sb_path *host)
{
	const uint32_t real = task_of(tree, spot, host);

	return real != 0 && tree->tasks->is_other(tree, real);
}

void sb_tasks_own(const struct sb_tree *tree, const struct sb_spot *spot,
		  const struct sb_path *host, struct sb_stat *st)
{
	const uint32_t real = task_of(tree, spot, host);

	if (real != 0)
		tree->tasks->owner(tree, real, st->mode, &st->uid, &st->gid);
}
