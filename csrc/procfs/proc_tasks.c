/* SPDX-License-Identifier: MIT */
/*
 * proc_tasks.c - numbers of tasks in files of /proc, in a container's terms.
 */
#include "procfs/proc_tasks.h"

#include "tree/tasks.h"

/* ---- numbers in text ------------------------------------------------------ */

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static size_t digits_at(const char *text, size_t len)
{
	size_t count = 0;

	while (count < len && is_digit(text[count]))
		count++;
	return count;
}

static uint32_t value_of(const char *text, size_t len)
{
	uint64_t value = 0;

	for (size_t i = 0; i < len && value <= UINT32_MAX; i++)
		value = value * 10 + (uint64_t)(text[i] - '0');
	return value > UINT32_MAX ? 0 : (uint32_t)value;
}

static uint32_t shown(const struct sb_tree *tree, uint32_t real)
{
	if (real == 0 || tree->tasks == NULL)
		return real;
	return tree->tasks->shown(tree, real);
}

/* Append the number at the start of text as the guest knows it; returns its length in text. What is
 * no number, -1 among it, stays for the caller. */
static size_t put_shown(const struct sb_tree *tree, const char *text, size_t len,
			struct sb_proc_out *out)
{
	const size_t used = digits_at(text, len);

	if (used > 0)
		sb_proc_put_number(out, shown(tree, value_of(text, used)), 10, 1);
	return used;
}

static bool begins(const char *text, size_t len, const char *prefix)
{
	const size_t want = strlen(prefix);

	return len >= want && memcmp(text, prefix, want) == 0;
}

/* Append the line with the number translated that begins at a place of it; 0: as it is. */
static void put_line_with(const struct sb_tree *tree, const char *line, size_t len, size_t at,
			  struct sb_proc_out *out)
{
	sb_proc_put(out, line, at);
	if (at > 0)
		at += put_shown(tree, line + at, len - at, out);
	sb_proc_put(out, line + at, len - at);
}

/* ---- stat -------------------------------------------------------------------- */

/* Fields of /proc/PID/stat by their numbers in proc(5). */
#define PPID 4
#define PGRP 5
#define SESSION 6
#define TPGID 8

/* Fields that others than a debugger see as 0, and as 1. */
static bool is_secret(unsigned field)
{
	return (field >= 28 && field <= 30) || field == 35 || (field >= 45 && field <= 52);
}

static bool is_code(unsigned field)
{
	return field == 26 || field == 27;
}

static size_t put_field(const struct sb_tree *tree, bool may_look, unsigned field, const char *text,
			size_t len, struct sb_proc_out *out)
{
	size_t used = 0;

	while (used < len && text[used] != ' ' && text[used] != '\n')
		used++;
	if (field == PPID || field == PGRP || field == SESSION || field == TPGID) {
		if (put_shown(tree, text, used, out) == used)
			return used;
	} else if (!may_look && (is_secret(field) || (is_code(field) && text[0] != '0'))) {
		sb_proc_put(out, is_secret(field) ? "0" : "1", 1);
		return used;
	}
	sb_proc_put(out, text, used);
	return used;
}

void sb_proc_stat(const struct sb_tree *tree, bool may_look, const char *text, size_t len,
		  struct sb_proc_out *out)
{
	size_t name = digits_at(text, len);
	size_t at = len;
	unsigned field = 3;

	while (at > name && text[at - 1] != ')') /* a name may hold parentheses, too */
		at--;
	if (name == 0 || at == name) {
		sb_proc_put(out, text, len);
		return;
	}
	put_shown(tree, text, name, out);
	sb_proc_put(out, text + name, at - name);
	while (at < len) {
		sb_proc_put(out, text + at, 1);
		at++;
		at += put_field(tree, may_look, field, text + at, len - at, out);
		field++;
	}
}

/* ---- lines ---------------------------------------------------------------------- */

/* Where the number begins in a line of one of these keys; 0: it is no such line. */
static size_t key_end(const char *line, size_t len, const char *const *keys)
{
	for (; *keys != NULL; keys++) {
		if (begins(line, len, *keys))
			return strlen(*keys);
	}
	return 0;
}

bool sb_proc_status_numbers(const struct sb_tree *tree, const char *line, size_t len,
			    struct sb_proc_out *out)
{
	static const char *const keys[] = {"Tgid:\t",      "Pid:\t",    "PPid:\t",
					   "TracerPid:\t", "NStgid:\t", "NSpid:\t",
					   "NSpgid:\t",    "NSsid:\t",  NULL};
	const size_t at = key_end(line, len, keys);

	if (at > 0)
		put_line_with(tree, line, len, at, out);
	return at > 0;
}

/* Where the owner begins in "1: POSIX  ADVISORY  WRITE 123 08:01:5 0 EOF", "1: -> FLOCK ..."; 0:
 * nowhere. */
static size_t lock_owner(const char *line, size_t len)
{
	size_t at = 0;

	for (unsigned field = 0; field < 4 && at < len; field++) {
		while (at < len && line[at] != ' ')
			at++;
		while (at < len && line[at] == ' ')
			at++;
		if (field == 0 && begins(line + at, len - at, "-> "))
			at += 3;
	}
	return at < len && (is_digit(line[at]) || line[at] == '-') ? at : 0;
}

void sb_proc_lock_line(const struct sb_tree *tree, const char *line, size_t len,
		       struct sb_proc_out *out)
{
	const size_t at = lock_owner(line, len);
	const size_t used = digits_at(line + at, len - at);

	if (at > 0 && used > 0 && shown(tree, value_of(line + at, used)) == 0)
		return;
	put_line_with(tree, line, len, at, out);
}

static const char *const fdinfo_keys[] = {"Pid:\t", "NSpid:\t", NULL};
static const char lock_key[] = "lock:\t";

bool sb_proc_fdinfo_names_task(const char *line, size_t len)
{
	return key_end(line, len, fdinfo_keys) > 0 || begins(line, len, lock_key);
}

void sb_proc_fdinfo_line(const struct sb_tree *tree, const char *line, size_t len,
			 struct sb_proc_out *out)
{
	size_t at = key_end(line, len, fdinfo_keys);

	if (at == 0 && begins(line, len, lock_key)) {
		at = lock_owner(line + sizeof(lock_key) - 1, len - sizeof(lock_key) + 1);
		at = at == 0 ? 0 : at + sizeof(lock_key) - 1;
	}
	put_line_with(tree, line, len, at, out);
}

void sb_proc_timer_line(const struct sb_tree *tree, const char *line, size_t len,
			struct sb_proc_out *out)
{
	static const char key[] = "notify: ";
	size_t at = len;

	while (at > 0 && line[at - 1] != '.')
		at--;
	put_line_with(tree, line, len, begins(line, len, key) && at > sizeof(key) ? at : 0, out);
}

/* "name (123, #threads: 1)" */
void sb_proc_sched_line(const struct sb_tree *tree, const char *line, size_t len,
			struct sb_proc_out *out)
{
	static const char key[] = ", #threads: ";
	size_t at = len;

	while (at > 0 && !begins(line + at, len - at, key))
		at--;
	while (at > 0 && is_digit(line[at - 1]))
		at--;
	put_line_with(tree, line, len, at > 0 && line[at - 1] == '(' ? at : 0, out);
}

void sb_proc_children(const struct sb_tree *tree, const char *text, size_t len,
		      struct sb_proc_out *out)
{
	for (size_t at = 0; at < len;) {
		const size_t used = digits_at(text + at, len - at);
		const uint32_t number = shown(tree, value_of(text + at, used));

		if (used == 0) {
			at++;
			continue;
		}
		if (number != 0) {
			sb_proc_put_number(out, number, 10, 1);
			sb_proc_put(out, " ", 1);
		}
		at += used;
	}
}
