/* SPDX-License-Identifier: MIT */
/*
 * hosted_change.c - change the merged tree for Python.
 *
 * Hosted build only. There is a function for each method of sandbox.native.core.Tree that changes
 * something. It looks the path up as root of the container and calls the function of change/ with
 * the same name.
 */
#include <errno.h>

#include "change/change.h"
#include "hosted/internal.h"
#include "view/view.h"

/* Look up a name to make; -EEXIST when something is there. */
static int look_up_new(struct sb_hosted *h, const char *path, struct sb_at *at)
{
	int err = sb_hosted_look_up(h, path, SB_PARENT | SB_MAY_BE_ABSENT, at);

	if (err == 0 && at->spot.place != SB_PLACE_ABSENT)
		return -EEXIST;
	return err;
}

int sb_hosted_create_file(struct sb_hosted *h, const char *path, uint32_t mode)
{
	int err = look_up_new(h, path, &h->work.a);
	int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

	return err < 0 ? err : (int)sb_change_create(&h->fs, &h->work.a, flags, mode);
}

int sb_hosted_mkdir(struct sb_hosted *h, const char *path, uint32_t mode)
{
	int err = look_up_new(h, path, &h->work.a);

	return err < 0 ? err : sb_change_mkdir(&h->fs, &h->work.a, mode);
}

int sb_hosted_make_place(struct sb_hosted *h, const char *path, uint32_t mode)
{
	int err;

	h->fs.makes_places = 1;
	err = sb_hosted_mkdir(h, path, mode);
	h->fs.makes_places = 0;
	return err;
}

int sb_hosted_mknod(struct sb_hosted *h, const char *path, uint32_t mode, uint64_t rdev)
{
	int err = look_up_new(h, path, &h->work.a);

	return err < 0 ? err : sb_change_mknod(&h->fs, &h->work.a, mode, rdev);
}

int sb_hosted_symlink(struct sb_hosted *h, const char *target, const char *path)
{
	int err = look_up_new(h, path, &h->work.a);

	return err < 0 ? err : sb_change_symlink(&h->fs, &h->work.a, target);
}

int sb_hosted_link(struct sb_hosted *h, const char *from, const char *to)
{
	int err = sb_hosted_look_up(h, from, SB_PARENT, &h->work.a);

	if (err == 0)
		err = look_up_new(h, to, &h->work.b);
	return err < 0 ? err : sb_change_link(&h->fs, &h->work.a, &h->work.b);
}

int sb_hosted_rename(struct sb_hosted *h, const char *from, const char *to, uint32_t flags)
{
	int err;

	sb_hosted_enter(h);
	err = sb_quick_rename(&h->fs, from, to, flags);
	if (err != -SB_ELOOK)
		return err;
	err = sb_hosted_look_up(h, from, SB_PARENT | SB_MAY_BE_ABSENT, &h->work.a);
	if (err == 0)
		err = sb_hosted_look_up(h, to, SB_PARENT | SB_MAY_BE_ABSENT, &h->work.b);
	return err < 0 ? err : sb_change_rename(&h->fs, &h->work.a, &h->work.b, flags);
}

int sb_hosted_unlink(struct sb_hosted *h, const char *path)
{
	int err;

	sb_hosted_enter(h);
	err = sb_quick_unlink(&h->fs, path);
	if (err != -SB_ELOOK)
		return err;
	err = sb_hosted_look_up(h, path, SB_PARENT, &h->work.a);
	return err < 0 ? err : sb_change_unlink(&h->fs, &h->work.a);
}

int sb_hosted_rmdir(struct sb_hosted *h, const char *path)
{
	int err = sb_hosted_look_up(h, path, SB_PARENT, &h->work.a);

	return err < 0 ? err : sb_change_rmdir(&h->fs, &h->work.a);
}

int sb_hosted_chmod(struct sb_hosted *h, const char *path, uint32_t mode)
{
	int err = sb_hosted_look_up(h, path, 0, &h->work.a);

	return err < 0 ? err : sb_change_chmod(&h->fs, &h->work.a, mode);
}

int sb_hosted_chown(struct sb_hosted *h, const char *path, uint32_t uid, uint32_t gid)
{
	int err = sb_hosted_look_up(h, path, 0, &h->work.a);

	return err < 0 ? err : sb_change_chown(&h->fs, &h->work.a, uid, gid);
}

static struct sb_timespec time_of(int64_t ns)
{
	int64_t nsec = ns % 1000000000;

	if (nsec < 0)
		nsec += 1000000000;
	return (struct sb_timespec){.sec = (ns - nsec) / 1000000000, .nsec = nsec};
}

int sb_hosted_utimens(struct sb_hosted *h, const char *path, int64_t atime_ns, int64_t mtime_ns)
{
	struct sb_timespec times[2] = {time_of(atime_ns), time_of(mtime_ns)};
	int err = sb_hosted_look_up(h, path, 0, &h->work.a);

	return err < 0 ? err : sb_change_utimens(&h->fs, &h->work.a, times);
}

int sb_hosted_truncate(struct sb_hosted *h, const char *path, int64_t len)
{
	int err = sb_hosted_look_up(h, path, 0, &h->work.a);

	return err < 0 ? err : sb_change_truncate(&h->fs, &h->work.a, len);
}

int sb_hosted_setxattr(struct sb_hosted *h, const char *path, const char *name, const char *value,
		       uint64_t len)
{
	int err = sb_hosted_look_up(h, path, 0, &h->work.a);

	return err < 0 ? err : sb_change_setxattr(&h->fs, &h->work.a, name, value, len, 0);
}

int sb_hosted_removexattr(struct sb_hosted *h, const char *path, const char *name)
{
	int err = sb_hosted_look_up(h, path, 0, &h->work.a);

	return err < 0 ? err : sb_change_removexattr(&h->fs, &h->work.a, name);
}
