/* SPDX-License-Identifier: MIT */
/*
 * proc_text.c - lines of /proc files in guest terms.
 *
 * How it works
 *   The kernel's text stays wherever it is true. Host paths become guest paths, the runtime's own
 *   maps are left out, and credentials are those that the guest believes in.
 * Rules
 *   Signal-safe; pure, except for one readlink(2) of a socket's alias.
 * Does not know
 *   How a /proc file is opened or which process asks.
 */
#include "procfs/proc_text.h"

#include <errno.h>

#include "tree/host_path.h"

/* ---- output ------------------------------------------------------------- */

void sb_proc_put(struct sb_proc_out *out, const char *text, size_t len)
{
	if (len > out->max - out->len) {
		out->full = true;
		return;
	}
	memcpy(out->buf + out->len, text, len);
	out->len += (uint32_t)len;
}

void sb_proc_put_text(struct sb_proc_out *out, const char *text)
{
	sb_proc_put(out, text, strlen(text));
}

void sb_proc_put_number(struct sb_proc_out *out, uint64_t value, unsigned base, unsigned width)
{
	char digits[24];
	unsigned at = sizeof(digits);

	do {
		const unsigned digit = (unsigned)(value % base);

		digits[--at] = (char)(digit < 10 ? '0' + digit : 'a' + digit - 10);
		value /= base;
	} while (value != 0);
	while (at > 0 && sizeof(digits) - at < width)
		digits[--at] = '0';
	sb_proc_put(out, digits + at, sizeof(digits) - at);
}

void sb_proc_put_escaped(struct sb_proc_out *out, const char *text, size_t len, const char *special)
{
	for (size_t i = 0; i < len; i++) {
		const char *hit = special;

		while (*hit != '\0' && *hit != text[i])
			hit++;
		if (*hit == '\0') {
			sb_proc_put(out, text + i, 1);
			continue;
		}
		sb_proc_put(out, "\\", 1);
		sb_proc_put_number(out, (unsigned char)text[i], 8, 3);
	}
}

static bool is_octal(char byte)
{
	return byte >= '0' && byte <= '7';
}

/* The reverse of sb_proc_put_escaped. */
static int unescape(struct sb_path *out, const char *text, size_t len)
{
	if (len >= SB_PATH_MAX)
		return -ENAMETOOLONG;
	out->len = 0;
	for (size_t i = 0; i < len; i++) {
		char byte = text[i];

		if (byte == '\\' && len - i > 3 && is_octal(text[i + 1]) && is_octal(text[i + 2]) &&
		    is_octal(text[i + 3])) {
			byte = (char)((text[i + 1] - '0') << 6 | (text[i + 2] - '0') << 3 |
				      (text[i + 3] - '0'));
			i += 3;
		}
		out->buf[out->len++] = byte;
	}
	out->buf[out->len] = '\0';
	return 0;
}

/* ---- paths -------------------------------------------------------------- */

static bool starts_with(const char *text, size_t len, const char *prefix)
{
	const size_t want = strlen(prefix);

	return len >= want && memcmp(text, prefix, want) == 0;
}

/* Does the text only look like a path? */
static bool is_no_path(const char *text, size_t len)
{
	static const char *const prefixes[] = {"/memfd:", "/SYSV",  "/dev/zero (deleted)",
					       "/[aio]",  "//anon", "/anon_hugepage"};

	if (len == 0 || text[0] != '/')
		return true;
	for (size_t i = 0; i < SB_ARRAY_LEN(prefixes); i++)
		if (starts_with(text, len, prefixes[i]))
			return true;
	return false;
}

/* The name of a file made here: "/memfd:sandbox:/proc/1/maps (deleted)" stands for /proc/1/maps. */
static int name_of_made_file(const char *text, size_t len, struct sb_path *out)
{
	static const char prefix[] = "/memfd:" SB_PROC_MEMFD;
	static const char suffix[] = " (deleted)";
	const size_t skip = sizeof(prefix) - 1;
	const size_t cut = sizeof(suffix) - 1;

	if (!starts_with(text, len, prefix) || len <= skip + cut || text[skip] != '/')
		return -ENOENT;
	return sb_path_set(out, text + skip, len - skip - cut);
}

#define ALIAS_LEN 19 /* "/a/" and 16 digits below the run directory: socket_name.c */

/* The host path of a name that goes through a short symlink of the run directory; else the text
 * itself. */
static const char *through_alias(const struct sb_fs *fs, const char *text, size_t *len)
{
	const struct sb_control *control = fs->tree->control;
	const size_t skip = control->run.len + ALIAS_LEN;
	struct sb_path *host = &fs->work->host;
	long got;

	if (*len <= skip ||
	    !sb_path_within(text, *len, sb_text_at(control, control->run), control->run.len) ||
	    text[control->run.len + 1] != 'a' || text[control->run.len + 2] != '/' ||
	    text[skip] != '/' || sb_path_set(host, text, skip) < 0)
		return text;
	got = sys_readlinkat(AT_FDCWD, host->buf, host->buf, SB_PATH_MAX - 1);
	if (got < 0)
		return text;
	host->buf[got] = '\0';
	host->len = (uint32_t)got;
	if (sb_path_join(host, text + skip + 1, *len - skip - 1) < 0)
		return text;
	*len = host->len;
	return host->buf;
}

int sb_proc_guest_text(const struct sb_fs *fs, const char *host, size_t len, struct sb_path *out)
{
	const struct sb_control *control = fs->tree->control;
	int err = name_of_made_file(host, len, out);

	if (err == 0)
		return 0;
	if (starts_with(host, len, "/memfd:" SB_PROC_HIDDEN_MEMFD))
		return -EACCES;
	if (is_no_path(host, len))
		return sb_path_set(out, host, len);
	host = through_alias(fs, host, &len);
	err = sb_tree_guest_path(fs, host, len, out);
	if (err != -ENOENT && fs->tree->index != NULL)
		return err;
	if (sb_path_within(host, len, sb_text_at(control, control->store), control->store.len) ||
	    sb_path_within(host, len, sb_text_at(control, control->run), control->run.len))
		return err == 0 && !sb_same(out->buf, out->len, host, len) ? 0 : -EACCES;
	return err == 0 ? 0 : sb_path_set(out, host, len);
}

/* A process in a chroot sees files below its root by their paths from there. */
static uint32_t above_root(const struct sb_fs *fs, const struct sb_path *guest)
{
	if (fs->root_len == 1 || guest->len == fs->root_len ||
	    !sb_path_within(guest->buf, guest->len, fs->root, fs->root_len))
		return 0;
	return fs->root_len;
}

/* Append the guest path of an escaped host path, escaped. False when the guest must not see it. */
static bool put_path(const struct sb_fs *fs, const char *path, size_t len, const char *special,
		     struct sb_proc_out *out)
{
	struct sb_path *host = &fs->work->found;
	struct sb_path *guest = &fs->work->guest;
	uint32_t skip;

	if (unescape(host, path, len) < 0 ||
	    sb_proc_guest_text(fs, host->buf, host->len, guest) < 0)
		return false;
	skip = above_root(fs, guest);
	sb_proc_put_escaped(out, guest->buf + skip, guest->len - skip, special);
	return true;
}

/* ---- maps --------------------------------------------------------------- */

static bool parse_hex(const char *text, size_t len, uint64_t *value, size_t *used)
{
	size_t at = 0;

	*value = 0;
	for (; at < len; at++) {
		unsigned digit;

		if (text[at] >= '0' && text[at] <= '9')
			digit = (unsigned)(text[at] - '0');
		else if (text[at] >= 'a' && text[at] <= 'f')
			digit = (unsigned)(text[at] - 'a') + 10;
		else
			break;
		*value = *value << 4 | digit;
	}
	*used = at;
	return at > 0;
}

static size_t skip_fields(const char *line, size_t len, unsigned count)
{
	size_t at = 0;

	while (count > 0) {
		while (at < len && line[at] != ' ')
			at++;
		while (at < len && line[at] == ' ')
			at++;
		count--;
	}
	return at;
}

static size_t without_newline(const char *line, size_t len)
{
	return len > 0 && line[len - 1] == '\n' ? len - 1 : len;
}

static bool is_hidden(struct sb_proc_range hide, uint64_t from, bool is_heap)
{
	/* The kernel puts the heap behind the runtime's last page. */
	return !is_heap && from >= hide.from && from < hide.to;
}

void sb_proc_maps_line(const struct sb_fs *fs, struct sb_proc_range hide, const char *line,
		       size_t len, bool *hidden, struct sb_proc_out *out)
{
	const uint32_t before = out->len;
	const size_t end = without_newline(line, len);
	uint64_t from;
	size_t used;
	size_t name;

	if (!parse_hex(line, end, &from, &used) || used == end || line[used] != '-') {
		if (!*hidden)
			sb_proc_put(out, line, len);
		return;
	}
	name = skip_fields(line, end, 5);
	*hidden = is_hidden(hide, from, starts_with(line + name, end - name, "[heap]"));
	if (*hidden)
		return;
	if (name == end || line[name] != '/') {
		sb_proc_put(out, line, len);
		return;
	}
	sb_proc_put(out, line, name);
	if (put_path(fs, line + name, end - name, "\n", out)) {
		sb_proc_put(out, "\n", 1);
		return;
	}
	out->len = before;
	*hidden = true;
}

void sb_proc_numa_line(const struct sb_fs *fs, struct sb_proc_range hide, const char *line,
		       size_t len, struct sb_proc_out *out)
{
	static const char key[] = "file=";
	const uint32_t before = out->len;
	const size_t end = without_newline(line, len);
	uint64_t from;
	size_t used;
	size_t at = 0;

	if (parse_hex(line, end, &from, &used)) {
		const size_t what = skip_fields(line, end, 2);

		if (is_hidden(hide, from, starts_with(line + what, end - what, "heap")))
			return;
	}
	while (at < end && !starts_with(line + at, end - at, key))
		at = at + 1;
	if (at == end) {
		sb_proc_put(out, line, len);
		return;
	}
	at += sizeof(key) - 1;
	used = at;
	while (used < end && line[used] != ' ')
		used++;
	sb_proc_put(out, line, at);
	if (put_path(fs, line + at, used - at, "\n\t= ", out))
		sb_proc_put(out, line + used, len - used);
	else
		out->len = before;
}

void sb_proc_unix_line(const struct sb_fs *fs, const char *line, size_t len,
		       struct sb_proc_out *out)
{
	const size_t end = without_newline(line, len);
	const size_t name = skip_fields(line, end, 7);

	if (name == end || line[name] != '/') {
		sb_proc_put(out, line, len);
		return;
	}
	sb_proc_put(out, line, name);
	if (put_path(fs, line + name, end - name, "", out))
		sb_proc_put(out, "\n", 1);
	else
		sb_proc_put(out, "?\n", 2);
}
