/* SPDX-License-Identifier: MIT */
/*
 * layer_table.h - the entries of a layer that is being unpacked.
 *
 * Hosted build only. cffi reads this, too: abi.h says what that forbids.
 */
#ifndef SB_LAYER_TABLE_H
#define SB_LAYER_TABLE_H

#include <stdint.h>

/* Memory is 8 to 16 bytes an entry, whatever its name. Not for two threads at a time. */
struct sb_table;

/* What is known of an entry: a record of the draft. Path and link target follow it. */
struct sb_record {
	uint64_t inode; /* the record that describes the file: its own, or the one that it links to
			 */
	uint64_t first; /* the file's first name, while the rows are written */
	uint64_t size;
	uint64_t xattrs; /* the record with the JSON of its extended attributes, or 0 */
	int64_t mtime; /* nanoseconds */
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	uint32_t major;
	uint32_t minor;
	uint32_t names; /* how many names the file has */
	uint32_t length; /* length of the record, a multiple of 8 */
	uint32_t link_len;
	uint16_t path_len;
	uint8_t kind; /* f d l c b p, w whiteout, o opaque, X a record of attributes */
	uint8_t dead; /* the name was removed */
	uint32_t reserved;
};

/* fd is the draft: an empty file, open to read and write. The caller closes it. */
struct sb_table *sb_table_open(int fd, int *error);
void sb_table_close(struct sb_table *t);

/* The record of the file at a path, or -ENOENT; -ELOOP when too many names share a hash. */
int64_t sb_table_find(struct sb_table *t, const char *path, uint32_t len);
/* Read a record, and its link target: link_len bytes, of which room fit into link. */
int sb_table_read(struct sb_table *t, uint64_t at, struct sb_record *record, char *link,
		  uint32_t room);
/* Put row at a path: a new entry, or a new description of the directory there. xattrs is a JSON
 * object, or empty. */
int sb_table_put(struct sb_table *t, const char *path, uint32_t len, const struct sb_record *row,
		 const char *link, const char *xattrs, uint32_t xattrs_len);
/* Make path, where there is nothing, another name of the file at target. */
int sb_table_link(struct sb_table *t, const char *path, uint32_t len, const char *target,
		  uint32_t target_len);
/* Forget one name. */
int sb_table_remove(struct sb_table *t, const char *path, uint32_t len);
/* Note a whiteout, unless the path has a mark, or an opaque directory. */
int sb_table_mark(struct sb_table *t, const char *path, uint32_t len, uint8_t kind);

/* Bytes of all files. */
uint64_t sb_table_size(const struct sb_table *t);
/* Write the rows (meta.jsonl) to fd; returns their number. Nothing may be added afterwards. */
int64_t sb_table_write(struct sb_table *t, int fd);
/* Set the times of the directories below top. After -errno problem (4096 bytes) is the path. */
int sb_table_set_times(struct sb_table *t, int top, char *problem);

#endif
