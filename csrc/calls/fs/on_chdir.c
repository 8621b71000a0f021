/* SPDX-License-Identifier: MIT */
/*
 * on_chdir.c - the working directory, the root directory and the umask.
 *
 * How it works
 *   The kernel's working directory is the host directory behind the guest's. Its guest path is the
 *   host path without the prefix. The root directory is a guest path that look-ups do not leave by
 *   "..".
 * Does not know
 *   How clone shares or copies these (on_clone.c).
 */
#include <errno.h>

#include "base/mem.h"
#include "change/change.h"
#include "guest/handlers.h"
#include "guest/paths/cwd.h"
#include "guest/paths/lookup.h"
#include "tree/descriptors.h"
#include "tree/dircache.h"
#include "tree/file_acl.h"
#include "tree/index.h"
#include "tree/loosen.h"

static int find_directory(struct sb_call *call, uint64_t path, struct sb_at *at)
{
	int err = sb_guest_lookup(call, AT_FDCWD, path, SB_FOLLOW | SB_WANT_DIR, at);

	return err < 0 ? err : sb_tree_permit_ids(call->fs, at, 1);
}

long on_chdir(struct sb_call *call)
{
	struct sb_at *at = &call->work->a;
	struct sb_cwd_mark mark;
	uint32_t generation = sb_dircache_generation(call->fs->tree);
	int err = find_directory(call, sb_arg(call, 0), at);
	uint32_t count;
	long ret;

	if (err < 0)
		return err;
	sb_commit_begin(call->fs);
	count = sb_cwd_mark(call).count;
	sb_cwd_changing(call);
	ret = sys_chdir(at->host.buf);
	/* Another process is just making a merged directory in the upper. */
	if (ret == -ENOENT && at->spot.place == SB_PLACE_UPPER && at->spot.node != SB_NO_NODE &&
	    sb_index_host_path(call->fs->tree, at->spot.node, &at->host) == 0)
		ret = sys_chdir(at->host.buf);
	/* The machine's user may not search this directory of the machine. */
	if (ret == -EACCES && at->spot.place == SB_PLACE_LIVE && sb_copyup(call->fs, at, 0) == 0)
		ret = sys_chdir(at->host.buf);
	if (ret == -EACCES && sb_loosen(call->fs, at->spot.mount, at->host.buf, 0100, NULL) == 0)
		ret = sys_chdir(at->host.buf);
	sb_cwd_changed(call);
	mark = sb_cwd_mark(call);
	mark.generation = generation;
	/* No other thread changed it, and the directory had this name all the time. */
	if (ret == 0 && mark.count == count + 1)
		sb_cwd_put(call, &mark, at->guest.buf, at->guest.len);
	if (ret == 0 && mark.count == count + 1 &&
	    sb_dircache_generation(call->fs->tree) == generation)
		sb_cwd_learn_pure(
			call, &mark,
			sb_spot_pure(call->fs->tree, &at->spot, at->guest.buf, at->guest.len));
	sb_commit_end(call->fs);
	return ret;
}

long on_fchdir(struct sb_call *call)
{
	int fd = (int)(uint32_t)sb_arg(call, 0);
	struct sb_cwd_mark mark;
	struct sb_stat st;
	uint32_t what;
	long ret;
	int err = fd < 0 ? -EBADF : sb_tree_fstat(call->fs, fd, &st, NULL);

	if (err == 0 && (st.mode & S_IFMT) != S_IFDIR)
		err = -ENOTDIR;
	if (err == 0)
		err = sb_file_acl_permit(call->fs, &st, 1);
	if (err < 0)
		return err;
	sb_commit_begin(call->fs);
	mark = sb_cwd_mark(call);
	what = sb_fds_what(call->fs, fd);
	sb_cwd_changing(call);
	ret = sb_syscall(__NR_fchdir, fd, 0, 0, 0, 0, 0);
	sb_cwd_changed(call);
	mark.count++;
	if (ret == 0 && what == sb_fds_what(call->fs, fd))
		sb_cwd_learn_pure(call, &mark, sb_fds_pure(call->fs, fd));
	sb_commit_end(call->fs);
	return ret;
}

/* Make path relative to the root directory, or say "(unreachable)" as the kernel does. */
static int below_root(const struct sb_fs *fs, struct sb_path *path)
{
	static const char outside[] = "(unreachable)";

	if (fs->root_len == 1)
		return 0;
	if (sb_path_within(path->buf, path->len, fs->root, fs->root_len)) {
		uint32_t rest = path->len - fs->root_len;

		return rest == 0 ? sb_path_set(path, "/", 1)
				 : sb_path_set(path, path->buf + fs->root_len, rest);
	}
	if (path->len + sizeof(outside) > SB_PATH_MAX)
		return -ENAMETOOLONG;
	memmove(path->buf + sizeof(outside) - 1, path->buf, (size_t)path->len + 1);
	memcpy(path->buf, outside, sizeof(outside) - 1);
	path->len += (uint32_t)sizeof(outside) - 1;
	return 0;
}

long on_getcwd(struct sb_call *call)
{
	struct sb_path *path = &call->work->base;
	uint64_t size = sb_arg(call, 1);
	int err = sb_guest_base(call, AT_FDCWD, path);

	if (err == 0)
		err = below_root(call->fs, path);
	if (err < 0)
		return err;
	if (size < (uint64_t)path->len + 1)
		return -ERANGE;
	err = sb_guest_write(sb_arg(call, 0), path->buf, (size_t)path->len + 1);
	return err < 0 ? err : (long)path->len + 1;
}

long on_chroot(struct sb_call *call)
{
	struct sb_at *at = &call->work->a;
	struct sb_proc *proc = call->proc;
	int err = find_directory(call, sb_arg(call, 0), at);

	if (err < 0)
		return err;
	if (!sb_ids_has_cap(call->ids, SB_CAP_SYS_CHROOT))
		return -EPERM;
	sb_commit_begin(call->fs);
	memcpy(proc->root, at->guest.buf, (size_t)at->guest.len + 1);
	proc->root_len = at->guest.len;
	sb_commit_end(call->fs);
	return 0;
}

/* The kernel's own umask never takes rights from the owner, since the runtime must open what it
 * makes. */
long on_umask(struct sb_call *call)
{
	const uint32_t old = call->proc->umask;
	const uint32_t mask = (uint32_t)sb_arg(call, 0) & 0777;

	sb_commit_begin(call->fs);
	call->proc->umask = mask;
	call->fs->umask = mask;
	sb_syscall(__NR_umask, mask & 0077, 0, 0, 0, 0, 0);
	return old;
}
