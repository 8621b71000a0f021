/* SPDX-License-Identifier: MIT */
/*
 * socket_name.c - names of AF_UNIX sockets between the guest and the kernel.
 *
 * How it works
 *   A host path that fits into sun_path is used as it is. Else a symlink
 *   <run>/a<hash> leads to the socket's directory; it stays, so a name that
 *   the kernel tells other processes can be turned back. When even that does not
 *   fit, "/proc/self/fd/N" of a temporary descriptor serves, at the price that
 *   peers see that name.
 * Rules
 *   Uses work->p[0] to p[3]. A temporary descriptor is in a commit section.
 * Does not know
 *   Which call uses the name, or how the entry of a bound socket is made.
 */
#include "calls/net/socket_name.h"

#include <errno.h>
#include <linux/un.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "calls/proc/on_proc_name.h"
#include "procfs/proc_text.h"

#define PATH_OFFSET 2 /* offsetof(struct sockaddr_un, sun_path) */
#define PATH_ROOM (UNIX_PATH_MAX - 1)
#define ALIAS_LEN 18 /* "/a" and 16 digits; proc_text.c reads it back */

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

/* The path of a name, NUL-terminated into text; its length. */
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
	struct sb_path *base = &call->work->p[4];
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
		err = sb_proc_resolve(call, flags, &call->work->a);
	return err;
}

/* "<run>/a<hash of the target>" */
static int alias_path(const struct sb_call *call, const struct sb_path *target, struct sb_path *out)
{
	const struct sb_control *control = call->fs->tree->control;
	char text[ALIAS_LEN];
	struct sb_proc_out digits = {.buf = text, .max = sizeof(text)};
	int err = sb_path_set(out, sb_text_at(control, control->run), control->run.len);

	sb_proc_put(&digits, "/a", 2);
	sb_proc_put_number(&digits, sb_hash(target->buf, target->len), 16, 16);
	return err < 0 ? err : sb_path_add(out, text, digits.len);
}

/* A short symlink to target, made when it is not there yet. */
static int alias(const struct sb_call *call, const struct sb_path *target, struct sb_path *out)
{
	struct sb_path *there = &call->work->p[2];
	int err = alias_path(call, target, out);
	long len;

	if (err < 0)
		return err;
	err = (int)sys_symlinkat(target->buf, AT_FDCWD, out->buf);
	if (err != -EEXIST)
		return err;
	len = sys_readlinkat(AT_FDCWD, out->buf, there->buf, SB_PATH_MAX);
	if (len < 0)
		return (int)len;
	return sb_same(there->buf, (size_t)len, target->buf, target->len) ? 0 : -ENAMETOOLONG;
}

/* The last way: a descriptor of the directory, and the name in it. */
static int by_descriptor(struct sb_call *call, const struct sb_path *dir, const char *last,
			 size_t last_len, struct sb_socket_name *name)
{
	struct sb_path *text = &call->work->p[1];
	char link[32];
	long fd;
	int err;

	sb_commit_begin(call->fs);
	fd = sys_openat(AT_FDCWD, dir->buf, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	if (fd < 0)
		return (int)fd;
	sb_proc_fd_link((int)fd, link);
	err = sb_path_set(text, link, strlen(link));
	if (err == 0)
		err = sb_path_join(text, last, last_len);
	if (err == 0 && text->len > PATH_ROOM)
		err = -ENAMETOOLONG;
	if (err < 0) {
		sys_close((int)fd);
		return err;
	}
	name->temp = (int)fd;
	set_path(name, text->buf, text->len);
	return 0;
}

int sb_socket_name_host(struct sb_call *call, const struct sb_at *at, struct sb_socket_name *name)
{
	struct sb_path *dir = &call->work->p[0];
	struct sb_path *text = &call->work->p[1];
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
	err = alias(call, dir, text);
	if (err == 0)
		err = sb_path_join(text, at->host.buf + last, last_len);
	if (err < 0 || text->len > PATH_ROOM)
		return by_descriptor(call, dir, at->host.buf + last, last_len, name);
	set_path(name, text->buf, text->len);
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
	struct sb_path *guest = &call->work->p[3];
	char text[UNIX_PATH_MAX + 1];
	uint32_t skip = 0;
	uint32_t len;

	if (name->len > SB_SOCKET_NAME_MAX || !sb_socket_name_is_path(name))
		return;
	len = path_of(name, text);
	name->len = PATH_OFFSET; /* unnamed, when there is nothing better */
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
