/* SPDX-License-Identifier: MIT */
/*
 * socket_name.c - names of AF_UNIX sockets between the guest and the kernel.
 *
 * How it works
 *   A host path that fits into sun_path is used as it is. For a longer one a symlink <run>/a<hash>
 *   leads to the socket's directory. It stays, so that a name which the kernel shows another
 *   process can be turned back. If that does not fit either, "/proc/self/fd/N" of a temporary
 *   descriptor is used; peers then see that name.
 * Rules
 *   Uses work->base, found, guest and host. A temporary descriptor is in a commit section.
 * Does not know
 *   Which call uses the name, or how the entry of a bound socket is made.
 */
#include "calls/net/socket_name.h"

#include <errno.h>
#include <linux/un.h>
#include <sys/socket.h>

#include "guest/paths/lookup.h"
#include "guest/paths/magic_link.h"
#include "guest/paths/proc_entry.h"
#include "procfs/proc_text.h"
#include "tree/host_path.h"
#include "tree/loosen.h"

#define PATH_OFFSET 2 /* offsetof(struct sockaddr_un, sun_path) */
#define PATH_ROOM (UNIX_PATH_MAX - 1)

int sb_socket_name_read(uint64_t addr, uint32_t len, struct sb_socket_name *name)
{
	if (len > SB_SOCKET_NAME_MAX)
		return -EINVAL;
	memset(name, 0, sizeof(*name));
	name->len = len;
	name->temp = -1;
	return sb_guest_read(name->bytes, addr, len);
}

bool sb_socket_name_is_path(const struct sb_socket_name *name)
{
	return name->len > PATH_OFFSET && name->family == AF_UNIX &&
	       name->bytes[PATH_OFFSET] != '\0';
}

/* Copy the path of a name into text, with a NUL; returns its length. */
static uint32_t path_of(const struct sb_socket_name *name, char text[UNIX_PATH_MAX + 1])
{
	const uint32_t max = SB_MIN(name->len - PATH_OFFSET, (uint32_t)UNIX_PATH_MAX);
	uint32_t len = 0;

	while (len < max && name->bytes[PATH_OFFSET + len] != '\0') {
		text[len] = (char)name->bytes[PATH_OFFSET + len];
		len++;
	}
	text[len] = '\0';
	return len;
}

static void set_path(struct sb_socket_name *name, const char *path, size_t len)
{
	name->family = AF_UNIX;
	memcpy(name->bytes + PATH_OFFSET, path, len);
	name->bytes[PATH_OFFSET + len] = '\0';
	name->len = (uint32_t)(PATH_OFFSET + len + 1);
}

/* ---- from the guest ----------------------------------------------------- */

static int look_up(struct sb_call *call, const struct sb_socket_name *name, unsigned flags)
{
	struct sb_path *base = &call->work->base;
	int err = sb_path_set(base, "/", 1);

	if (name->len > PATH_OFFSET + UNIX_PATH_MAX)
		return -EINVAL;
	path_of(name, call->path);
	if (call->path[0] != '/')
		err = sb_guest_base(call, AT_FDCWD, base);
	if (err < 0)
		return err;
	err = sb_tree_lookup(call->fs, base->buf, base->len, call->path, flags, &call->work->a);
	if (err == -SB_EMAGIC)
		err = sb_magic_link_follow(call, flags, &call->work->a);
	return err;
}

/* Make a short symlink to target, "<run>/a/<hash of the target>", unless it is there. out gets its
 * path, with a NUL behind it. */
static int alias(const struct sb_call *call, const struct sb_path *target, struct sb_proc_out *out)
{
	const struct sb_control *control = call->fs->tree->control;
	struct sb_path *there = &call->work->found;
	long len;
	int err;

	sb_proc_put(out, sb_text_at(control, control->run), control->run.len);
	sb_proc_put(out, "/a/", 3);
	sb_proc_put_number(out, sb_hash(target->buf, target->len), 16, 16);
	if (out->full)
		return -ENAMETOOLONG;
	out->buf[out->len] = '\0';
	err = (int)sys_symlinkat(target->buf, AT_FDCWD, out->buf);
	if (err != -EEXIST)
		return err;
	len = sys_readlinkat(AT_FDCWD, out->buf, there->buf, SB_PATH_MAX);
	if (len < 0)
		return (int)len;
	return sb_same(there->buf, (size_t)len, target->buf, target->len) ? 0 : -ENAMETOOLONG;
}

/* Append "/" and the last component; -ENAMETOOLONG when it does not fit. */
static int join(struct sb_proc_out *out, const char *last, size_t last_len)
{
	sb_proc_put(out, "/", 1);
	sb_proc_put(out, last, last_len);
	return out->full ? -ENAMETOOLONG : 0;
}

/* As the last way: a descriptor of the directory, and the name in it. */
static int by_descriptor(struct sb_call *call, const struct sb_path *dir, const char *last,
			 size_t last_len, struct sb_socket_name *name)
{
	char text[PATH_ROOM + 1];
	struct sb_proc_out out = {.buf = text, .max = PATH_ROOM};
	long fd;
	int err;

	sb_commit_begin(call->fs);
	fd = sys_openat(AT_FDCWD, dir->buf, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	if (fd < 0)
		return (int)fd;
	sb_fd_name((int)fd, text);
	out.len = (uint32_t)strlen(text);
	err = join(&out, last, last_len);
	if (err < 0) {
		sys_close((int)fd);
		return err;
	}
	name->temp = (int)fd;
	set_path(name, text, out.len);
	return 0;
}

int sb_socket_name_host(struct sb_call *call, const struct sb_at *at, struct sb_socket_name *name)
{
	struct sb_path *dir = &call->work->host;
	char text[PATH_ROOM + 1];
	struct sb_proc_out out = {.buf = text, .max = PATH_ROOM};
	const uint32_t last = sb_path_name(&at->host);
	const size_t last_len = at->host.len - last;
	int err;

	if (at->host.len <= PATH_ROOM) {
		set_path(name, at->host.buf, at->host.len);
		return 0;
	}
	err = sb_path_set(dir, at->host.buf, last > 1 ? last - 1 : 1);
	if (err < 0)
		return err;
	err = alias(call, dir, &out);
	if (err == 0)
		err = join(&out, at->host.buf + last, last_len);
	if (err < 0)
		return by_descriptor(call, dir, at->host.buf + last, last_len, name);
	set_path(name, text, out.len);
	return 0;
}

int sb_socket_name_resolve(struct sb_call *call, struct sb_socket_name *name)
{
	struct sb_at *at = &call->work->a;
	int err;

	if (!sb_socket_name_is_path(name))
		return 0;
	err = look_up(call, name, SB_FOLLOW | SB_WANT_STAT);
	if (err == 0 && !sb_proc_is_object(call->fs, at))
		err = sb_tree_permit(call->fs, at, 2);
	if (err < 0)
		return err;
	sb_loosen_ahead(call->fs, at, 2);
	return sb_socket_name_host(call, at, name);
}

int sb_socket_name_place(struct sb_call *call, const struct sb_socket_name *name)
{
	struct sb_at *at = &call->work->a;
	int err = look_up(call, name, SB_MAY_BE_ABSENT | SB_PARENT);

	if (err < 0)
		return err;
	if (at->spot.place != SB_PLACE_ABSENT || at->dots)
		return -EADDRINUSE;
	return at->slash ? -ENOENT : 0;
}

void sb_socket_name_done(struct sb_socket_name *name)
{
	if (name->temp >= 0)
		sys_close(name->temp);
	name->temp = -1;
}

/* ---- to the guest ------------------------------------------------------- */

void sb_socket_name_to_guest(struct sb_call *call, struct sb_socket_name *name)
{
	const struct sb_fs *fs = call->fs;
	struct sb_path *guest = &call->work->guest;
	char text[UNIX_PATH_MAX + 1];
	uint32_t skip = 0;
	uint32_t len;

	if (name->len > SB_SOCKET_NAME_MAX || !sb_socket_name_is_path(name))
		return;
	len = path_of(name, text);
	name->len = PATH_OFFSET; /* without a name, if none is found */
	if (sb_proc_guest_text(fs, text, len, guest) < 0)
		return;
	if (fs->root_len > 1 && sb_path_within(guest->buf, guest->len, fs->root, fs->root_len))
		skip = fs->root_len;
	if (guest->len - skip > PATH_ROOM)
		return;
	set_path(name, guest->buf + skip, guest->len - skip);
}

int sb_socket_name_write(const struct sb_socket_name *name, uint64_t addr, uint64_t len_addr,
			 uint32_t size)
{
	const uint32_t count = SB_MIN(SB_MIN(name->len, size), (uint32_t)SB_SOCKET_NAME_MAX);
	int err;

	if ((int32_t)size < 0)
		return -EINVAL;
	err = sb_guest_write(addr, name->bytes, count);
	if (err < 0)
		return err;
	return sb_guest_write(len_addr, &name->len, sizeof(name->len));
}
