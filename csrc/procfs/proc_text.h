/* SPDX-License-Identifier: MIT */
/*
 * proc_text.h - lines of /proc files in guest terms.
 *
 * Each function turns a piece of input into text and appends it to a struct sb_proc_out. Text
 * that does not fit is dropped whole (full is set).
 */
#ifndef SB_PROC_TEXT_H
#define SB_PROC_TEXT_H

#include "tree/tree.h"

struct sb_proc_out {
	char *buf;
	uint32_t len;
	uint32_t max;
	bool full;
};

/* Addresses of the runtime's maps in every process of a container: hidden. */
struct sb_proc_range {
	uint64_t from;
	uint64_t to;
};

/* Turn a host path found in /proc (not escaped) into what the guest may see: its guest path;
 * the text itself when it is no path of the tree ("/memfd:x (deleted)", a file from outside).
 * -EACCES for a path of the store or the run directory that has no guest path. Files made by
 * sb_proc_open carry their name. Uses work->host; out is another. */
int sb_proc_guest_text(const struct sb_fs *fs, const char *host, size_t len,
		       struct sb_path *out) SB_MUST_CHECK;
#define SB_PROC_MEMFD "sandbox:" /* prefix of the memfd name of a file made here */
#define SB_PROC_HIDDEN_MEMFD "sandbox-text" /* memory of the runtime outside its own range */

/* One line, with or without its newline, of maps or smaps. *hidden belongs to the caller and is
 * false at first: the attribute lines of smaps follow their map. Uses work->found, guest and
 * host. */
void sb_proc_maps_line(const struct sb_fs *fs, struct sb_proc_range hide, const char *line,
		       size_t len, bool *hidden, struct sb_proc_out *out);
/* The same for numa_maps, whose paths follow "file=". */
void sb_proc_numa_line(const struct sb_fs *fs, struct sb_proc_range hide, const char *line,
		       size_t len, struct sb_proc_out *out);
/* One line of /proc/net/unix, where the path is at the end. */
void sb_proc_unix_line(const struct sb_fs *fs, const char *line, size_t len,
		       struct sb_proc_out *out);

void sb_proc_put(struct sb_proc_out *out, const char *text, size_t len);
void sb_proc_put_text(struct sb_proc_out *out, const char *text);
/* Append text with the bytes in special as \ooo, as seq_file_path() does. */
void sb_proc_put_escaped(struct sb_proc_out *out, const char *text, size_t len,
			 const char *special);
/* Append value in base 8, 10 or 16, with at least width digits. */
void sb_proc_put_number(struct sb_proc_out *out, uint64_t value, unsigned base, unsigned width);

#endif
