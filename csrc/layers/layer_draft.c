/* SPDX-License-Identifier: MIT */
/*
 * layer_draft.c - append records to a file, read them and write over them.
 *
 * How it works
 *   The last records wait in memory; those before them are in the file. No record is in both.
 * Rules
 *   Hosted build only. Functions return 0 or -errno.
 */
#include "layers/layer_draft.h"

#include <errno.h>

#include "base/mem.h"
#include "base/sys.h"

int sb_write_all(int fd, const char *bytes, size_t len, int64_t at)
{
	while (len > 0) {
		long done = at < 0 ? sys_write(fd, bytes, len) : sys_pwrite(fd, bytes, len, at);

		if (done == -EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? (int)done : -EIO;
		bytes += done;
		len -= (size_t)done;
		if (at >= 0)
			at += done;
	}
	return 0;
}

int sb_draft_flush(struct sb_draft *d)
{
	int err = sb_write_all(d->fd, d->bytes, d->used, (int64_t)d->base);

	if (err < 0)
		return err;
	d->base += d->used;
	d->used = 0;
	return 0;
}

int sb_draft_append(struct sb_draft *d, const void *bytes, size_t len)
{
	int err = 0;

	if (len > sizeof(d->bytes) - d->used)
		err = sb_draft_flush(d);
	if (err < 0)
		return err;
	if (len > sizeof(d->bytes)) {
		err = sb_write_all(d->fd, bytes, len, (int64_t)d->base);
		d->base += err < 0 ? 0 : len;
		return err;
	}
	memcpy(d->bytes + d->used, bytes, len);
	d->used += len;
	return 0;
}

int sb_draft_read(const struct sb_draft *d, uint64_t at, void *bytes, size_t len)
{
	char *to = bytes;

	while (len > 0 && at < d->base) {
		size_t part = SB_MIN(len, (size_t)(d->base - at));
		long done = sys_pread(d->fd, to, part, (int64_t)at);

		if (done == -EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? (int)done : -EIO;
		to += done;
		at += (uint64_t)done;
		len -= (size_t)done;
	}
	if (len == 0)
		return 0;
	if (at - d->base > d->used || len > d->used - (at - d->base))
		return -EIO;
	memcpy(to, d->bytes + (at - d->base), len);
	return 0;
}

int sb_draft_rewrite(struct sb_draft *d, uint64_t at, const void *bytes, size_t len)
{
	const char *from = bytes;

	if (at < d->base) {
		size_t part = SB_MIN(len, (size_t)(d->base - at));
		int err = sb_write_all(d->fd, from, part, (int64_t)at);

		if (err < 0)
			return err;
		from += part;
		at += part;
		len -= part;
	}
	if (len > 0)
		memcpy(d->bytes + (at - d->base), from, len);
	return 0;
}
