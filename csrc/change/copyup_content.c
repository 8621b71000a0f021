/* SPDX-License-Identifier: MIT */
/*
 * copyup_content.c - copy the bytes of a file that is copied up.
 *
 * How it works
 *   A clone, where the file system has clones. Else the parts that are not holes are copied, by
 *   the kernel, or by hand where it refuses these two files.
 */
#include <errno.h>
#include <linux/fs.h>

#include "change/internal.h"

#define HALF (sizeof(((struct sb_work *)0)->buffer) / 2)

static int copy_by_hand(struct sb_fs *fs, int in, int out, int64_t off, int64_t end)
{
	char *buf = fs->work->buffer + HALF;

	while (off < end) {
		int64_t want = SB_MIN(end - off, (int64_t)HALF);
		long got = sys_pread(in, buf, (size_t)want, off);
		long done = 0;

		if (got == 0)
			break;
		if (got < 0)
			return (int)got;
		while (done < got) {
			long n = sys_pwrite(out, buf + done, (size_t)(got - done), off + done);

			if (n < 0)
				return (int)n;
			done += n;
		}
		off += got;
	}
	return 0;
}

static int copy_range(struct sb_fs *fs, int in, int out, int64_t off, int64_t end)
{
	while (off < end) {
		int64_t from = off;
		int64_t to = off;
		long n = sys_copy_file_range(in, &from, out, &to, (size_t)(end - off));

		if (n <= 0)
			return n == -ENOSPC || n == -EDQUOT || n == -EIO
				       ? (int)n
				       : copy_by_hand(fs, in, out, off, end);
		off += n;
	}
	return 0;
}

int sb_copy_content(struct sb_fs *fs, int in, int out, int64_t size, bool whole)
{
	int64_t at = 0;
	int err = 0;

	if (whole && sys_ioctl(out, FICLONE, in) == 0)
		return 0;
	while (err == 0 && at < size) {
		int64_t data = sys_lseek(in, at, SEEK_DATA);
		int64_t hole = size;

		if (data == -ENXIO)
			break;
		if (data < 0)
			data = at;
		else
			hole = sys_lseek(in, data, SEEK_HOLE);
		if (hole < 0 || hole > size)
			hole = size;
		err = copy_range(fs, in, out, data, hole);
		at = hole;
	}
	return err < 0 ? err : (int)sys_ftruncate(out, size);
}
