/* SPDX-License-Identifier: MIT */
/*
 * layer_rows.c - make the table of a layer (meta.jsonl) from the records of its draft.
 *
 * How it works
 *   The draft is read front to back, once for the entries and once for the marks. Every record
 *   whose name is still there becomes a line of JSON. A byte above 127 is written as the code
 *   point with its number (layers/unpack.py tells the format).
 * Rules
 *   Hosted build only. The first name of a file describes it; its other names refer to the first.
 */
#include "layers/layer_rows.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/sys.h"

/* ---- reading ------------------------------------------------------------------ */

static int fill(struct sb_rows_scan *s, size_t wanted)
{
	uint64_t end = sb_draft_end(s->draft);

	if (s->at >= s->from && s->at + wanted <= s->from + s->len)
		return 0;
	if (wanted > sizeof(s->window) || s->at + wanted > end)
		return -EIO;
	s->from = s->at;
	s->len = SB_MIN((size_t)(end - s->at), sizeof(s->window));
	return sb_draft_read(s->draft, s->at, s->window, s->len);
}

/* 1 and the next record, except those of attributes, 0 at the end, -errno. */
static int next(struct sb_rows_scan *s, struct sb_record *record, const char **path, uint64_t *at)
{
	while (s->at < sb_draft_end(s->draft)) {
		int err = fill(s, sizeof(*record));

		if (err < 0)
			return err;
		memcpy(record, s->window + (s->at - s->from), sizeof(*record));
		if (record->kind != 'X') {
			err = fill(s, record->length);
			*path = s->window + (s->at - s->from) + sizeof(*record);
		}
		*at = s->at;
		s->at += record->length;
		if (err < 0 || record->kind != 'X')
			return err < 0 ? err : 1;
	}
	return 0;
}

static void start(struct sb_rows_scan *s, const struct sb_draft *draft)
{
	s->draft = draft;
	s->at = 2 * SB_DRAFT_FIRST;
	s->from = 0;
	s->len = 0;
}

/* ---- writing ---------------------------------------------------------------------- */

static void flush(struct sb_rows_out *out)
{
	if (out->err == 0)
		out->err = sb_write_all(out->fd, out->bytes, out->used, -1);
	out->used = 0;
}

static void put(struct sb_rows_out *out, const char *bytes, size_t len)
{
	while (len > 0) {
		size_t part = SB_MIN(len, sizeof(out->bytes) - out->used);

		memcpy(out->bytes + out->used, bytes, part);
		out->used += part;
		bytes += part;
		len -= part;
		if (out->used == sizeof(out->bytes))
			flush(out);
	}
}

static void put_text(struct sb_rows_out *out, const char *text)
{
	put(out, text, strlen(text));
}

static void put_string(struct sb_rows_out *out, const char *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	put(out, "\"", 1);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];
		char escaped[6] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
		char utf8[2] = {(char)(0xc0 | c >> 6), (char)(0x80 | (c & 0x3f))};

		if (c == '"' || c == '\\')
			put(out, (char[]){'\\', (char)c}, 2);
		else if (c < ' ')
			put(out, escaped, sizeof(escaped));
		else if (c >= 0x80)
			put(out, utf8, sizeof(utf8));
		else
			put(out, bytes + i, 1);
	}
	put(out, "\"", 1);
}

static int put_xattrs(struct sb_rows_out *out, const struct sb_draft *draft, uint64_t at)
{
	struct sb_record record;
	char piece[1024];
	int err = sb_draft_read(draft, at, &record, sizeof(record));

	put_text(out, ",\"x\":");
	at += sizeof(record);
	for (uint32_t done = 0; done < record.link_len && err == 0;) {
		uint32_t part = SB_MIN(record.link_len - done, (uint32_t)sizeof(piece));

		err = sb_draft_read(draft, at + done, piece, part);
		put(out, piece, err < 0 ? 0 : part);
		done += part;
	}
	return err;
}

/* Append a piece of the draft, as a string. */
static int put_piece(struct sb_rows *rows, uint64_t at, size_t len)
{
	int err =
		len > sizeof(rows->text) ? -EIO : sb_draft_read(&rows->draft, at, rows->text, len);

	if (err == 0)
		put_string(&rows->out, rows->text, len);
	return err;
}

static int put_name_of(struct sb_rows *rows, uint64_t at)
{
	struct sb_record record;
	int err = sb_draft_read(&rows->draft, at, &record, sizeof(record));

	return err < 0 ? err : put_piece(rows, at + sizeof(record), record.path_len);
}

static void put_start(struct sb_rows_out *out, const char *path, size_t len, uint8_t kind)
{
	char type[] = {'"', ',', '"', 't', '"', ':', '"', (char)kind, '"'};

	put_text(out, "{\"p\":");
	put_string(out, path, len);
	put(out, type + 1, sizeof(type) - 1);
}

static void put_numbers(struct sb_rows_out *out, const struct sb_record *file)
{
	char text[160];

	snprintf(text, sizeof(text), ",\"m\":%u,\"u\":%u,\"g\":%u,\"mt\":%lld", file->mode,
		 file->uid, file->gid, (long long)file->mtime);
	put_text(out, text);
	if (file->kind != 'c' && file->kind != 'b')
		return;
	snprintf(text, sizeof(text), ",\"rdev\":[%u,%u]", file->major, file->minor);
	put_text(out, text);
}

/* Append the row of the name at that offset. */
static int put_row(struct sb_rows *rows, const struct sb_record *name, const char *path,
		   uint64_t at)
{
	struct sb_rows_out *out = &rows->out;
	struct sb_record file = *name;
	int err = 0;

	if (name->inode != at || name->names > 1)
		err = sb_draft_read(&rows->draft, name->inode, &file, sizeof(file));
	if (err < 0)
		return err;
	put_start(out, path, name->path_len, file.kind);
	put_numbers(out, &file);
	if (file.kind == 'l') {
		put_text(out, ",\"l\":");
		err = put_piece(rows, name->inode + sizeof(file) + file.path_len, file.link_len);
	}
	if (err == 0 && file.xattrs != 0)
		err = put_xattrs(out, &rows->draft, file.xattrs);
	if (err == 0 && file.names > 1 && file.first != 0) {
		put_text(out, ",\"h\":");
		err = put_name_of(rows, file.first);
	} else if (err == 0 && file.names > 1) {
		file.first = at;
		err = sb_draft_rewrite(&rows->draft, name->inode, &file, sizeof(file));
	}
	put(out, "}\n", 2);
	return err;
}

/* ---- marks --------------------------------------------------------------------------- */

/* What a mark means once the layer is complete. A whiteout concerns the layers below, wherever
 * in the archive it stands: beside a directory of the same layer it makes that one opaque,
 * beside anything else it says nothing new. */
static int settled(const struct sb_record *mark, const char *path, uint32_t len,
		   sb_is_directory *ask, void *context)
{
	bool is_top = len == 1 && path[0] == '.';
	const char *slash = memrchr(path, '/', len);
	int here = ask(context, path, len);

	if (here < 0 && here != -ENOENT)
		return here;
	if (here >= 0 || is_top)
		return is_top || here == 1 ? 'o' : 0;
	if (mark->kind != 'w')
		return 0;
	if (slash != NULL)
		here = ask(context, path, (uint32_t)(slash - path));
	if (slash == NULL || here == 1)
		return 'w';
	return here < 0 && here != -ENOENT ? here : 0;
}

static int64_t write_marks(struct sb_rows *rows, sb_is_directory *ask, void *context)
{
	struct sb_record record;
	const char *path;
	int64_t count = 0;
	uint64_t at;
	int more;

	start(&rows->scan, &rows->draft);
	while ((more = next(&rows->scan, &record, &path, &at)) == 1) {
		uint32_t len = record.path_len - 1U;
		int kind;

		if (record.kind != 'w' && record.kind != 'o')
			continue;
		kind = settled(&record, path, len, ask, context);
		if (kind < 0)
			return kind;
		if (kind == 0)
			continue;
		put_start(&rows->out, path, len, (uint8_t)kind);
		put(&rows->out, "}\n", 2);
		count++;
	}
	return more < 0 ? more : count;
}

int64_t sb_rows_write(struct sb_rows *rows, int fd, sb_is_directory *ask, void *context)
{
	struct sb_record record;
	const char *path;
	int64_t count = 0;
	int64_t marks = 0;
	uint64_t at;
	int more;

	rows->out.fd = fd;
	rows->out.err = 0;
	rows->out.used = 0;
	start(&rows->scan, &rows->draft);
	while ((more = next(&rows->scan, &record, &path, &at)) == 1) {
		if (record.dead || record.kind == 'w' || record.kind == 'o')
			continue;
		more = put_row(rows, &record, path, at);
		if (more < 0)
			return more;
		count++;
	}
	if (more == 0 && rows->has_marks)
		marks = write_marks(rows, ask, context);
	flush(&rows->out);
	if (more < 0 || marks < 0)
		return more < 0 ? more : marks;
	return rows->out.err < 0 ? rows->out.err : count + marks;
}

/* ---- times ------------------------------------------------------------------------------ */

void sb_rows_times(int64_t mtime, struct sb_timespec *two)
{
	int64_t nsec = mtime % 1000000000;

	two[0].sec = mtime / 1000000000 - (nsec < 0);
	two[0].nsec = nsec < 0 ? nsec + 1000000000 : nsec;
	two[1] = two[0];
}

int sb_rows_set_times(struct sb_rows *rows, int top, char *problem)
{
	struct sb_record record;
	const char *path;
	uint64_t at;
	int more;

	problem[0] = '\0';
	start(&rows->scan, &rows->draft);
	while ((more = next(&rows->scan, &record, &path, &at)) == 1) {
		struct sb_timespec times[2];
		int err;

		if (record.dead || record.kind != 'd')
			continue;
		memcpy(problem, path, record.path_len);
		problem[record.path_len] = '\0';
		sb_rows_times(record.mtime, times);
		err = (int)sys_utimensat(top, problem, times, AT_SYMLINK_NOFOLLOW);
		if (err < 0)
			return err;
	}
	return more;
}
