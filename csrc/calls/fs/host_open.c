/* SPDX-License-Identifier: MIT */
/*
 * host_open.c - open on the host what the look-up found.
 *
 * How it works
 *   A device of the image is an empty file on the host. For a few harmless devices the host's own
 *   device with that number is opened instead.
 * Rules
 *   No symlink is followed; the look-up has done that.
 */
#include "calls/fs/host_open.h"

#include <errno.h>
#include <linux/openat2.h>

#include "change/change.h"
#include "guest/thread.h"
#include "tree/loosen.h"
#include "view/opener.h"
#include "view/terminals.h"

struct device {
	uint32_t minor_of_major; /* major << 8 | minor */
	const char *host;
};

#define PTMX (5 << 8 | 2)

static const struct device devices[] = {
	{1 << 8 | 3, "/dev/null"},   {1 << 8 | 5, "/dev/zero"},    {1 << 8 | 7, "/dev/full"},
	{1 << 8 | 8, "/dev/random"}, {1 << 8 | 9, "/dev/urandom"}, {5 << 8 | 0, "/dev/tty"},
	{PTMX, "/dev/ptmx"},
};

static const char *host_device(const struct sb_stat *st)
{
	if ((st->mode & S_IFMT) != S_IFCHR)
		return NULL;
	for (size_t i = 0; i < SB_ARRAY_LEN(devices); i++) {
		if (devices[i].minor_of_major == st->rdev)
			return devices[i].host;
	}
	return NULL;
}

bool sb_open_is_device(uint32_t type)
{
	return type == S_IFCHR || type == S_IFBLK;
}

/* The node at this place will do if it is a device on the host. */
static bool is_real_device(const struct sb_at *at)
{
	struct statx sx;

	if (at->spot.place != SB_PLACE_MOUNT && at->spot.place != SB_PLACE_LIVE)
		return false;
	return sys_statx(AT_FDCWD, at->host.buf, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &sx) == 0 &&
	       sb_open_is_device(sx.stx_mode & S_IFMT);
}

/* Open a file, as the last step of the call. A file that cannot wait is opened while signals wait,
 * if signals rolled the call back too often. */
static long open_last(struct sb_call *call, long nr, int dirfd, const char *host, long a, long b)
{
	const uint32_t type = call->work->a.spot.type;

	if (sb_thread_insists(call->thread) && (type == S_IFREG || type == S_IFDIR))
		return sb_syscall(nr, dirfd, SB_P(host), a, b, 0, 0);
	return sb_guest_block(call, nr, dirfd, SB_P(host), a, b, 0, 0);
}

long sb_open_resolving(struct sb_call *call, const struct sb_pure_name *at, int flags,
		       uint32_t mode, uint64_t resolve)
{
	const struct open_how how = {
		.flags = (uint32_t)flags,
		.mode = mode,
		.resolve = RESOLVE_NO_SYMLINKS | resolve,
	};

	return open_last(call, __NR_openat2, at->dirfd, at->name, SB_P(&how), sizeof(how));
}

long sb_open_strictly(struct sb_call *call, int dirfd, const char *host, int flags)
{
	const struct sb_pure_name at = {.dirfd = dirfd, .name = host};

	return sb_open_resolving(call, &at, flags, 0, 0);
}

long sb_open_host(struct sb_call *call, const char *host, int flags)
{
	long fd = sb_open_strictly(call, AT_FDCWD, host, flags);

	if (fd == -ELOOP || fd == -ENOSYS || fd == -EPERM)
		fd = open_last(call, __NR_openat, AT_FDCWD, host, flags | O_NOFOLLOW, 0);
	if (fd == -EPERM &&
	    (flags & O_NOATIME) != 0) /* the guest owns the file only in its own view */
		return sb_open_host(call, host, flags & ~O_NOATIME);
	return fd;
}

/* Opening a regular file cannot wait: its mode is changed for that moment only. */
static long open_loosened(struct sb_call *call, const struct sb_at *at, int flags)
{
	struct sb_loosened done;
	long fd = sb_loosen(call->fs, at->spot.mount, at->host.buf, 0600, &done);

	if (fd < 0)
		return fd;
	fd = sys_openat(AT_FDCWD, at->host.buf, flags | O_NOFOLLOW, 0);
	sb_tighten(call->fs, at->host.buf, &done);
	return fd;
}

long sb_open_allowed(struct sb_call *call, const struct sb_at *at, int flags)
{
	const uint32_t bits = at->spot.type == S_IFDIR ? 0500 : 0600;
	long fd = sb_open_host(call, at->host.buf, flags);

	if (fd != -EACCES || at->spot.place != SB_PLACE_MOUNT)
		return fd;
	if (at->spot.type == S_IFREG)
		fd = open_loosened(call, at, flags);
	else if (sb_loosen(call->fs, at->spot.mount, at->host.buf, bits, NULL) == 0)
		fd = sb_open_host(call, at->host.buf, flags);
	return fd;
}

long sb_open_made_link(struct sb_call *call, const struct sb_at *at, int flags)
{
	const struct sb_control *control = call->fs->tree->control;
	const struct sb_text *text = &control->mounts[at->spot.mount].host;
	char target[256];
	long fd = sb_open_host(call, at->guest.buf, flags);
	long len;

	if (fd < 0)
		return -ELOOP;
	len = sys_readlinkat((int)fd, "", target, sizeof(target));
	if (len > 0 && sb_same(target, (size_t)len, sb_text_at(control, *text), text->len))
		return fd;
	sys_close((int)fd);
	return -ELOOP;
}

long sb_open_task_file(struct sb_call *call, const char *host, int flags)
{
	const struct sb_opener_request request = {
		.verb = SB_TASK_FILE_OPEN,
		.flags = (uint32_t)flags,
	};
	long fd;

	sb_commit_begin(call->fs);
	fd = sys_openat(AT_FDCWD, host, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
	if (fd >= 0)
		fd = sb_opener_open(call->fs, &request, (int)fd);
	sb_commit_end(call->fs);
	return fd == -ENOENT || fd == -ECONNREFUSED ? -EACCES : fd; /* there is no opener */
}

/* Open /dev/ptmx; the other side of the new terminal gets the caller as its owner. Nothing waits
 * here. */
static long open_new_terminal(struct sb_call *call, const char *host, int flags)
{
	long fd;
	int err;

	sb_commit_begin(call->fs);
	fd = sys_openat(AT_FDCWD, host, flags, 0);
	err = fd < 0 ? 0 : sb_change_give_terminal(call->fs, (int)fd, call->ids->fsuid);
	if (err < 0)
		sys_close((int)fd);
	sb_commit_end(call->fs);
	return err < 0 ? err : fd;
}

static bool is_terminal(const struct sb_call *call, const struct sb_at *at, uint32_t *number)
{
	const uint32_t name = sb_path_name(&at->guest);

	return at->spot.mount != SB_NO_MOUNT &&
	       call->fs->tree->control->mounts[at->spot.mount].kind == SB_MOUNT_TERMINALS &&
	       sb_terminal_number(at->guest.buf + name, at->guest.len - name, number);
}

long sb_open_device(struct sb_call *call, int flags, struct sb_at *at)
{
	const char *host;
	uint32_t number;
	int err = at->has_stat ? 0 : sb_tree_stat(call->fs, at);

	if (err < 0)
		return err;
	host = host_device(&at->st);
	if (host != NULL && at->st.rdev == PTMX)
		return open_new_terminal(call, host, flags & ~O_NOFOLLOW);
	if (host != NULL) /* /dev/ptmx may be a symlink on the host */
		return sb_guest_block(call, __NR_openat, AT_FDCWD, SB_P(host), flags & ~O_NOFOLLOW,
				      0, 0, 0);
	if (!is_real_device(at))
		return -EPERM;
	if (is_terminal(call, at, &number)) {
		sb_commit_begin(call->fs);
		return sb_terminal_open(call->fs, number, flags);
	}
	return sb_open_host(call, at->host.buf, flags);
}
