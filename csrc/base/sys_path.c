/* SPDX-License-Identifier: MIT */
/*
 * sys_path.c - system calls with a path, for a user whose files a guest must not reach.
 *
 * Hosted build only.
 * How it works
 *   openat2(2) opens the directory of a path without following a link; where it is missing, a walk
 *   does, component by component. The call is then made for the last component below that
 *   descriptor. Calls that have no such form use the descriptor's name in /proc/self/fd.
 *   A directory without the owner's rights stops the user, too. Below the directories of
 *   sb_path_own() its mode is changed through a descriptor for the time of one call.
 */
#include "base/sys_path.h"

#include <errno.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LONGEST 4096 /* what the kernel takes as a path */
#define NAME_SIZE 256
#define FD_NAME_SIZE 32
#define RIGHTS 0700U /* what the owner of a directory needs */
#define NOT_OWN SIZE_MAX
#define FOLDER_FLAGS (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static __thread char own[2][LONGEST]; /* empty: none */
static __thread char folder[LONGEST];

/* Where a call is made. */
struct place {
	int dir;
	const char *name;
	bool opened;
	bool is_own;
	int mode; /* that dir had before it was opened up, or -1 */
};

void sb_path_own(const char *upper, const char *work)
{
	snprintf(own[0], sizeof(own[0]), "%s", upper);
	snprintf(own[1], sizeof(own[1]), "%s", work);
}

static long raw_close(int fd)
{
	return sb_syscall(__NR_close, fd, 0, 0, 0, 0, 0);
}

static long raw_open(int dir, const char *name, int flags)
{
	return sb_syscall(__NR_openat, dir, SB_P(name), flags, 0, 0, 0);
}

static const char *fd_name(int fd, char out[FD_NAME_SIZE])
{
	snprintf(out, FD_NAME_SIZE, "/proc/self/fd/%d", fd);
	return out;
}

static long change_mode(int fd, uint32_t mode)
{
	char name[FD_NAME_SIZE];

	return sb_syscall(__NR_fchmodat, AT_FDCWD, SB_P(fd_name(fd, name)), mode, 0, 0, 0);
}

/* ---- modes that shut the owner out -------------------------------------------- */

/* Give the owner of an open file these rights. Returns the old mode, or -1 when nothing was
 * changed. */
static int open_up(int fd, uint32_t rights)
{
	struct statx sx;
	uint32_t mode;
	long err = sb_syscall(__NR_statx, fd, SB_P(""), AT_EMPTY_PATH, STATX_BASIC_STATS, SB_P(&sx),
			      0);

	if (err < 0 || sx.stx_uid != geteuid() || (!S_ISDIR(sx.stx_mode) && !S_ISREG(sx.stx_mode)))
		return -1;
	mode = sx.stx_mode & 07777;
	if ((mode & rights) == rights || change_mode(fd, mode | rights) < 0)
		return -1;
	return (int)mode;
}

static void shut(int fd, int mode)
{
	if (mode >= 0)
		change_mode(fd, (uint32_t)mode);
}

/* Where the part of path begins that may be opened up: behind an own directory, or NOT_OWN. */
static size_t own_from(const char *path)
{
	for (unsigned i = 0; i < SB_ARRAY_LEN(own); i++) {
		size_t len = strlen(own[i]);

		if (len > 0 && strncmp(path, own[i], len) == 0 &&
		    (path[len] == '/' || path[len] == '\0'))
			return len;
	}
	return NOT_OWN;
}

/* ---- directories ----------------------------------------------------------------- */

static long step(int above, const char *name, bool may_open_up)
{
	long fd = raw_open(above, name, FOLDER_FLAGS);
	int mode;

	if (fd != -EACCES || !may_open_up)
		return fd;
	mode = open_up(above, RIGHTS);
	fd = raw_open(above, name, FOLDER_FLAGS);
	shut(above, mode);
	return fd;
}

/* The next component of path from *at on; 0 at the end, -errno. */
static long next_name(const char *path, size_t *at, char name[NAME_SIZE])
{
	size_t len = 0;

	while (path[*at] == '/')
		(*at)++;
	while (path[*at] != '/' && path[*at] != '\0') {
		if (len == NAME_SIZE - 1)
			return -ENAMETOOLONG;
		name[len++] = path[(*at)++];
	}
	name[len] = '\0';
	return strcmp(name, "..") == 0 ? -EXDEV : (long)len;
}

/* Open a directory component by component. Directories from the offset mine of path on may be
 * opened up. */
static long walk(int top, const char *path, size_t mine)
{
	char name[NAME_SIZE];
	long fd = path[0] == '/' ? raw_open(AT_FDCWD, "/", FOLDER_FLAGS)
				 : raw_open(top, ".", FOLDER_FLAGS);
	size_t at = 0;

	while (fd >= 0) {
		const bool may = at >= mine;
		long len = next_name(path, &at, name);
		long deeper;

		if (len == 0)
			break;
		deeper = len < 0 ? len : step((int)fd, name, may);
		raw_close((int)fd);
		fd = deeper;
	}
	return fd;
}

static long open_folder(int top, const char *path, size_t mine)
{
	struct open_how how = {
		.flags = FOLDER_FLAGS,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
			   (path[0] == '/' ? 0U : RESOLVE_BENEATH),
	};
	long fd = sb_syscall(__NR_openat2, top, SB_P(path), SB_P(&how), sizeof(how), 0, 0);

	/* Filters of old container engines answer EPERM instead of ENOSYS. */
	if (fd == -ENOSYS || fd == -EPERM || fd == -EACCES || fd == -EAGAIN || fd == -ENAMETOOLONG)
		fd = walk(top, path, mine);
	return fd == -ELOOP ? -ENOTDIR : fd;
}

/* Reopen a directory to read it. What may not be read can still be searched. */
static long to_read(int fd)
{
	long got = raw_open(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (got == -EACCES)
		return fd;
	raw_close(fd);
	return got;
}

long sb_path_open_folder(int top, const char *path, bool is_own)
{
	long fd = open_folder(top, path[0] == '\0' ? "." : path, is_own ? 0 : NOT_OWN);
	long got;
	int mode;

	if (fd < 0)
		return fd;
	mode = is_own ? open_up((int)fd, RIGHTS) : -1;
	got = to_read((int)fd);
	if (got >= 0)
		shut((int)got, mode);
	return got;
}

/* ---- where a call is made ------------------------------------------------------------ */

static long find(int dir, const char *path, struct place *out)
{
	const char *slash;
	size_t len;
	long fd;

	*out = (struct place){.dir = dir, .name = path, .mode = -1};
	if (dir != AT_FDCWD || path[0] != '/')
		return 0;
	slash = strrchr(path, '/');
	len = slash == path ? 1 : (size_t)(slash - path);
	if (len >= sizeof(folder))
		return -ENAMETOOLONG;
	memcpy(folder, path, len);
	folder[len] = '\0';
	fd = open_folder(AT_FDCWD, folder, own_from(folder));
	if (fd < 0)
		return fd;
	out->dir = (int)fd;
	out->name = slash[1] == '\0' ? "." : slash + 1;
	out->opened = true;
	out->is_own = own_from(folder) != NOT_OWN;
	return 0;
}

static void leave(struct place *place)
{
	shut(place->dir, place->mode);
	if (place->opened)
		raw_close(place->dir);
}

/* Is a descriptor, which the caller got from sys_openat(), of an own directory? */
static bool is_own_fd(int fd)
{
	char name[FD_NAME_SIZE];
	long len = sb_syscall(__NR_readlinkat, AT_FDCWD, SB_P(fd_name(fd, name)), SB_P(folder),
			      sizeof(folder) - 1, 0, 0);

	if (fd < 0 || len < 0)
		return false;
	folder[len] = '\0';
	return own_from(folder) != NOT_OWN;
}

/* After -EACCES: open the directory of the place up. True when it is worth another try. */
static bool let_in(struct place *place)
{
	if (!place->opened)
		place->is_own = is_own_fd(place->dir);
	if (place->is_own)
		place->mode = open_up(place->dir, RIGHTS);
	return place->mode >= 0;
}

static long at_one(long nr, int dir, const char *path, long c, long d, long e)
{
	struct place place;
	long ret = find(dir, path, &place);

	if (ret < 0)
		return ret;
	ret = sb_syscall(nr, place.dir, SB_P(place.name), c, d, e, 0);
	if (ret == -EACCES && let_in(&place))
		ret = sb_syscall(nr, place.dir, SB_P(place.name), c, d, e, 0);
	leave(&place);
	return ret;
}

static long at_two(long nr, int olddir, const char *old, int newdir, const char *new, long flags)
{
	struct place from;
	struct place to;
	long ret = find(olddir, old, &from);

	if (ret < 0)
		return ret;
	ret = find(newdir, new, &to);
	if (ret == 0) {
		ret = sb_syscall(nr, from.dir, SB_P(from.name), to.dir, SB_P(to.name), flags, 0);
		/* Both, although one may be enough: let_in() changes nothing where it need not. */
		if (ret == -EACCES && (let_in(&from) | let_in(&to)))
			ret = sb_syscall(nr, from.dir, SB_P(from.name), to.dir, SB_P(to.name),
					 flags, 0);
		leave(&to);
	}
	leave(&from);
	return ret;
}

/* ---- the calls --------------------------------------------------------------------------- */

/* Open an own file or directory whose mode shuts its owner out. */
static long open_shut(const struct place *place, int flags)
{
	const uint32_t rights = (flags & O_DIRECTORY) != 0 ? RIGHTS : 0600;
	const long fd = raw_open(place->dir, place->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char name[FD_NAME_SIZE];
	long got = -EACCES;
	int mode;

	if (fd < 0)
		return fd;
	mode = open_up((int)fd, rights);
	if (mode >= 0) {
		got = raw_open(AT_FDCWD, fd_name((int)fd, name), flags & ~O_NOFOLLOW);
		shut((int)fd, mode);
	}
	raw_close((int)fd);
	return got;
}

long sys_openat(int dir, const char *path, int flags, uint32_t mode)
{
	struct place place;
	long fd = find(dir, path, &place);

	if (fd < 0)
		return fd;
	flags |= O_NOFOLLOW | O_NOCTTY | ((flags & O_CREAT) != 0 ? 0 : O_NONBLOCK);
	fd = sb_syscall(__NR_openat, place.dir, SB_P(place.name), flags, mode, 0, 0);
	if (fd == -EACCES && let_in(&place))
		fd = sb_syscall(__NR_openat, place.dir, SB_P(place.name), flags, mode, 0, 0);
	if (fd == -EACCES && place.is_own && (flags & O_CREAT) == 0)
		fd = open_shut(&place, flags);
	leave(&place);
	return fd;
}

long sys_statx(int dir, const char *path, int flags, uint32_t mask, struct statx *out)
{
	if ((flags & AT_SYMLINK_NOFOLLOW) == 0)
		return sb_syscall(__NR_statx, dir, SB_P(path), flags, mask, SB_P(out), 0);
	return at_one(__NR_statx, dir, path, flags, mask, SB_P(out));
}

long sys_faccessat(int dir, const char *path, int mode)
{
	return at_one(__NR_faccessat, dir, path, mode, 0, 0);
}

long sys_faccessat2(int dir, const char *path, int mode, int flags)
{
	return at_one(__NR_faccessat2, dir, path, mode, flags | AT_SYMLINK_NOFOLLOW, 0);
}

long sys_readlinkat(int dir, const char *path, char *buf, size_t len)
{
	static const char fds[] = "/proc/self/fd/";

	/* What a descriptor of our own is called. */
	if (dir == AT_FDCWD && strncmp(path, fds, sizeof(fds) - 1) == 0)
		return sb_syscall(__NR_readlinkat, dir, SB_P(path), SB_P(buf), (long)len, 0, 0);
	return at_one(__NR_readlinkat, dir, path, SB_P(buf), (long)len, 0);
}

long sys_mkdirat(int dir, const char *path, uint32_t mode)
{
	return at_one(__NR_mkdirat, dir, path, mode, 0, 0);
}

long sys_mknodat(int dir, const char *path, uint32_t mode, uint64_t dev)
{
	return at_one(__NR_mknodat, dir, path, mode, (long)dev, 0);
}

long sys_symlinkat(const char *target, int dir, const char *path)
{
	struct place place;
	long ret = find(dir, path, &place);

	if (ret < 0)
		return ret;
	ret = sb_syscall(__NR_symlinkat, SB_P(target), place.dir, SB_P(place.name), 0, 0, 0);
	if (ret == -EACCES && let_in(&place))
		ret = sb_syscall(__NR_symlinkat, SB_P(target), place.dir, SB_P(place.name), 0, 0,
				 0);
	leave(&place);
	return ret;
}

long sys_linkat(int olddir, const char *old, int newdir, const char *new, int flags)
{
	return at_two(__NR_linkat, olddir, old, newdir, new, flags & ~AT_SYMLINK_FOLLOW);
}

long sys_unlinkat(int dir, const char *path, int flags)
{
	return at_one(__NR_unlinkat, dir, path, flags, 0, 0);
}

long sys_renameat2(int olddir, const char *old, int newdir, const char *new, uint32_t flags)
{
	return at_two(__NR_renameat2, olddir, old, newdir, new, flags);
}

long sys_fchmodat(int dir, const char *path, uint32_t mode)
{
	const long fd = at_one(__NR_openat, dir, path, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0, 0);
	struct statx sx;
	long ret;

	if (fd < 0)
		return fd;
	ret = sb_syscall(__NR_statx, fd, SB_P(""), AT_EMPTY_PATH, STATX_TYPE, SB_P(&sx), 0);
	if (ret == 0)
		ret = S_ISLNK(sx.stx_mode) ? -EOPNOTSUPP : change_mode((int)fd, mode);
	raw_close((int)fd);
	return ret;
}

long sys_fchownat(int dir, const char *path, uint32_t uid, uint32_t gid, int flags)
{
	return at_one(__NR_fchownat, dir, path, uid, gid, flags | AT_SYMLINK_NOFOLLOW);
}

long sys_utimensat(int dir, const char *path, const struct sb_timespec *times, int flags)
{
	if (path == NULL)
		return sb_syscall(__NR_utimensat, dir, 0, SB_P(times), flags, 0, 0);
	return at_one(__NR_utimensat, dir, path, SB_P(times), flags | AT_SYMLINK_NOFOLLOW, 0);
}

long sys_truncate(const char *path, int64_t len)
{
	const long fd = sys_openat(AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0);
	long ret;

	if (fd < 0)
		return fd;
	ret = sb_syscall(__NR_ftruncate, fd, len, 0, 0, 0, 0);
	raw_close((int)fd);
	return ret;
}

/* Calls on extended attributes have no form with a descriptor of a directory on all kernels. The
 * name of that descriptor in /proc leads to the directory itself. */
static long at_name(long nr, const char *path, const char *name, const void *value, size_t len,
		    int flags)
{
	struct place place;
	char at[FD_NAME_SIZE + NAME_SIZE];
	long ret = find(AT_FDCWD, path, &place);

	if (ret < 0)
		return ret;
	if (strlen(place.name) >= NAME_SIZE) {
		leave(&place);
		return -ENAMETOOLONG;
	}
	if (place.opened)
		snprintf(at, sizeof(at), "/proc/self/fd/%d/%s", place.dir, place.name);
	else
		snprintf(at, sizeof(at), "%s", place.name);
	do {
		if (nr == __NR_llistxattr)
			ret = sb_syscall(nr, SB_P(at), SB_P(value), (long)len, 0, 0, 0);
		else
			ret = sb_syscall(nr, SB_P(at), SB_P(name), SB_P(value), (long)len, flags,
					 0);
	} while (ret == -EACCES && place.mode < 0 && let_in(&place));
	leave(&place);
	return ret;
}

long sys_lgetxattr(const char *path, const char *name, void *buf, size_t len)
{
	return at_name(__NR_lgetxattr, path, name, buf, len, 0);
}

long sys_llistxattr(const char *path, char *buf, size_t len)
{
	return at_name(__NR_llistxattr, path, NULL, buf, len, 0);
}

long sys_lsetxattr(const char *path, const char *name, const void *value, size_t len, int flags)
{
	return at_name(__NR_lsetxattr, path, name, value, len, flags);
}

long sys_lremovexattr(const char *path, const char *name)
{
	return at_name(__NR_lremovexattr, path, name, NULL, 0, 0);
}
