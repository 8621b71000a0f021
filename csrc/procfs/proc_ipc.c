/* SPDX-License-Identifier: MIT */
/*
 * proc_ipc.c - lines of /proc/sysvipc in guest terms.
 *
 * How it works
 *   Columns are numbers at the right of a field of fixed width. A number that is replaced keeps the
 *   width of its field, so the table stays as the kernel drew it.
 */
#include "procfs/proc_ipc.h"

#define KEY 0
#define ID 1
#define PERMISSIONS 2
#define PERMISSION_BITS 0777
#define KEY_WIDTH 10 /* the kernel's own key may be longer */

/* The column of the owner; then follow its group, and those of the maker. */
static const unsigned owners[SB_IPC_KINDS] = {
	[SB_IPC_SHM] = 7,
	[SB_IPC_SEM] = 4,
	[SB_IPC_MSG] = 7,
};

/* The first of two columns with a process; 0: there is none. */
static const unsigned processes[SB_IPC_KINDS] = {
	[SB_IPC_SHM] = 4,
	[SB_IPC_MSG] = 5,
};

struct field {
	const char *text; /* with the spaces before the number */
	size_t len;
	size_t spaces;
};

static bool next_field(const char *line, size_t len, size_t *at, struct field *field)
{
	size_t end = *at;

	field->text = line + end;
	while (end < len && line[end] == ' ')
		end++;
	field->spaces = end - *at;
	while (end < len && line[end] != ' ' && line[end] != '\n')
		end++;
	field->len = end - *at;
	*at = end;
	return field->len > field->spaces;
}

/* Read a number without a sign; -1: it is none. */
static int64_t number_of(const struct field *field, unsigned base)
{
	int64_t value = 0;

	for (size_t i = field->spaces; i < field->len; i++) {
		const unsigned digit = (unsigned char)field->text[i] - (unsigned)'0';

		if (digit >= base || value > INT32_MAX)
			return -1;
		value = value * base + digit;
	}
	return value;
}

static struct sb_ipc_slot *slot_of(struct sb_ipc_table *table, enum sb_ipc_kind kind,
				   const char *line, size_t len)
{
	struct field field;
	size_t at = 0;
	int64_t id;

	for (unsigned column = 0; column <= ID; column++)
		if (!next_field(line, len, &at, &field))
			return NULL;
	id = number_of(&field, 10);
	return id < 0 || id > INT32_MAX ? NULL : sb_ipc_find(table, kind, (int)id);
}

static void put_right(struct sb_proc_out *out, size_t width, int64_t value, unsigned base)
{
	char digits[24];
	struct sb_proc_out text = {.buf = digits, .max = sizeof(digits)};

	if (value < 0)
		sb_proc_put_text(&text, "-");
	sb_proc_put_number(&text, (uint64_t)(value < 0 ? -value : value), base, 1);
	for (size_t i = text.len; i < width; i++)
		sb_proc_put_text(out, " ");
	sb_proc_put(out, digits, text.len);
}

/* In the place of another number, with one space before it at least. */
static void put_instead(struct sb_proc_out *out, const struct field *field, int64_t value,
			unsigned base)
{
	sb_proc_put_text(out, " ");
	put_right(out, field->len - 1, value, base);
}

/* As sb_pid_shown(). */
static int64_t shown(const struct sb_tree *tree, int64_t pid)
{
	return pid > 0 && pid == tree->control->main_pid ? 1 : pid;
}

static void put_field(const struct sb_tree *tree, enum sb_ipc_kind kind,
		      const struct sb_ipc_slot *slot, unsigned column, const struct field *field,
		      struct sb_proc_out *out)
{
	const uint32_t ids[] = {slot->uid, slot->gid, slot->cuid, slot->cgid};
	const unsigned owner = owners[kind];
	const unsigned pids = processes[kind];

	if (column == KEY && number_of(field, 10) != 0)
		put_right(out, KEY_WIDTH, (int32_t)slot->key, 10);
	else if (column == PERMISSIONS)
		put_instead(out, field,
			    (number_of(field, 8) & ~(int64_t)PERMISSION_BITS) | slot->mode, 8);
	else if (column >= owner && column < owner + SB_ARRAY_LEN(ids))
		put_instead(out, field, ids[column - owner], 10);
	else if (pids != 0 && (column == pids || column == pids + 1))
		put_instead(out, field, shown(tree, number_of(field, 10)), 10);
	else
		sb_proc_put(out, field->text, field->len);
}

void sb_proc_ipc_line(const struct sb_tree *tree, enum sb_ipc_kind kind, const char *line,
		      size_t len, struct sb_proc_out *out)
{
	const struct sb_ipc_slot *slot = slot_of(tree->ipc, kind, line, len);
	struct field field;
	size_t at = 0;

	if (len > 11 && memcmp(line, "       key ", 11) == 0) {
		sb_proc_put(out, line, len);
		return;
	}
	for (unsigned column = 0; slot != NULL && next_field(line, len, &at, &field); column++)
		put_field(tree, kind, slot, column, &field, out);
	if (slot != NULL)
		sb_proc_put(out, line + at, len - at);
}
