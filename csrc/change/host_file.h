/* SPDX-License-Identifier: MIT */
/*
 * host_file.h - a host file whose mode, owner or times change; only change/ knows it.
 */
#ifndef SB_HOST_FILE_H
#define SB_HOST_FILE_H

#include "change/internal.h"
#include "view/view.h"

struct sb_file {
	const char *host; /* its name from the directory fd, or NULL: it is the descriptor fd */
	int fd;
	bool in_upper;
	uint32_t mount; /* that holds it, if its owners are its own */
	struct statx sx;
	struct sb_stat st; /* as the guest sees it */
	struct sb_owner_key key;
	struct sb_owner record;
	bool has_record;
	bool drops_caps; /* the record loses its security.capability */
};

/* Fill st, key and record from sx. */
void sb_file_look(struct sb_fs *fs, struct sb_file *file);
int sb_file_open_path(struct sb_fs *fs, struct sb_at *at, struct sb_file *file) SB_MUST_CHECK;
int sb_file_open_fd(struct sb_fs *fs, int fd, struct sb_file *file) SB_MUST_CHECK;
/* Write the record that file->record describes, when the file needs one. */
int sb_file_save(struct sb_fs *fs, const struct sb_file *file) SB_MUST_CHECK;
/* Give it these bits; who may do that was checked. */
int sb_file_set_mode(struct sb_fs *fs, struct sb_file *file, uint32_t mode) SB_MUST_CHECK;
/* The mode after a chown, as in chown_common() and setattr_should_drop_sgid(). */
uint32_t sb_file_mode_after_chown(const struct sb_fs *fs, const struct sb_stat *st);
int sb_file_may_chown(const struct sb_fs *fs, const struct sb_stat *st, uint32_t uid,
		      uint32_t gid) SB_MUST_CHECK;
/* UINT32_MAX leaves an id as it is. */
int sb_file_set_owner(struct sb_fs *fs, struct sb_file *file, uint32_t uid,
		      uint32_t gid) SB_MUST_CHECK;

#endif
